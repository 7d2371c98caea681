"""Standard errors of a function of a sample, from its values without one part at a time."""

from collections.abc import Callable
from math import sqrt

import numpy as np

from finitewidth._shapes import Float


def error_of_left_out(without: Float[np.ndarray, " n"]) -> float:
    """The jackknife's error √((n − 1) · variance) from the n values without one part each."""
    return sqrt((len(without) - 1) * float(np.var(without)))


def jackknife(
    statistic: Callable[[np.ndarray], float], values: Float[np.ndarray, " n"]
) -> tuple[float, float]:
    """Value and standard error of a function of numbers, computed anew without each."""
    without = np.array([statistic(np.delete(values, i)) for i in range(len(values))])
    return float(statistic(values)), error_of_left_out(without)


def jackknife_of_sums(
    statistic: Callable[[Float[np.ndarray, "..."], int], Float[np.ndarray, "..."]],
    sums: Float[np.ndarray, "..."],
    terms: Float[np.ndarray, "k size ..."],
) -> tuple[np.ndarray, np.ndarray]:
    """Value without its bias of order 1/size, and standard error, of a function of sums.

    Parameters
    ----------
    statistic : callable
        Takes the k sums and the number of networks in them.
    sums : array of shape [k, …]
        Sums over all networks.
    terms : array of shape [k, size, …]
        What each network contributes to them.
    """
    size = terms.shape[1]
    full = statistic(sums, size)
    without = statistic(sums[:, None] - terms, size - 1)
    centre = without.mean(axis=0)
    spread = ((without - centre) ** 2).sum(axis=0) * (size - 1) / size
    return size * full - (size - 1) * centre, np.sqrt(spread)
