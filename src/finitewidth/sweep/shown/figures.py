"""Figures of a sweep: an observable against an axis, a line for every combination of others."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from finitewidth.report import Curve, Plot, Points
from finitewidth.sweep.shown.results import SHOWN

if TYPE_CHECKING:
    import xarray

LINES = 6
"""Lines of a figure: so many can be told apart."""

WIDE = 4.0
"""Largest over smallest number from which an axis is logarithmic."""


def figure(finished: "xarray.Dataset", name: str) -> Plot | None:
    """An observable against the axis of numbers that has most values; None without one."""
    numbers = [
        str(axis)
        for axis in finished.coords
        if finished[axis].dtype.kind in "iuf" and len(np.unique(finished[axis])) > 1
    ]
    if not numbers:
        return None
    across = max(numbers, key=lambda axis: len(np.unique(finished[axis])))
    lines = list(_lines(finished, name, across))
    if not lines:
        return None
    shown, column = lines[:LINES], SHOWN[name]
    x = np.unique(finished[across])
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


def _lines(finished: "xarray.Dataset", name: str, across: str) -> Iterator[Curve | Points]:
    """A line for every combination of the other axes."""
    others = [str(axis) for axis in finished.coords if axis != across]
    keys: dict[tuple, list[int]] = {}
    for place in range(finished.sizes["cell"]):
        if np.isfinite(float(finished[name][place])):
            key = tuple(finished[axis].values[place].item() for axis in others)
            keys.setdefault(key, []).append(place)
    for key, places in keys.items():
        label = ", ".join(said(axis, value) for axis, value in zip(others, key, strict=True))
        one = finished.isel(cell=sorted(places, key=lambda place: float(finished[across][place])))
        errors: Any = one[f"{name}_std_error"].values
        x, y = one[across].values.astype(float), one[name].values
        if (errors == 0).all():
            yield Curve(label or "cells", x, y, marked=True)
        else:
            yield Points(label or "cells", x, y, errors, one[f"{name}_trusted"].values)


def said(axis: str, value: Any) -> str:
    """An axis with its value, e.g. ``depth 5``; texts speak for themselves."""
    return value if isinstance(value, str) else f"{axis.replace('_', ' ')} {value}"
