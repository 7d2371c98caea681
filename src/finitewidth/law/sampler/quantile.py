"""Quantiles of K with confidence intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finitewidth._shapes import Float
from finitewidth.estimate import Estimate
from finitewidth.statistics.log_histogram import LogHistogram
from finitewidth.statistics.quantiles import NORMAL, order_statistic, ranks


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


def from_sorted(values: Float[np.ndarray, " n"], levels: Float[np.ndarray, "..."]) -> Quantile:
    """Quantiles as order statistics of a sorted sample."""
    return _gathered(
        levels, len(values), lambda rank: order_statistic(values, rank), "order statistics"
    )


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


Levels = float | Sequence[float] | Float[np.ndarray, "..."]
