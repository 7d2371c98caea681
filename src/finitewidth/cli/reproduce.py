"""`finitewidth reproduce`: published results beside this package's own numbers."""

from typing import Annotated

from cyclopts import Parameter

from finitewidth import reproduce as results
from finitewidth.cli.output import FigureOutput
from finitewidth.cli.progress import progress_bar
from finitewidth.cli.sampling import Seed


def reproduce(
    name: str | None = None,
    /,
    *,
    list_them: Annotated[bool, Parameter(name="--list")] = False,
    quick: bool = False,
    seed: Seed = 0,
    output: FigureOutput = FigureOutput(),
) -> None:
    """Compute a published result anew and set it beside what was printed.

    Parameters
    ----------
    name
        Which result; --list names them.
    list_them
        List the results and stop.
    quick
        Fewer networks: seconds.
    """
    if list_them:
        output.show(results.listing())
        return
    if name is None:
        raise ValueError(
            f"no result was named; give one of {', '.join(results.names())}, or --list."
        )
    output.check()
    with progress_bar("pieces") as progress:
        found = results.reproduce(name, quick=quick, seed=seed, progress=progress)
    output.show(found)
