"""Averages over networks with jackknife errors, and when such an error deserves trust.

The kernel of a deep network is close to log-normal. Its moments are carried by rare networks, and
a sample without them has a mean and a standard error that are both too small. What betrays this
is the effective number of networks, (Σ|q|)²/Σq² for the average of q: n for equal q, few if a few
dominate. A part that all networks share, such as the output bias's 1 in K_b, hides them: for a mean
the deviations from the median are looked at as well.
"""

import numpy as np

from finitewidth._shapes import Float
from finitewidth.estimate import Estimate
from finitewidth.statistics.carriers import deviating, effective_number
from finitewidth.statistics.jackknife import jackknife_of_sums
from finitewidth.statistics.trust import few_carry

# Effective numbers of networks asked for: means and variances, and moments about 0. At log-normal
# kernels of any spread and 30 to 10,000 networks, an average that passes is wrong by more than 5
# of its standard errors in at most 6 of 100 ensembles (tests/simulate/test_trust.py); without the
# rule it is in up to 98.
FOR_MEANS = 30
FOR_MOMENTS = 100

# For a mean, the effective number of networks by deviations from the median; a third of the
# networks if that is less (normal ones have 0.64 of them). At width 2, where most layers die and
# K_b is 1 but for rare networks, means of 20,000 networks at depth 12 are 1 to 12 standard errors
# too low with 8 to 33 such networks, while K_b itself counts as carried by 24 to 226.
FOR_DEVIATIONS = 50


def for_deviations(size: int) -> float:
    """How many of these a mean of `size` networks takes."""
    return min(FOR_DEVIATIONS, size / 3)


def estimate(
    value: np.ndarray,
    std_error: np.ndarray,
    terms: Float[np.ndarray, "size ..."],
    needed: int,
    way_out: str,
    method: str,
) -> Estimate:
    """The `Estimate` of an average of `terms`, trusted if enough networks carry it.

    Parameters
    ----------
    value, std_error : array
        The numbers.
    terms : array of shape [size, …]
        What was averaged.
    needed : int
        Effective number of networks asked for.
    way_out : str
        What to use instead of an estimate that is not trusted; the end of a sentence.
    method : str
        As in `Estimate`.
    """
    effective = float(effective_number(terms).min())
    note = few_carry(effective, len(terms), needed, "this average", way_out)
    return Estimate(value, std_error, size=len(terms), method=method, exact=True).doubted(note)


def several(size: int) -> None:
    """Raise a ValueError if there are too few networks for any standard error."""
    if size < 2:
        raise ValueError(
            "a single network has no standard error; draw size=2 networks or more, or read the "
            "arrays of the result themselves."
        )


def mean(
    samples: Float[np.ndarray, "size ..."], needed: int, way_out: str, method: str
) -> Estimate:
    """The average over the first axis with its standard error."""
    several(len(samples))
    std_error = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    found = estimate(samples.mean(axis=0), std_error, samples, needed, way_out, method)
    if not found.trusted:
        return found
    apart, least = float(deviating(samples).min()), for_deviations(len(samples))
    what = "what this average differs by from the median"
    return found.doubted(few_carry(apart, len(samples), least, what, way_out))


def variance(samples: Float[np.ndarray, "size ..."], way_out: str, method: str) -> Estimate:
    """The unbiased variance over the first axis, with a jackknife error."""
    several(len(samples))
    if len(samples) == 2:
        raise ValueError("the error of a variance takes 3 networks or more; raise size.")
    centred = samples - samples.mean(axis=0)
    terms = np.stack([centred, centred**2])

    def statistic(sums: np.ndarray, size: int) -> np.ndarray:
        return (sums[1] - sums[0] ** 2 / size) / (size - 1)

    value, std_error = jackknife_of_sums(statistic, terms.sum(axis=1), terms)
    return estimate(value, std_error, terms[1], FOR_MEANS, way_out, method)


def dispersion(samples: Float[np.ndarray, "size ..."], way_out: str, method: str) -> Estimate:
    """E q²/(E q)² over the first axis, with a jackknife error.

    Raises
    ------
    ValueError
        If a mean is 0, where the ratio has no meaning.
    """
    several(len(samples))
    centre = samples.mean(axis=0)
    if (centre == 0).any():
        raise ValueError(
            "the dispersion E K²/(E K)² is not defined because the mean of K is 0; choose an "
            "input, or a part of the kernel, that is not 0."
        )
    scaled = samples / centre
    terms = np.stack([scaled, scaled**2])

    def statistic(sums: np.ndarray, size: int) -> np.ndarray:
        return size * sums[1] / sums[0] ** 2

    value, std_error = jackknife_of_sums(statistic, terms.sum(axis=1), terms)
    return estimate(value, std_error, terms[1], FOR_MOMENTS, way_out, method)
