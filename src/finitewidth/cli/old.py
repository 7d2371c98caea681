"""`finitewidth`: the commands, and what becomes of an error."""

import sys

import typer

from finitewidth import __version__
from finitewidth.cli.check import check

BAD_INPUT = 2

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="How random a network's neural tangent kernel is, how far training moves it, "
    "and which widths and depth would change that.",
)
app.command()(check)


def _version(show: bool | None) -> None:
    if show:
        typer.echo(f"finitewidth {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool | None = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and stop."
    ),
) -> None:
    del version  # handled by its callback


def main_old() -> None:
    """Run the command line.

    Exit codes: 0 fine, 1 a check that failed, 2 bad input, with one sentence on standard error.
    """
    try:
        app()
    except (ValueError, TypeError, RuntimeError) as error:
        sys.stderr.write(f"finitewidth: {error}\n")
        sys.exit(BAD_INPUT)
