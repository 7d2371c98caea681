"""The cells of a store as they were asked for, also where their rows are damaged or lost."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from finitewidth.sweep.cells import Cell, expand
from finitewidth.sweep.grid import read
from finitewidth.sweep.store.schema import CellRow

LOST = 0
"""Number of a cell's row that is not there."""


def restored(
    rows: Sequence[tuple[CellRow, str, bool]], orphans: bool, grids: Iterable[dict[str, Any]]
) -> tuple[list[CellRow], set[str], int]:
    """All cells in their order, the inputs of those whose rows are damaged, how many are unknown.

    A row whose checksum is wrong is an unfinished cell with the inputs that its key, the SHA-256
    of them, or else the grid of a run tells.

    Parameters
    ----------
    rows : sequence of (CellRow, str, bool)
        As stored, its key, and whether it verifies.
    orphans : bool
        Whether there are chunks of cells that have no row.
    grids : iterable of dict
        What the runs asked for.
    """
    found = {row.inputs: row for row, _, sound in rows if sound}
    if len(found) == len(rows) and not orphans:
        return list(found.values()), set(), 0
    asked = [one for one in map(_expanded, grids) if any(cell.text in found for cell in one)]
    by_key = {cell.key: cell.text for one in asked for cell in one}
    damaged: set[str] = set()
    unknown = 0
    for row, key, sound in rows:
        if sound:
            continue
        text = row.inputs if Cell(row.inputs).key == key else by_key.get(key)
        if text is None or text in found:
            unknown += 1
            continue
        damaged.add(text)
        found[text] = replace(row, inputs=text, least=0, used=None)
    for one in asked:
        last = LOST
        for cell in one:
            if cell.text not in found:
                damaged.add(cell.text)
                found[cell.text] = CellRow(LOST, cell.text, "", last, None)
                unknown = max(unknown - 1, 0)
            last = found[cell.text].id or last
    # one that was lost comes after its predecessor in the grid
    ordered = sorted(found.values(), key=lambda row: (row.id or row.least, row.id == LOST))
    return [replace(row, least=0) if row.id == LOST else row for row in ordered], damaged, unknown


def _expanded(grid: dict[str, Any]) -> list[Cell]:
    with suppress(ValueError, TypeError):  # the record of the run is damaged itself
        return expand(read(grid, allow_large=True))
    return []
