"""`finitewidth sweep`: grids of experiments, kept in one file and continued at any time."""

from pathlib import Path
from typing import Annotated

import typer

sweep = typer.Typer(
    no_args_is_help=True,
    help="Grids of experiments: computed here or on a cluster, kept in one file.",
)

INCOMPLETE, STOPPED = 1, 130
"""Exit codes: some cell failed; stopped by Ctrl-C."""

File = Annotated[str, typer.Argument(help="A grid: file.toml or file.yaml.")]
Store = Annotated[str, typer.Option("--store", help="The SQLite file that keeps the results.")]
StoreFile = Annotated[str, typer.Argument(help="The SQLite file of a sweep.")]
Workers = Annotated[
    int | None,
    typer.Option("--workers", help="Processes of this machine; this process alone if not given."),
]
Scheduler = Annotated[
    str | None, typer.Option("--scheduler", help="A Dask scheduler: tcp://host:8786.")
]
Allow = Annotated[
    bool,
    typer.Option(
        "--allow-factories", help="Let the grid name functions that are imported and called."
    ),
]
To = Annotated[str, typer.Option("--to", help="out.csv, out.nc (NetCDF) or out.zarr.")]


@sweep.command()
def example(file: Annotated[str, typer.Argument(help="To be written: file.toml.")]) -> None:
    """Write a grid to begin with; it takes less than a minute."""
    from finitewidth.sweep.grid_file import EXAMPLE

    path = Path(file)
    if path.suffix != ".toml":
        raise ValueError(f"the example is a TOML file, but its name is {file!r}; end it in .toml.")
    if path.exists():
        raise ValueError(f"{file} exists already; give another name.")
    if not path.absolute().parent.is_dir():
        raise ValueError(f"the folder {path.parent} does not exist; create it first.")
    path.write_text(EXAMPLE, encoding="utf-8")
    typer.echo(f"{file} written; run it with: finitewidth sweep run {file} --store results.sqlite")


@sweep.command()
def run(
    file: File,
    store: Store,
    workers: Workers = None,
    scheduler: Scheduler = None,
    allow_factories: Allow = False,
) -> None:
    """Compute every cell of a grid that the store does not have yet."""
    from finitewidth.cli.sweep_view import bar, print_outcome
    from finitewidth.sweep import run as run_grid

    if workers is not None and scheduler is not None:
        raise ValueError(
            "--workers and --scheduler were both given; a scheduler has its own workers, give one."
        )
    if workers is not None and workers < 1:
        raise ValueError(f"--workers is {workers}, expected 1 or more.")
    try:
        with bar() as progress:
            outcome = run_grid(
                file,
                store,
                scheduler or workers,
                allow_factories=allow_factories,
                progress=progress,
            )
    except KeyboardInterrupt:
        typer.echo(
            f"Stopped; what was finished is in {store}, and the same command continues.", err=True
        )
        raise typer.Exit(STOPPED) from None
    print_outcome(outcome)
    if not outcome.complete:
        raise typer.Exit(INCOMPLETE)


@sweep.command()
def status(store: StoreFile) -> None:
    """What a store holds, also while a sweep is running on it."""
    from finitewidth.cli.sweep_view import print_status

    print_status(store)


@sweep.command()
def report(
    store: StoreFile,
    to: Annotated[
        str, typer.Option("--to", help="out.html, or out.md with its figures beside it.")
    ],
) -> None:
    """Write the results as a page: figures, the table of all finished cells, provenance."""
    from finitewidth.cli.sweep_report import page

    if not to.endswith((".html", ".md")):
        raise ValueError(f"--to is {to!r}, expected a name ending in .html or .md.")
    found = page(store)
    if to.endswith(".html"):
        found.html(to)
        typer.echo(f"{to} written.")
        return
    found.markdown(to)
    typer.echo(f"{to} written, with its figures beside it.")


@sweep.command()
def export(store: StoreFile, to: To) -> None:
    """Write the results as a table, NetCDF or Zarr."""
    from finitewidth._extras import needed_for
    from finitewidth.sweep import open as open_store

    with needed_for("exports", "sweep"):
        from finitewidth.sweep.export import export as export_to
    found = open_store(store)
    export_to(found, to)
    cells, complete = found.complete.size, int(found.complete.sum())
    missing = "" if cells == complete else f", {cells - complete} of them not finished"
    typer.echo(f"{to}: {cells} cells{missing}")
