"""`finitewidth sweep`: grids of experiments, kept in one file and continued at any time."""

import sys
from typing import Annotated

from cyclopts import App, Parameter

from finitewidth.cli.output import FigureOutput, Output
from finitewidth.cli.progress import sweep_bar
from finitewidth.cli.sampling import Workers

INCOMPLETE, STOPPED = 1, 130
"""Exit codes: some cell failed; stopped by Ctrl-C."""

Store = Annotated[str, Parameter(help="The SQLite file that keeps the results.")]

sweep = App(
    name="sweep", help="Grids of experiments: computed here or on a cluster, kept in one file."
)


@sweep.command
def example(file: str, /) -> None:
    """Write a grid to begin with; it takes less than a minute.

    Parameters
    ----------
    file
        To be written: file.toml.
    """
    from finitewidth.sweep.grid_file import write_example

    write_example(file)
    sys.stdout.write(
        f"{file} written; run it with: finitewidth sweep run {file} --store results.sqlite\n"
    )


@sweep.command
def run(
    file: str,
    /,
    *,
    store: Store,
    workers: Workers | None = None,
    scheduler: str | None = None,
    allow_factories: bool = False,
    output: Output = Output(),
) -> int:
    """Compute every cell of a grid that the store does not have yet.

    Without --workers or --scheduler this process computes alone.

    Parameters
    ----------
    file
        A grid: file.toml or file.yaml.
    scheduler
        A Dask scheduler: tcp://host:8786.
    allow_factories
        Let the grid name functions that are imported and called.
    """
    from finitewidth.sweep import run as run_grid

    output.check()
    if workers is not None and scheduler is not None:
        raise ValueError(
            "--workers and --scheduler were both given; a scheduler has its own workers, give one."
        )
    if workers is not None and workers < 1:
        raise ValueError(f"--workers is {workers}, expected 1 or more.")
    cluster = scheduler or workers
    try:
        with sweep_bar() as progress:
            done = run_grid(
                file,
                store,
                cluster,
                allow_factories=allow_factories,
                allow_large=output.yes,
                progress=progress,
            )
    except KeyboardInterrupt:
        sys.stderr.write(
            f"Stopped; what was finished is in {store}, and the same command continues.\n"
        )
        return STOPPED
    output.show(done)
    return 0 if done.complete else INCOMPLETE


@sweep.command
def status(store: Store, /, *, output: Output = Output()) -> None:
    """What a store holds, also while a sweep is running on it."""
    from finitewidth.sweep import status as read

    output.check()
    output.show(read(store))


@sweep.command
def report(
    store: Store, /, *, to: str | None = None, output: FigureOutput = FigureOutput()
) -> None:
    """The results: figures, the table of all finished cells, provenance.

    Parameters
    ----------
    to
        Write a page alone: out.html, or out.md with its figures beside it.
    """
    from finitewidth.sweep import report as read

    output.check()
    if to is not None and not to.endswith((".html", ".md")):
        raise ValueError(f"--to is {to!r}, expected a name ending in .html or .md.")
    found = read(store)
    if to is None:
        output.show(found)
    elif to.endswith(".html"):
        found.html(to)
        sys.stdout.write(f"{to} written.\n")
    else:
        found.markdown(to)
        sys.stdout.write(f"{to} written, with its figures beside it.\n")


@sweep.command
def export(store: Store, /, *, to: str) -> None:
    """Write the results as a table, NetCDF or Zarr.

    Parameters
    ----------
    to
        out.csv, out.nc (NetCDF) or out.zarr.
    """
    from finitewidth.sweep import export as write

    sys.stdout.write(f"{to}: {write(store, to)}\n")
