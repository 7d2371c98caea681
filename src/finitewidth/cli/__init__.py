"""The command line; one module a command: options in, one call of the library, show."""

from finitewidth.cli.app import main as main
