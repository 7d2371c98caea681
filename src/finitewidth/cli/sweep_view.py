"""What `finitewidth sweep` shows: a bar while it runs, counts, causes, and the first results."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import typer

from finitewidth.estimate import Estimate
from finitewidth.report import Column, Table

if TYPE_CHECKING:
    import xarray

    from finitewidth.sweep import Outcome
    from finitewidth.sweep.engine.schedule import Progress

ROWS = 12
"""Cells of the table of results."""

CAUSES = 5
"""Failures that are printed."""

SHOWN = {
    "kernel_mean": Column("E K"),
    "kernel_dispersion": Column("E K²/(E K)²"),
    "update_mean": Column("ΔK frozen", meaning="E ΔK of one SGD step, activation pattern frozen"),
    "step_mean": Column("ΔK real", meaning="E ΔK of one real SGD step"),
}


@contextmanager
def bar() -> Iterator[Callable[["Progress"], None]]:
    """A bar of the estimated work, with the time left, on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    drawn = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with drawn:
        task = drawn.add_task("cells", total=None)

        def show(at: "Progress") -> None:
            failed = f", {at.failed} failed" if at.failed else ""
            drawn.update(
                task,
                description=f"{at.finished} of {at.cells} cells{failed}",
                completed=at.done,
                total=at.total,
            )

        yield show


def print_outcome(outcome: "Outcome") -> None:
    """Counts, what was damaged, why cells failed, and the first results."""
    from rich.console import Console

    for message in outcome.messages:
        typer.echo(message, err=True)
    failed = len(outcome.failures)
    typer.echo(
        f"{outcome.cells} cells: {outcome.finished} finished, {failed} failed; "
        f"{outcome.computed} chunks computed now. Results: {outcome.store}"
    )
    print_causes([cause for _, cause in outcome.failures])
    table = results(outcome)
    if table is not None:
        typer.echo()
        Console().print(table)


def print_causes(causes: list[str]) -> None:
    """Every cause once, with how many cells it has cost; the commonest first."""
    counted = {cause: causes.count(cause) for cause in dict.fromkeys(causes)}
    for cause, count in sorted(counted.items(), key=lambda item: -item[1])[:CAUSES]:
        typer.echo(f"  {count} failed: {cause}")
    if len(counted) > CAUSES:
        typer.echo(f"  and {len(counted) - CAUSES} other causes: finitewidth sweep export.")


def results(outcome: "Outcome") -> Table | None:
    """The first finished cells with their numbers; None where there is none."""
    from finitewidth.sweep import open as open_store

    found = by_cell(open_store(outcome.store))
    finished = np.flatnonzero(found.complete.values)
    names = [name for name in SHOWN if name in found]
    if not len(finished) or not names:
        return None
    return results_table(found.isel(cell=finished), names, ROWS, outcome.store)


def by_cell(found: "xarray.Dataset") -> "xarray.Dataset":
    """The same with one dimension, ``cell``."""
    if "cell" in found.dims:
        return found
    return found.stack(cell=list(found.dims), create_index=False)


def results_table(
    finished: "xarray.Dataset", names: list[str], most: int, store: str | Path
) -> Table:
    """Inputs and the observables `names` of at most so many finished cells."""
    axes = [str(name) for name in finished.coords]
    rows = []
    for place in range(min(finished.sizes["cell"], most)):
        one = finished.isel(cell=place)
        rows.append(
            [_plain(one[axis].values.item()) for axis in axes]
            + [_estimate(one, name) for name in names]
        )
    columns = [Column(axis.removeprefix("by_").replace("_", " ")) for axis in axes]
    columns += [SHOWN[name] for name in names]
    caption = ""
    if finished.sizes["cell"] > most:
        caption = (
            f"{most} of {finished.sizes['cell']} finished cells; all of them: finitewidth sweep "
            f"export {store} --to out.csv"
        )
    return Table("Results", columns, rows, caption)


def _plain(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else None if value != value else value


def _estimate(one: Any, name: str) -> Estimate | float | None:
    value, error = float(one[name]), float(one[f"{name}_std_error"])
    if value != value:
        return None
    if error == 0.0:
        return value
    trusted = bool(one[f"{name}_trusted"])
    note = "" if trusted else "few networks carry it; ask for more, or for method law."
    return Estimate(value, error, int(one.networks), "sampled", trusted=trusted, note=note)


def print_status(store: str) -> None:
    """Cells by method, networks and computing time, failures, and the runs."""
    from rich.console import Console

    from finitewidth.sweep.status import status

    found = status(store)
    rows = [
        [name, one.cells, one.finished, one.failed, one.chunks, one.networks]
        for name, one in found.methods.items()
    ]
    last = "was closed" if found.closed else "runs or was cut off"
    table = Table(
        f"{store}",
        [
            "method",
            "cells",
            "finished",
            "failed",
            "chunks",
            Column("networks", meaning="0 where formulas are evaluated"),
        ],
        rows,
        f"Runs: {found.runs}; the last one {last}. Machines that computed: {found.hosts}.",
    )
    Console().print(table)
    print_causes(found.causes)
