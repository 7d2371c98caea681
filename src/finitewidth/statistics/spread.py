"""The standard deviation of logarithms over networks, with its error by two formulas."""

from math import sqrt

import numpy as np

from finitewidth._shapes import Float
from finitewidth.statistics.jackknife import jackknife


def normal_error(deviation: float, size: int) -> float:
    """The error σ/√(2(n − 1)) of the standard deviation of `size` normal numbers."""
    return deviation / sqrt(2 * (size - 1))


def log_spread_by_moments(values: Float[np.ndarray, " n"]) -> tuple[float, float]:
    """Standard deviation of ln K over networks; its error by the fourth moment (delta method)."""
    logs = np.log(values)
    variance = float(logs.var(ddof=1))
    if variance == 0.0:
        return 0.0, 0.0
    fourth = float(((logs - logs.mean()) ** 4).mean())
    error = max(fourth - variance**2, 0.0) ** 0.5 / (2 * (variance * len(logs)) ** 0.5)
    return variance**0.5, error


def log_spread_by_jackknife(values: Float[np.ndarray, " n"]) -> tuple[float, float]:
    """The same with a jackknife error, for a handful of networks.

    A few can agree by chance, so a normal sample's own error is the least.
    """
    logs = np.log(values)
    if len(logs) == 2:  # leaving one out leaves no spread
        value = float(logs.std(ddof=1))
        return value, value
    value, error = jackknife(lambda left: float(left.std(ddof=1)), logs)
    return value, max(error, normal_error(value, len(logs)))
