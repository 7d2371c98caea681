"""A cell of a table: from a number, an `Estimate` or text to the characters shown."""

from dataclasses import dataclass
from math import isfinite
from numbers import Integral, Real

import numpy as np

from finitewidth.estimate import Estimate, short_form

ABSENT = "–"
"""Shown for None: there is no such number, which is not the number 0."""

Value = Estimate | float | int | np.floating | np.integer | str | None
"""What a cell may hold."""


@dataclass(frozen=True)
class Cell:
    """A cell as shown.

    Attributes
    ----------
    text : str
        The characters, without a footnote's mark.
    numeric : bool
        Whether it is a number; None counts as one.
    note : str
        Why the number is not trusted, or empty.
    """

    text: str
    numeric: bool
    note: str = ""


def number(value: float, digits: int = 4, places: int | None = None) -> str:
    """A number with `digits` significant digits, or with `places` decimals if given.

    No digit before the decimal point is dropped below 10⁷; outside 10⁻⁴ … 10⁷ the form is
    ``1.234e+16``, as in an `Estimate`.
    """
    if value == 0:
        return "0" if places is None else f"{0:.{places}f}"
    if places is not None and abs(value) < 1e7:
        return f"{value:z.{places}f}"  # z: no minus sign before a zero
    rounded = f"{value:.{digits - 1}e}"
    power = int(rounded.partition("e")[2])
    if not -4 <= power < 7:
        return rounded
    return f"{value:.{max(digits - 1 - power, 0)}f}"


def cell(value: object, digits: int = 4, places: int | None = None) -> Cell:
    """The cell of a value.

    Raises
    ------
    ValueError
        For a number that is not finite, or an `Estimate` of more than one number.
    TypeError
        For anything but a number, an `Estimate`, text or None.
    """
    if value is None:
        return Cell(ABSENT, numeric=True)
    if isinstance(value, str):
        return Cell(value, numeric=False)
    if isinstance(value, Estimate):
        if np.size(value.value) != 1:
            raise ValueError(
                f"is an Estimate of shape {np.shape(value.value)}, expected a single number; "
                "give each entry a cell of its own."
            )
        text = short_form(np.asarray(value.value).item(), np.asarray(value.std_error).item())
        return Cell(text, numeric=True, note="" if value.trusted else value.note)
    if isinstance(value, Real) and not isinstance(value, bool):
        if not isfinite(value):
            raise ValueError(f"is {value}, expected a finite number; use None where there is none.")
        if isinstance(value, Integral):
            return Cell(str(int(value)), numeric=True)
        return Cell(number(float(value), digits, places), numeric=True)
    raise TypeError(
        f"is {value!r} of type {type(value).__name__}, expected a number, an Estimate, text or "
        "None."
    )
