"""Curves of many networks as medians and bands, where there are enough networks for them."""

import numpy as np

from finitewidth._shapes import Float
from finitewidth.estimate import Estimate
from finitewidth.report import Band, Curve
from finitewidth.statistics.quantiles import NORMAL, order_statistic, ranks

BAND = (0.1, 0.5, 0.9)

LEAST = 10
"""Networks from which quantiles are shown."""


def median(values: Float[np.ndarray, " size"]) -> Estimate | float:
    """The median over networks, with its error (order statistics) where there are enough."""
    if len(values) < LEAST:
        return float(np.median(values))
    ordered = np.sort(values)
    middle, low, high = (order_statistic(ordered, rank) for rank in ranks(0.5, len(values)))
    return Estimate(middle, (high - low) / (2 * NORMAL), len(values), "order statistics")


def limits(values: Float[np.ndarray, "size ..."]) -> Float[np.ndarray, "3 ..."]:
    """Low, middle and high: the quantiles `BAND`, or smallest, median and largest of a few."""
    if len(values) < LEAST:
        return np.stack([values.min(axis=0), np.median(values, axis=0), values.max(axis=0)])
    return np.quantile(values, BAND, axis=0)


def with_band(values: Float[np.ndarray, " size"]) -> str | float:
    """One number, or the median of many with their spread."""
    if len(values) == 1:
        return float(values[0])
    low, _, high = limits(values)
    middle = median(values)
    shown = f"{middle:.3g}" if isinstance(middle, float) else str(middle)
    return f"{shown} [{low:.2g}, {high:.2g}]"


def of_networks(label: str, values: Float[np.ndarray, "size T"]) -> Band | Curve:
    """Networks' curves as a band, or as a line if there is one network."""
    steps = np.arange(values.shape[1])
    if len(values) == 1:
        return Curve(label, steps, values[0])
    return Band(label, steps, *limits(values))


def in_words(size: int) -> str:
    """What a line and its band are."""
    if size == 1:
        return "One network."
    if size < LEAST:
        return f"Median, smallest and largest of {size} networks."
    return f"Median and {100 * BAND[0]:g}–{100 * BAND[2]:g} % band of {size} networks."
