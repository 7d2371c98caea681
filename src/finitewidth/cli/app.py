"""`finitewidth`: the commands, and what becomes of an error."""

import sys
import warnings
from typing import Any

from cyclopts import App, CycloptsError, Parameter

from finitewidth import __version__
from finitewidth.cli.pipe import pipe_may_close

BAD_INPUT = 2
INTERRUPTED = 130

COMMANDS = (
    "law", "sample", "step", "simulate", "paths", "expansion", "check", "design", "sweep",
    "reproduce",
)  # fmt: skip

app = App(
    name="finitewidth",
    help="How random a network's neural tangent kernel is, how far training moves it, and which "
    "widths and depth would change that.",
    help_format="plaintext",
    version=f"finitewidth {__version__}",
    default_parameter=Parameter(negative=()),
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)
app.register_install_completion_command()
# Commands are imported when they are called: one that needs no PyTorch does not wait for it.
for place, name in enumerate(COMMANDS):
    app.command(f"finitewidth.cli.{name}:{name}", name=name, sort_key=place)


def main() -> None:
    """Run the command line.

    Exit codes: 0 fine, 1 a negative verdict or failed cells, 2 bad input, with one sentence on
    standard error, 130 interrupted.
    """
    code = 0
    try:
        with pipe_may_close(), warnings.catch_warnings():
            warnings.showwarning = _warned_once()
            if not sys.argv[1:] or sys.argv[1].startswith("-"):
                for command in COMMANDS:
                    app[command]  # imported, so that the list says what each does
            code = app(sys.argv[1:], exit_on_error=False, print_error=False)
    except (CycloptsError, ValueError, TypeError, RuntimeError, OSError) as error:
        sys.stderr.write(f"finitewidth: {error}\n")
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.exit(code or 0)


def _warned_once() -> Any:
    """Shows a warning in one line on standard error, and each text once in a command."""
    seen: set[str] = set()

    def show(message: Warning | str, *where: Any, **more: Any) -> None:
        text = " ".join(str(message).split())
        if text not in seen:
            seen.add(text)
            sys.stderr.write(f"finitewidth: warning: {text}\n")

    return show
