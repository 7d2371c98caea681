"""The command line; one module a command, loaded by typer."""

from finitewidth.cli.app import main as main
