"""The standard deviation of logarithms over networks, with its error by two formulas."""

from math import sqrt

import numpy as np

from finitewidth._shapes import Float
from finitewidth.estimate import Estimate
from finitewidth.statistics.jackknife import jackknife


def normal_error(deviation: float, size: int) -> float:
    """The error σ/√(2(n − 1)) of the standard deviation of `size` normal numbers."""
    return deviation / sqrt(2 * (size - 1))


def log_spread_by_moments(values: Float[np.ndarray, " n"], method: str) -> Estimate:
    """Standard deviation of ln K over networks; its error by the fourth moment (delta method)."""
    logs = np.log(values)
    variance = float(logs.var(ddof=1))
    if variance == 0.0:
        return Estimate(0.0, 0.0, len(logs), method)
    fourth = float(((logs - logs.mean()) ** 4).mean())
    error = max(fourth - variance**2, 0.0) ** 0.5 / (2 * (variance * len(logs)) ** 0.5)
    return Estimate(variance**0.5, error, len(logs), method)


def log_spread_by_jackknife(values: Float[np.ndarray, " n"], method: str) -> Estimate:
    """The same with a jackknife error, for a handful of networks.

    A few can agree by chance, so a normal sample's own error is the least.
    """
    logs = np.log(values)
    size = len(logs)
    if size == 2:  # leaving one out leaves no spread
        value = float(logs.std(ddof=1))
        return Estimate(value, value, size, method)
    value, error = jackknife(lambda left: float(left.std(ddof=1)), logs)
    return Estimate(value, max(error, normal_error(value, size)), size, method)
