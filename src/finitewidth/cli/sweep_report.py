"""`finitewidth sweep report`: the results of a store as a page, with figures."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from finitewidth.cli.sweep_view import SHOWN, by_cell, results_table
from finitewidth.report import Curve, Page, Plot, Points, Provenance, Section

if TYPE_CHECKING:
    import xarray

LINES = 6
"""Lines of a figure: so many can be told apart."""

MOST = 5000
"""Rows of the table; more make a page that no browser likes."""

WIDE = 4.0
"""Largest over smallest number from which an axis is logarithmic."""


def page(store: str) -> Page:
    """Counts, a figure for each observable, the table of all finished cells, and provenance.

    Parameters
    ----------
    store : str
        The SQLite file.

    Raises
    ------
    ValueError
        As `finitewidth.sweep.open`, and if no cell is finished.
    """
    from finitewidth.sweep import open as open_store

    found = open_store(store)
    cells, finished = found.complete.size, int(found.complete.sum())
    flat = by_cell(found)
    names = [name for name in SHOWN if name in flat]
    if not finished or not names:
        raise ValueError(f"no cell of {store} is finished yet; there is nothing to report.")
    flat = flat.isel(cell=np.flatnonzero(flat.complete.values))
    failures = json.loads(found.attrs["failures"])
    lead = [f"{finished} of {cells} cells are finished, {len(failures)} failed."]
    figures = [plot for plot in (figure(flat, name) for name in names) if plot is not None]
    sections = [Section("Figures", figures)] if figures else []
    sections.append(Section("All finished cells", [results_table(flat, names, MOST, store)]))
    inputs = json.loads(found.attrs["inputs"])
    sessions = json.loads(found.attrs["sessions"])
    same = ", ".join(f"{name} {value}" for name, value in inputs.items() if name != "seed")
    sections.append(Section("The same in all cells", [same + "."]))
    facts = {"store": Path(store).name, "computed on": f"{found.attrs['host_count']} machine(s)"}
    if sessions:
        facts |= {"last run": sessions[-1]["time"], "commit": str(sessions[-1]["commit"])[:12]}
    return Page(f"Sweep {Path(store).name}", lead, sections,
                Provenance.now(inputs.get("seed"), **facts))  # fmt: skip


def figure(flat: "xarray.Dataset", name: str) -> Plot | None:
    """An observable against the axis of numbers that has most values; None without one."""
    numbers = [
        str(axis)
        for axis in flat.coords
        if flat[axis].dtype.kind in "iuf" and len(np.unique(flat[axis])) > 1
    ]
    if not numbers:
        return None
    across = max(numbers, key=lambda axis: len(np.unique(flat[axis])))
    lines = list(_lines(flat, name, across))
    if not lines:
        return None
    shown, column = lines[:LINES], SHOWN[name]
    x = np.unique(flat[across])
    values = np.concatenate([np.atleast_1d(line.y) for line in shown])
    left = "" if len(lines) <= LINES else f" The first {LINES} of {len(lines)} lines."
    return Plot(
        title=column.name,
        sentence=f"{column.meaning or column.name} against the {across.replace('_', ' ')}; one "
        f"standard error, hollow where it cannot be trusted.{left}",
        x_label=across.replace("_", " "),
        y_label=column.name,
        series=shown,
        log_x=bool(x[0] > 0 and x[-1] >= WIDE * x[0]),
        log_y=bool(values.min() > 0 and values.max() >= WIDE**2 * values.min()),
        x_ticks=[float(tick) for tick in x] if len(x) <= LINES else None,
    )


def _lines(flat: "xarray.Dataset", name: str, across: str) -> Iterator[Curve | Points]:
    """A line for every combination of the other axes."""
    others = [str(axis) for axis in flat.coords if axis != across]
    keys: dict[tuple, list[int]] = {}
    for place in range(flat.sizes["cell"]):
        if np.isfinite(float(flat[name][place])):
            key = tuple(flat[axis].values[place].item() for axis in others)
            keys.setdefault(key, []).append(place)
    for key, places in keys.items():
        label = ", ".join(_said(axis, value) for axis, value in zip(others, key, strict=True))
        one = flat.isel(cell=sorted(places, key=lambda place: float(flat[across][place])))
        errors: Any = one[f"{name}_std_error"].values
        x, y = one[across].values.astype(float), one[name].values
        if (errors == 0).all():
            yield Curve(label or "cells", x, y, marked=True)
        else:
            yield Points(label or "cells", x, y, errors, one[f"{name}_trusted"].values)


def _said(axis: str, value: Any) -> str:
    return value if isinstance(value, str) else f"{axis.replace('_', ' ')} {value}"
