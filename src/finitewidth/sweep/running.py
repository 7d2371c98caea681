"""A run from the grid to the store."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from finitewidth.store.runner import Runner, engine_on
from finitewidth.sweep import grid_file
from finitewidth.sweep.cells import Cell, expand
from finitewidth.sweep.engine.course import Course
from finitewidth.sweep.engine.schedule import Progress, Schedule
from finitewidth.sweep.estimates import OBSERVABLES
from finitewidth.sweep.grid import Grid, Precision, read
from finitewidth.sweep.outcome import Outcome
from finitewidth.sweep.store import Writer
from finitewidth.sweep.store.schema import CellRow
from finitewidth.sweep.summary import Summary


def read_grid(
    given: Mapping[str, Any] | str | Path, *, allow_large: bool = False
) -> tuple[Grid, list[Cell]]:
    """A grid and its cells; raises as `run`."""
    source = "the grid"
    if isinstance(given, str | Path):
        source, given = str(given), grid_file.load(given)
    grid = read(given, source, allow_large=allow_large)
    for name in grid.precision.of:
        if name not in OBSERVABLES:
            raise ValueError(
                f"{source}: precision.of has {name!r}, expected one of {', '.join(OBSERVABLES)}."
            )
    return grid, expand(grid, source)


def run(
    given: Mapping[str, Any] | str | Path,
    store: str | Path,
    cluster: Any,
    *,
    allow_factories: bool,
    allow_large: bool,
    progress: Callable[[Progress], object] | None,
) -> Outcome:
    """See `finitewidth.sweep.run`."""
    grid, cells = read_grid(given, allow_large=allow_large)
    _refuse_factories(cells, allow_factories)
    precision = json.dumps(grid.precision.model_dump(), sort_keys=True)
    with (
        closing(engine_on(cluster)) as engine,  # first: one that is not there leaves no store
        Writer(store, grid.model_dump(exclude_unset=True)) as writer,
    ):
        rows = writer.register(cells, precision)
        courses = [_course(cell, rows[cell.key], grid.precision, writer) for cell in cells]
        changed = {}
        for course in courses:
            row = rows[course.cell.key]
            if course.used is not None and (row.precision, row.used) != (precision, course.used):
                changed[course.row] = course.used
        if changed:
            writer.commit([], changed)
        schedule = Schedule(courses, writer)
        Runner(schedule, engine, progress).run()
    return Outcome(
        Path(store),
        len(courses),
        sum(course.used is not None for course in courses),
        schedule.computed,
        [(course.cell.inputs, course.cause) for course in courses if course.cause],
        writer.messages,
    )


def _refuse_factories(cells: Sequence[Cell], allowed: bool) -> None:
    if allowed:
        return
    for cell in cells:
        if "factory" in cell.inputs:
            raise ValueError(
                f"the grid names the factory {cell.inputs['factory']!r}, which would run code; if "
                "you trust it, give allow_factories=True (--allow-factories)."
            )


def _course(cell: Cell, row: CellRow, precision: Precision, writer: Writer) -> Course:
    """Where a cell stands by what is in the store."""
    course = Course(row.id, cell, precision, least=max(row.least, row.used or 0))
    for number, packed, arrays in writer.chunks(row.id):
        course.add(number, Summary.unpacked(packed, arrays))
    return course
