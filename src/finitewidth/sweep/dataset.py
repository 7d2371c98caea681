"""A store as an `xarray.Dataset`: named dimensions, units, and what is finished."""

import json
from itertools import groupby
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import xarray

from finitewidth.estimate import Estimate
from finitewidth.sweep.cells import Cell
from finitewidth.sweep.estimates import OBSERVABLES, estimates
from finitewidth.sweep.grid import Axes
from finitewidth.sweep.store import Reader
from finitewidth.sweep.store.schema import SWEEPS, CellRow
from finitewidth.sweep.summary import Summary

UNITS = {"n_in": "inputs", "width": "neurons", "depth": "weight layers", "learning_rate": "1"}

FIELDS = [*Axes.model_fields, "seed"]

NAMED = {"method": "by_method"}
"""Dimensions that cannot be called as their field: ``sel`` has an argument ``method``."""


def dataset(store: str | Path) -> xarray.Dataset:
    """See `finitewidth.sweep.open`."""
    with Reader(store) as reader:
        found = reader.cells()
        cells = found.rows
        if not cells:
            raise ValueError(
                f"{store} holds no cells: the sweep was cut off at its very beginning."
            )
        inputs = [Cell(cell.inputs).inputs for cell in cells]
        results, damaged = _results(reader, cells)
        attributes = _attributes(reader, cells, inputs)
        damage = reader.structure() + found.damage(damaged)
    if damage:
        attributes["damage"] = damage.strip()
    varying = [name for name in FIELDS if len({_key(one.get(name)) for one in inputs}) > 1]
    varying = [name for name in varying if not _follows(name, inputs)]
    layout = _Layout(inputs, varying)
    variables = _variables(cells, results, layout)
    return xarray.Dataset(variables, coords=layout.coordinates(), attrs=attributes)


class _Layout:
    """The cells on a grid where they fill one, in a row otherwise."""

    def __init__(self, inputs: list[dict[str, Any]], varying: list[str]) -> None:
        self._columns = {name: [one.get(name) for one in inputs] for name in varying}
        self._values = {
            name: list({_key(value): value for value in column}.values())
            for name, column in self._columns.items()
        }
        self._count = len(inputs)
        lengths = [len(values) for values in self._values.values()]
        self.is_grid = prod(lengths) == self._count
        names = [NAMED.get(name, name) for name in varying]
        self.dimensions = tuple(names) if self.is_grid else ("cell",)
        self._shape = tuple(lengths) if self.is_grid else (self._count,)
        places = np.zeros(self._count, dtype=np.int64)
        if self.is_grid:
            for name, column in self._columns.items():
                found = {_key(value): place for place, value in enumerate(self._values[name])}
                steps = np.array([found[_key(value)] for value in column], dtype=np.int64)
                places = places * len(found) + steps
        else:
            places = np.arange(self._count)
        self._places = places

    def put(self, values: np.ndarray) -> np.ndarray:
        """An array over cells in the layout's shape."""
        laid = np.empty_like(values)
        laid[self._places] = values
        return laid.reshape(self._shape)

    def coordinates(self) -> dict[str, Any]:
        """A coordinate for everything that varies."""
        found = {}
        for name in self._columns:
            values = self._values[name] if self.is_grid else self._columns[name]
            units = {"units": UNITS[name]} if name in UNITS else {}
            shown = NAMED.get(name, name)
            found[shown] = ((shown if self.is_grid else "cell"), _plain(values), units)
        return found


def _plain(values: list[Any]) -> np.ndarray:
    """Numbers as they are, lists and mixtures as text, what is missing as nan or as no text."""
    if all(isinstance(value, bool) for value in values):
        return np.array(values)
    if all(value is None or isinstance(value, int | float) for value in values):
        filled = np.array([np.nan if value is None else float(value) for value in values])
        whole = all(isinstance(value, int) for value in values)
        return filled.astype(np.int64) if whole else filled
    return np.array([_text(value) for value in values], dtype=str)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "-".join(f"{entry:g}" if isinstance(entry, float) else str(entry) for entry in value)
    return "" if value is None else str(value)


def _key(value: Any) -> str:
    return json.dumps(value)


