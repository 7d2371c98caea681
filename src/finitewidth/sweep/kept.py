"""The numbers of every network of a cell, where the grid asked to keep them."""

from pathlib import Path
from typing import Any

import numpy as np

from finitewidth._shapes import Float
from finitewidth.sweep.cells import Cell
from finitewidth.sweep.store import Reader, arrays
from finitewidth.sweep.summary import Summary


def samples(store: str | Path, where: dict[str, Any]) -> dict[str, Float[np.ndarray, " networks"]]:
    """See `finitewidth.sweep.samples`."""
    path = Path(store).absolute()
    with Reader(path) as reader:
        found = {
            cell.id: cell
            for cell in reader.cells().rows
            if all(Cell(cell.inputs).inputs.get(name) == value for name, value in where.items())
        }
        if len(found) != 1:
            raise ValueError(
                f"{len(found)} cells of {store} have {where}, expected one; name more of its "
                "inputs, such as width=8, depth=3, method='dense'."
            )
        ((number, cell),) = found.items()
        if not Cell(cell.inputs).inputs.get("samples"):
            raise ValueError(
                "the numbers of this cell's networks were not kept; run the grid with samples = "
                "true."
            )
        parts = [
            Summary.unpacked(chunk.text, chunk.rows).files
            for chunk in reader.chunks()
            if chunk.cell == number and chunk.sound and chunk.number < (cell.used or 0)
        ]
    if cell.used is None:
        raise ValueError("this cell is not finished, or damaged; run the sweep again.")
    if len(parts) < cell.used:
        raise RuntimeError(
            f"{cell.used - len(parts)} of the {cell.used} chunks of this cell are damaged or "
            "missing; running the sweep again computes them anew."
        )
    return {
        name: np.concatenate([arrays.read(path, part[name]) for part in parts]) for name in parts[0]
    }
