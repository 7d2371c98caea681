"""`finitewidth reproduce`: published results beside this package's own numbers."""

from pathlib import Path
from typing import Annotated

import typer

from finitewidth.cli import options
from finitewidth.cli.progress import LONG, progress_bar
from finitewidth.cli.results import Results
from finitewidth.estimate import Estimate
from finitewidth.reproduce import names
from finitewidth.reproduce import reproduce as compute

Name = Annotated[str | None, typer.Argument(help="Which result; --list names them.")]
ListThem = Annotated[bool, typer.Option("--list", help="List the results and stop.")]
Quick = Annotated[bool, typer.Option("--quick", help="A twentieth of the networks.")]
Figure = Annotated[
    str | None, typer.Option("--plot", help="Write the figure: FILE.png or FILE.svg.")
]
Report = Annotated[str | None, typer.Option("--report", help="Write a one-file HTML page.")]


def reproduce(
    name: Name = None,
    list_them: ListThem = False,
    quick: Quick = False,
    plot: Figure = None,
    report: Report = None,
    seed: options.Seed = 0,
    json_: options.Json = False,
) -> None:
    """Compute a published result anew and set it beside what was printed."""
    if list_them:
        for one, what in names().items():
            typer.echo(f"{one}: {what}")
        return
    if name is None:
        raise ValueError(f"no result was named; give one of {', '.join(names())}, or --list.")
    if plot is not None:
        options.check_plot(plot)
    if report is not None and not report.endswith(".html"):
        raise ValueError(f"--report is {report!r}, expected a name ending in .html.")
    with progress_bar("pieces", LONG) as progress:
        found = compute(name, quick=quick, seed=seed, progress=progress)
    if plot is not None:
        for place, figure in enumerate(found.plots):
            where = Path(plot)
            figure.save(where if place == 0 else where.with_stem(f"{where.stem}-{place + 1}"))
    if report is not None:
        found.page().write(report)
    if json_:
        results = Results({"name": name, "quick": quick, "seed": seed, "setting": found.setting})
        for one, value in found.numbers.items():
            if isinstance(value, Estimate):
                results.estimate(one, value)
            else:
                results.exact(one, value, "closed")
        typer.echo(results.to_json())
        return
    from rich.console import Console

    console = Console()
    console.print(f"{found.title}\n{found.source}\n{found.setting}", highlight=False)
    for table in found.tables:
        console.print()
        console.print(table)
    console.print()
    for sentence in found.sentences:
        console.print(sentence, highlight=False)
