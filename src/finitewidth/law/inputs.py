"""What the law needs of the input: its power sums, read and checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import fsum, log10
from numbers import Rational, Real

import numpy as np

from finitewidth.network import MLP
from finitewidth.network.exact import fraction_of, is_finite, rounded

ORDERS = (2, 4, 6, 8)
RANGE = Fraction(1, 10**300), Fraction(10**300)


@dataclass(frozen=True)
class PowerSums:
    """Σ_i x_i^(2m) for m = 1, 2, 3, 4, as far as they were given.

    Only |x|² matters for Gaussian weights; other laws need the higher ones.
    """

    values: tuple[Fraction, ...]

    def __call__(self, order: int) -> Fraction:
        """Σ_i x_i^order.

        Raises
        ------
        ValueError
            If the quantity needs a power sum that was not given.
        """
        place = order // 2 - 1
        if place >= len(self.values):
            raise ValueError(
                f"this quantity needs |x|_{order}^{order}, but power_sums holds {len(self.values)} "
                f"numbers; give {place + 1}: |x|_2^2, |x|_4^4, … , or the input x itself."
            )
        return self.values[place]


def from_vector(net: MLP, x: object) -> PowerSums:
    """Power sums of an input of shape [n_in].

    Raises
    ------
    ValueError
        For a wrong shape, entries that are not finite, or an input of zeros.
    TypeError
        For entries that are not numbers.
    """
    if isinstance(x, np.ndarray) and x.dtype == object and x.ndim == 1:
        x = x.tolist()
    if isinstance(x, list | tuple) and x and all(isinstance(e, Rational) for e in x):
        _check_length(net, (len(x),))
        return _checked(tuple(sum((fraction_of(e) ** p for e in x), Fraction(0)) for p in ORDERS))
    try:
        given = np.asarray(x)
        array = given.astype(np.float64, casting="unsafe") if given.dtype.kind in "fiubO" else None
    except (TypeError, ValueError):
        array = None
    if array is None:
        raise TypeError(f"x is {type(x).__name__}, expected {net.n_in} numbers (shape [n_in]).")
    _check_length(net, array.shape)
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        raise ValueError(f"x[{bad[0]}] is {array[bad[0]]}, expected finite numbers only.")
    # in units of a power of two near the largest entry, so that no power leaves the doubles
    unit = Fraction(2) ** (int(np.frexp(np.abs(array).max(initial=0.0))[1]) - 1)
    scaled = np.abs(array) / float(unit)  # NumPy's powers of −x and x may differ in the last bit
    return _checked(tuple(Fraction(fsum(scaled**p)) * unit**p for p in ORDERS))


def _check_length(net: MLP, shape: tuple[int, ...]) -> None:
    if shape != (net.n_in,):
        raise ValueError(
            f"x has shape {list(shape)}, expected [{net.n_in}] (one input; n_in is {net.n_in})."
        )


def from_sums(sums: Sequence[object]) -> PowerSums:
    """Power sums given as (|x|_2^2[, |x|_4^4[, |x|_6^6[, |x|_8^8]]]).

    Raises
    ------
    ValueError, TypeError
        If they are not 1 to 4 positive numbers that some input has.
    """
    if not isinstance(sums, list | tuple | np.ndarray) or not 1 <= len(sums) <= 4:
        raise TypeError(
            f"power_sums is {sums!r}, expected a tuple of 1 to 4 numbers (|x|_2^2, |x|_4^4, …)."
        )
    numbers: list[Fraction] = []
    for value in sums:
        if not isinstance(value, Real) or isinstance(value, bool) or not is_finite(value):
            raise TypeError(f"power_sums holds {value!r}, expected finite numbers.")
        numbers.append(fraction_of(value))
    return _checked(tuple(numbers))


def _checked(values: tuple[Fraction, ...]) -> PowerSums:
    if values[0] <= 0:
        raise ValueError(
            f"|x|² is {rounded(values[0])}, expected an input that is not zero: without it every "
            "pre-activation is 0 and the kernel is that of the biases alone."
        )
    if not RANGE[0] <= values[0] <= RANGE[1]:
        raise ValueError(
            f"|x|² is 10^{log10(values[0].numerator) - log10(values[0].denominator):.4g}, outside "
            "the range of a double; scale the input (K_w is proportional to |x|²)."
        )
    for place in range(1, len(values)):
        if values[place] == 0:
            raise ValueError(
                f"power sum {place + 1} is 0 beside |x|² = {rounded(values[0])}, which no input "
                "has; leave it out, or give |x|_4^4 and so on in units that a double holds."
            )
        square, below = values[place - 1] ** 2, values[place - 2] if place > 1 else None
        if values[place] <= 0 or (below is not None and values[place] * below < square * _SLACK):
            raise ValueError(
                f"power sum {place + 1} is {rounded(values[place])}, which no input has together "
                "with the ones before it (Cauchy–Schwarz)."
            )
        if place == 1 and values[1] > square / _SLACK:
            raise ValueError(
                f"|x|_4^4 is {rounded(values[1])}, above |x|_2^2 squared ({rounded(square)}); "
                "give the power sums in the order |x|_2^2, |x|_4^4, …"
            )
    return PowerSums(values)


_SLACK = 1 - Fraction(1, 10**9)
"""Sums computed in doubles may miss an inequality that holds with equality by rounding."""
