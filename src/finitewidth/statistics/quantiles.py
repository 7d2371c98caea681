"""Quantiles with their intervals, from order statistics or logarithmic bins.

The number of values below the true quantile q of n is binomial, so the values at the ranks
q n ± z √(q(1−q) n) enclose it at about z standard errors, whatever the law. No moment of the
values is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from finitewidth._shapes import Float
from finitewidth.estimate import Estimate
from finitewidth.statistics.log_histogram import LogHistogram

LEVEL, NORMAL = 0.95, 1.959963984540054
"""Confidence level of the intervals, and the normal quantile that goes with it."""


@dataclass(frozen=True)
class Quantile(Estimate):
    """A quantile with its confidence interval.

    Attributes
    ----------
    low, high : float or array
        95 % interval: the order statistics of rank q n ∓ 1.96 √(q(1−q) n). `std_error` is half its
        width over 1.96.
    """

    low: Any = 0.0
    high: Any = 0.0


def checked_levels(q: object) -> Float[np.ndarray, "..."]:
    """q as an array.

    Raises
    ------
    ValueError
        Unless every entry lies strictly between 0 and 1.
    TypeError
        If it holds no numbers.
    """
    try:
        levels = np.asarray(q, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"q is {q!r}, expected numbers between 0 and 1.") from None
    if levels.size == 0 or not ((levels > 0) & (levels < 1)).all():
        raise ValueError(f"q is {q!r}, expected numbers strictly between 0 and 1, such as 0.5.")
    return levels


def ranks(level: float, size: int) -> tuple[float, float, float]:
    """Ranks (1 … size) of the quantile and of the two ends of its interval.

    Raises
    ------
    ValueError
        If the sample is too small for the interval.
    """
    spread = NORMAL * sqrt(level * (1 - level) * size)
    low, high = level * size - spread, level * size + spread + 1
    if low < 1 or high > size:
        tail = min(level, 1 - level)
        raise ValueError(
            f"{size} networks are too few for the quantile {level:g}: its interval leaves the "
            f"sample; draw at least {int(np.ceil(6 / tail))}."
        )
    return level * size, low, high


def from_sorted(values: Float[np.ndarray, " n"], levels: Float[np.ndarray, "..."]) -> Quantile:
    """Quantiles as order statistics of a sorted sample."""

    def at(rank: float) -> float:
        return float(values[min(max(int(np.ceil(rank)), 1), len(values)) - 1])

    return _gathered(levels, len(values), at, "order statistics")


def from_histogram(
    histogram: LogHistogram, levels: Float[np.ndarray, "..."], dead_value: float
) -> Quantile:
    """Quantiles interpolated in logarithmic bins; `dead_value` for dead networks."""

    def at(rank: float) -> float:
        log2 = histogram.log2_at(rank)
        if log2 == -np.inf:
            return dead_value
        if log2 >= 1024.0:
            raise ValueError(
                f"a quantile is 2^{log2:.6g}, above the range of a double; use log_quantile."
            )
        return 2.0**log2

    return _gathered(levels, histogram.size, at, _in_bins(histogram))


def log_from_histogram(
    histogram: LogHistogram, levels: Float[np.ndarray, "..."], log_dead: float
) -> Quantile:
    """Quantiles of ln K; `log_dead` for dead networks (−inf where their K is 0)."""

    def at(rank: float) -> float:
        log2 = histogram.log2_at(rank)
        return log_dead if log2 == -np.inf else log2 * float(np.log(2.0))

    return _gathered(levels, histogram.size, at, _in_bins(histogram))


def _in_bins(histogram: LogHistogram) -> str:
    return f"histogram, {histogram.bins_per_octave} bins an octave"


def _gathered(levels: Any, size: int, at: Any, method: str) -> Quantile:
    found = np.array([[at(r) for r in ranks(level, size)] for level in np.atleast_1d(levels).flat])
    if not np.isfinite(found).all():
        raise ValueError(
            "this quantile is 0, which has no logarithm; ask for the plain quantile, or for a "
            "higher one."
        )
    value, low, high = (
        column.reshape(np.shape(levels)) if np.ndim(levels) else float(column[0])
        for column in found.T
    )
    return Quantile(
        value, (high - low) / (2 * NORMAL), size, method, exact=False, low=low, high=high
    )


def one_error(histogram: LogHistogram, level: float) -> tuple[float, float] | None:
    """A quantile in logarithmic bins and its standard error; None where two leave the sample.

    The error is half the distance of the values one standard error of the rank away, and at least
    a bin's width over √12. What no bin holds is 0.
    """
    size, bins = histogram.size, histogram.bins_per_octave
    spread = sqrt(level * (1 - level) * size)
    if level * size - 2 * spread < 1 or level * size + 2 * spread > size - 1:
        return None
    low, value, high = (
        2.0 ** histogram.log2_at(level * size + step) for step in (-spread, 0.0, spread)
    )
    return value, max((high - low) / 2, value * (2.0 ** (1 / bins) - 1) / sqrt(12))


def median(values: Float[np.ndarray, " n"]) -> tuple[float, float]:
    """The median and its error, half the distance of the quantiles 1/2 ± 1/(2√n)."""
    half = 0.5 / sqrt(len(values))
    low, middle, high = np.quantile(values, [0.5 - half, 0.5, 0.5 + half])
    return float(middle), float(high - low) / 2


Levels = float | Sequence[float] | Float[np.ndarray, "..."]
