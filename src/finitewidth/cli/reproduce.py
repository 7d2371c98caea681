"""`finitewidth reproduce`: published results beside this package's own numbers."""

from os.path import relpath
from pathlib import Path
from typing import Annotated

import typer

from finitewidth.cli import old_options as options
from finitewidth.cli.progress import LONG, progress_bar
from finitewidth.cli.results import Results
from finitewidth.estimate import Estimate
from finitewidth.reproduce import names
from finitewidth.reproduce import reproduce as compute

Name = Annotated[str | None, typer.Argument(help="Which result; --list names them.")]
ListThem = Annotated[bool, typer.Option("--list", help="List the results and stop.")]
Quick = Annotated[bool, typer.Option("--quick", help="Fewer networks: seconds.")]
Figure = Annotated[
    str | None,
    typer.Option("--plot", help="Write the figures: FILE.png or FILE.svg, FILE-2.png and so on."),
]
Report = Annotated[str | None, typer.Option("--report", help="Write a one-file HTML page.")]
Markdown = Annotated[
    str | None, typer.Option("--markdown", help="Write the tables as Markdown: FILE.md.")
]


def figure_files(first: Path, count: int) -> list[Path]:
    """FILE.png, FILE-2.png and so on."""
    return [
        first if place == 1 else first.with_stem(f"{first.stem}-{place}")
        for place in range(1, count + 1)
    ]


def reproduce(
    name: Name = None,
    list_them: ListThem = False,
    quick: Quick = False,
    plot: Figure = None,
    report: Report = None,
    markdown: Markdown = None,
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
    for option, path, ending in (("--report", report, ".html"), ("--markdown", markdown, ".md")):
        if path is not None:
            options.check_file(option, path, ending)
    with progress_bar("pieces", LONG) as progress:
        found = compute(name, quick=quick, seed=seed, progress=progress)
    figures = [] if plot is None else figure_files(Path(plot), len(found.plots))
    for where, figure in zip(figures, found.plots, strict=False):
        figure.save(where)
    if report is not None:
        found.page().html(report)
    if markdown is not None:
        beside = [relpath(where.absolute(), Path(markdown).absolute().parent) for where in figures]
        Path(markdown).write_text(found.markdown(beside), encoding="utf-8")
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
