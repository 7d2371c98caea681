"""Averages over networks as a table with a row an input: diagonal entries K(x_a, x_a)."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from finitewidth.estimate import Estimate
from finitewidth.report import Table

ROWS = 8
"""Inputs with a row of their own."""

Column = Estimate | np.ndarray
"""Of shape [B, B] or [B]."""


def existing(averages: Mapping[str, Callable[[], Estimate]]) -> dict[str, Estimate]:
    """Those that exist: the others need more networks, or a mean that is not 0."""
    found = {}
    for name, average in averages.items():
        try:
            found[name] = average()
        except ValueError:
            continue
    return found


def entry(found: Column, a: int) -> Estimate | float:
    """That of input a, of an array of shape [B, B] or [B]."""
    place = (a,) * np.ndim(found.value if isinstance(found, Estimate) else found)
    if not isinstance(found, Estimate):
        return float(found[place])
    return replace(found, value=float(found.value[place]), std_error=float(found.std_error[place]))


def table(title: str, columns: Mapping[str, Column], count: int, caption: str) -> Table:
    """A row an input.

    Parameters
    ----------
    title : str
    columns : mapping of str to Column
        By heading.
    count : int
        B; the first 8 are shown.
    caption : str
    """
    if count > ROWS:
        caption += f" The first {ROWS} of {count} inputs."
    rows = [
        [a, *(entry(column, a) for column in columns.values())] for a in range(min(count, ROWS))
    ]
    return Table(title, ["input", *columns], rows, caption)
