"""Quantiles of a sample and how far they can be off, whatever the law of its numbers.

The number of values below the true quantile q of n is binomial, so the values at the ranks
q n ± z √(q(1−q) n) enclose it at about z standard errors. No moment of the values is needed.
"""

from math import ceil, sqrt

import numpy as np

from finitewidth._shapes import Float
from finitewidth.statistics.log_histogram import LogHistogram

NORMAL = 1.959963984540054
"""The normal quantile of intervals that hold the truth in 95 %."""


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
            f"sample; draw at least {_enough(tail)}."
        )
    return level * size, low, high


def _enough(tail: float) -> str:
    """A size whose interval is inside the sample."""
    return f"{6 / max(tail, 1e-300):.1g}" if tail < 1e-12 else str(ceil(6 / tail))


def order_statistic(values: Float[np.ndarray, " n"], rank: float) -> float:
    """The value at a rank, 1 … n, of a sorted sample; the next one if between two."""
    return float(values[min(max(int(np.ceil(rank)), 1), len(values)) - 1])


def one_error(histogram: LogHistogram, level: float) -> tuple[float, float] | None:
    """A quantile in logarithmic bins and its standard error; None where two leave the sample.

    The error is half the distance of the values one standard error of the rank away, each at the
    far end of its bin. What no bin holds is 0.
    """
    size = histogram.size
    spread = sqrt(level * (1 - level) * size)
    if level * size - 2 * spread < 1 or level * size + 2 * spread > size - 1:
        return None
    around = (histogram.log2_around(level * size + step) for step in (-spread, 0.0, spread))
    low, value, high = (2.0 ** one[place] for place, one in enumerate(around))
    return value, (high - low) / 2


def median(values: Float[np.ndarray, " n"]) -> tuple[float, float]:
    """The median and its error, half the distance of the quantiles 1/2 ± 1/(2√n)."""
    half = 0.5 / sqrt(len(values))
    low, middle, high = np.quantile(values, [0.5 - half, 0.5, 0.5 + half])
    return float(middle), float(high - low) / 2
