"""Numbers as they were given: doubles that remember the fraction they stand for."""

from fractions import Fraction
from math import inf, isfinite, log10
from numbers import Integral, Rational, Real
from typing import Any


class Exact(float):
    """The double next to a rational number, which knows that number.

    Parameters
    ----------
    value : Fraction
    """

    fraction: Fraction

    def __new__(cls, value: Fraction) -> "Exact":  # noqa: D102
        number = super().__new__(cls, value)
        number.fraction = value
        return number

    def __reduce__(self) -> tuple[Any, ...]:
        return Exact, (self.fraction,)


def fraction_of(value: Real | float | Fraction) -> Fraction:
    """The number itself; `Fraction` alone takes no float of NumPy, and keeps its fixed integers."""
    if isinstance(value, Exact):
        return value.fraction
    if isinstance(value, Integral):
        return Fraction(int(value))
    return Fraction(value) if isinstance(value, Rational) else Fraction(float(value))


def is_finite(value: Real | float) -> bool:
    """Whether a number is finite; whole numbers of any size are."""
    return isinstance(value, Rational) or isfinite(value)


def double(value: object, name: str) -> float:
    """A number as a double; ±inf beyond its range, `Exact` where it stands for another fraction.

    Raises
    ------
    TypeError
        If it is no real number.
    """
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}, expected a number.")
    try:
        number = float(value)
    except OverflowError:
        return inf if value > 0 else -inf  # type: ignore[operator]
    if isinstance(value, Exact):
        return value
    if isinstance(value, Rational) and Fraction(number) != (exact := fraction_of(value)):
        return Exact(exact)
    return number


def rounded(value: Fraction) -> str:
    """A fraction for a sentence, however large it is."""
    if abs(value) < 10**300:
        return f"{float(value):g}"
    return f"{'-' if value < 0 else ''}10^{log10_of(abs(value)):.4g}"


def log10_of(value: Fraction) -> float:
    """log10 of a positive fraction of any size."""
    return log10(value.numerator) - log10(value.denominator)
