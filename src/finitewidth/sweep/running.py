"""A run from the grid to the store."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from finitewidth.store.runner import Runner, engine_on
from finitewidth.sweep import grid_file
from finitewidth.sweep.api import Outcome
from finitewidth.sweep.cells import Cell, expand
from finitewidth.sweep.engine.course import Course, Wanted
from finitewidth.sweep.engine.schedule import Progress, Schedule
from finitewidth.sweep.estimates import OBSERVABLES
from finitewidth.sweep.grid import Grid, read
from finitewidth.sweep.store import Writer
from finitewidth.sweep.store.schema import CellRow
from finitewidth.sweep.summary import Summary


def read_grid(given: Mapping[str, Any] | str | Path) -> tuple[Grid, list[Cell]]:
    """A grid and its cells; raises as `run`."""
    source = "the grid"
    if isinstance(given, str | Path):
        source, given = str(given), grid_file.load(given)
    grid = read(given, source)
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
    progress: Callable[[Progress], object] | None,
) -> Outcome:
    """See `finitewidth.sweep.run`."""
    grid, cells = read_grid(given)
    _refuse_factories(cells, allow_factories)
    wanted = grid.precision.model_dump()
    engine = engine_on(cluster)  # first: a cluster that is not there leaves no store behind
    try:
        with Writer(store, grid.model_dump(exclude_unset=True)) as writer:
            rows = writer.register(cells, json.dumps(wanted, sort_keys=True))
            courses = _courses(cells, rows, wanted, writer)
            schedule = Schedule(courses, writer)
            Runner(schedule, engine, progress).run()
    finally:
        engine.close()
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


def _courses(
    cells: Sequence[Cell], rows: Mapping[str, CellRow], wanted: dict[str, Any], writer: Writer
) -> list[Course]:
    """Where every cell stands by what is in the store."""
    given: dict[str, Any] = wanted | {"of": tuple(wanted["of"])}
    limits = Wanted(**given)
    text, before = json.dumps(wanted, sort_keys=True), writer.has_chunks()
    courses, finished = [], {}
    for cell in cells:
        row = rows[cell.key]
        course = Course(row.id, cell, limits, least=max(row.least, row.used or 0))
        courses.append(course)
        if not before:
            continue
        for number, packed, arrays in writer.chunks(row.id):
            course.add(number, Summary.unpacked(packed, arrays))
        same = row.precision == text and row.used == course.used
        if course.used is not None and not same:
            finished[course.row] = course.used
    if finished:
        writer.commit([], finished)
    return courses
