"""Quantiles of K with confidence intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np

from finitewidth._shapes import Float
from finitewidth.estimate import Estimate
from finitewidth.statistics.ordered import Ordered
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
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"q is {q!r}, expected numbers between 0 and 1.") from None
    if levels.size == 0 or not ((levels > 0) & (levels < 1)).all():
        raise ValueError(f"q is {q!r}, expected numbers strictly between 0 and 1, such as 0.5.")
    return levels


def from_sorted(values: Float[np.ndarray, " n"], levels: Float[np.ndarray, "..."]) -> Quantile:
    """Quantiles as order statistics of a sorted sample."""

    def at(rank: float) -> tuple[float, float, float]:
        value = order_statistic(values, rank)
        return value, value, value

    return _gathered(levels, len(values), at, "order statistics")


def from_ordered(ordered: Ordered, levels: Float[np.ndarray, "..."], dead_value: float) -> Quantile:
    """Quantiles of numbers given by log2; `dead_value` for dead networks.

    Where they were counted, the ends of the interval are those of their cells: the interval and
    the error hold what the counting does not know.
    """

    def plain(log2: float) -> float:
        if log2 == -np.inf:
            return dead_value
        if log2 >= 1024.0:
            raise ValueError(
                f"a quantile is 2^{log2:.6g}, above the range of a double; use log_quantile."
            )
        return 2.0**log2

    def at(rank: float) -> tuple[float, ...]:
        return tuple(plain(log2) for log2 in ordered.log2_around(rank))

    return _gathered(levels, ordered.size, at, ordered.method)


def log_from_ordered(
    ordered: Ordered, levels: Float[np.ndarray, "..."], log_dead: float
) -> Quantile:
    """Quantiles of ln K; `log_dead` for dead networks (−inf where their K is 0)."""

    def at(rank: float) -> tuple[float, ...]:
        return tuple(
            log_dead if log2 == -np.inf else log2 * log(2.0) for log2 in ordered.log2_around(rank)
        )

    return _gathered(levels, ordered.size, at, ordered.method)


def _gathered(
    levels: Any, size: int, at: Callable[[float], tuple[float, ...]], method: str
) -> Quantile:
    """Quantiles from what is known of a number by its rank: no less than, about, no more than."""
    found = np.array(
        [
            [at(rank)[place] for rank, place in zip(ranks(level, size), (1, 0, 2), strict=True)]
            for level in np.atleast_1d(levels).flat
        ]
    )
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
