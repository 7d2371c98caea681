"""`Estimate`: a number that was sampled or approximated, with its error."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np


def short_form(value: float, std_error: float) -> str:
    """Value with the error of its last digits in brackets: ``1.2832(41)``, ``-35.9(4)``.

    Two digits of error when they start with 1, else one, and the value to the same place; no
    bracket for an error of 0, and ``0±2.4e-19`` where the bracket would need dozens of digits.
    """
    if not std_error > 0:
        return f"{value:.10g}"
    leading, exponent = _scientific(std_error)
    digits = 2 if leading < 1.95 else 1
    places, error = digits - 1 - exponent, round(leading * 10 ** (digits - 1))
    if error >= 10**digits:  # the rounding carried, 0.096 -> 0.1
        places, error = places - 1, 1
    units = int(Decimal(float(value)).scaleb(places).to_integral_value())  # of the last place
    if units == 0 and not 1e-4 <= std_error < 1e7:
        return f"0±{std_error:.2g}"
    if std_error < 1e-16 * abs(value):  # below the digits of a double
        return f"{value:.16g}±{std_error:.2g}"
    # 9.9996e7 to four digits is 1.000e8: the power is that of the rounded value
    sign, shown = "-" if units < 0 else "", str(abs(units))
    power = len(shown) - 1 - places
    if units != 0 and not -4 <= power < 7:
        return f"{sign}{'.'.join(filter(None, (shown[0], shown[1:])))}({error})e{power:+03d}"
    if places < 0:
        return f"{units * 10**-places}({error * 10**-places})"
    last = f"{error / 10.0**places:.{places}f}" if std_error >= 1 else str(error)
    return f"{value:.{places}f}({last})"


def _scientific(number: float) -> tuple[float, int]:
    """Mantissa and exponent to the base 10."""
    mantissa, _, exponent = f"{number:.15e}".partition("e")
    return float(mantissa), int(exponent)


@dataclass(frozen=True)
class Estimate:
    """A quantity with its standard error and where it comes from.

    Attributes
    ----------
    value, std_error : float or array
        The estimate and its standard error: finite, of one shape. The error of an exact value
        is 0.
    size : int
        Number of independent samples behind it (networks, not kernel entries); 0 for formulas.
    method : str
        How it was obtained, e.g. ``"dense"``.
    exact : bool
        Whether the value is exact up to rounding and its standard error.
    trusted : bool
        False where the standard error itself cannot be relied on; `note` says why and what to
        use instead.
    note : str
        One sentence for the reader, or empty.

    Raises
    ------
    ValueError
        If value and error are not finite or differ in shape, or an error is negative, or an
        untrusted estimate has no note.
    """

    value: Any
    std_error: Any
    size: int
    method: str
    exact: bool = False
    trusted: bool = True
    note: str = ""

    def __post_init__(self) -> None:
        value, error = np.asarray(self.value), np.asarray(self.std_error)
        if value.shape != error.shape:
            raise ValueError(
                f"value has shape {value.shape} and std_error {error.shape}, expected one shape."
            )
        if not (np.isfinite(value).all() and np.isfinite(error).all()):
            raise ValueError(
                f"the estimate by {self.method!r} is not finite (value {self.value}, std_error "
                f"{self.std_error}); use more samples or the log-scale form."
            )
        if (error < 0).any():
            raise ValueError(f"std_error is {self.std_error}, expected 0 or more.")
        if not self.trusted and not self.note:
            raise ValueError("an estimate that is not trusted needs a note that says why.")

    def z(self, reference: Any) -> Any:
        """(value − reference)/std_error, the distance from a known value in standard errors."""
        return (np.asarray(self.value) - reference) / np.asarray(self.std_error)

    def doubted(self, note: str) -> "Estimate":
        """The same, not trusted for the reason in `note`; itself where that is empty."""
        if not note:
            return self
        return replace(self, trusted=False, note=f"{self.note} {note}".strip())

    def __str__(self) -> str:
        value, error = np.asarray(self.value), np.asarray(self.std_error)
        mark = "" if self.trusted else " (not trusted)"
        if value.ndim == 0:
            return short_form(float(value), float(error)) + mark
        form = np.vectorize(short_form, otypes=[object])(value, error)
        return np.array2string(form, formatter={"all": str}) + mark