def _follows(name: str, inputs: list[dict[str, Any]]) -> bool:
    """Whether a field is decided by the method, as the factory is."""
    if name != "factory":
        return False
    pairs = {(one["method"], _key(one.get(name))) for one in inputs}
    return len(pairs) == len({one["method"] for one in inputs})


Results = dict[int, tuple[bool, int, dict[str, Estimate]]]
"""(finished, networks, estimates) of every cell that has anything, by row."""


def _results(reader: Reader, cells: list[CellRow]) -> tuple[Results, set[str]]:
    """And the inputs of cells whose chunks are damaged or missing."""
    by_row = {cell.id: cell for cell in cells}
    results: Results = {}
    damaged: set[str] = set()
    for row, group in groupby(reader.chunks(), key=lambda chunk: chunk.cell):
        cell = by_row.get(row)
        if cell is None:
            continue
        limit = cell.used if cell.used is not None else cell.least or None
        summary, count = None, 0
        chunks = list(group)
        if not all(chunk.sound for chunk in chunks):
            damaged.add(cell.inputs)
        for chunk in chunks:
            if not chunk.sound or chunk.number != count or count == limit:
                break
            one = Summary.unpacked(chunk.text, chunk.rows)
            summary = one if summary is None else summary + one
            count += 1
        if summary is not None:
            finished = cell.used is not None and count == cell.used
            method = Cell(cell.inputs).inputs["method"]
            results[row] = finished, summary.networks, estimates(summary, method)
    for cell in cells:
        if cell.used is not None and not results.get(cell.id, (False,))[0]:
            damaged.add(cell.inputs)
    return results, damaged


def _variables(
    cells: list[CellRow],
    results: Results,
    layout: _Layout,
) -> dict[str, Any]:
    found = [results.get(cell.id, (False, 0, {})) for cell in cells]
    dims, variables = layout.dimensions, {}
    for name, observable in OBSERVABLES.items():
        ones = [estimate.get(name) for _, _, estimate in found]
        if not any(ones):
            continue
        value = np.array([np.nan if one is None else one.value for one in ones])
        error = np.array([np.nan if one is None else one.std_error for one in ones])
        trusted = np.array([one is not None and one.trusted for one in ones])
        units = {"units": observable.unit}
        meaning = observable.meaning
        variables[name] = (dims, layout.put(value), {"long_name": meaning} | units)
        variables[f"{name}_std_error"] = (
            dims, layout.put(error), {"long_name": f"standard error of {meaning}"} | units,
        )  # fmt: skip
        variables[f"{name}_trusted"] = (
            dims, layout.put(trusted), {"long_name": "whether that error can be relied on"},
        )  # fmt: skip
    networks = np.array([count for _, count, _ in found], dtype=np.int64)
    complete = np.array([finished for finished, _, _ in found])
    variables["networks"] = (
        dims, layout.put(networks), {"long_name": "networks drawn", "units": "networks"},
    )  # fmt: skip
    variables["complete"] = (
        dims, layout.put(complete), {"long_name": "whether the cell is finished"},
    )  # fmt: skip
    return variables


def _attributes(
    reader: Reader, cells: list[CellRow], inputs: list[dict[str, Any]]
) -> dict[str, Any]:
    """Provenance, what all cells share, and why some failed; texts and numbers only."""
    shared = {
        name: inputs[0].get(name)
        for name in FIELDS
        if len({_key(one.get(name)) for one in inputs}) == 1 and inputs[0].get(name) is not None
    }
    by_row = {cell.id: one for cell, one in zip(cells, inputs, strict=True)}
    failures = [
        {"inputs": by_row[row], "cause": cause}
        for row, cause in reader.failures().items()
        if row in by_row
    ]
    sessions = [
        session.provenance | {"closed": session.closed, "grid": session.grid}
        for session in reader.sessions()
    ]
    hosts = reader.hosts()
    return {
        "inputs": json.dumps(shared, ensure_ascii=False),
        "failures": json.dumps(failures, ensure_ascii=False),
        "sessions": json.dumps(sessions, ensure_ascii=False),
        "hosts": ", ".join(hosts),
        "host_count": len(hosts),
        "schema": SWEEPS.version,
    }
