"""Averages over seeds with their errors, and when an error cannot be trusted."""

from collections.abc import Callable
from math import ceil, sqrt

import numpy as np

from finitewidth._shapes import Float
from finitewidth.estimate import Estimate
from finitewidth.statistics import quantiles
from finitewidth.statistics.carriers import effective_number
from finitewidth.statistics.jackknife import jackknife

METHOD = "measured"

CARRIERS = 20.0
"""Seeds, by (Σ|q|)²/Σq², that must carry an average of q for its standard error to be trusted.

Chosen by simulation: variances and dispersions of log-normal K, alone or averaged over 2 or 10
inputs, log-sd 0.05 to 0.75, 16 to 128 seeds. Wherever nine in ten samples pass, the value ± 2
errors holds the truth in 82 % of those or more, as with 25 or 30 carriers; with 15 it is 78 %, with
10 75 %, without a rule 62 %. At most 22 % of samples pass and miss (21 % with 30). At 32 seeds 30
would pass only samples that are even by chance, which miss most.
"""

EVEN = 0.15
"""Relative spread up to which K is as good as normal, and `FEW_CARRIERS` do for second orders."""

FEW_CARRIERS = 10.0
"""The same simulation, normal and log-normal K of spread 0.03 to 1.5, 3 to 128 seeds: 11 or 12
seeds of a spread up to 0.1 all pass and hold the truth in 85 %, which is more than the 82 % asked
of many seeds of a large spread. At most 22 % of samples pass and miss, whatever the spread.
"""


def of_two(size: int) -> str:
    """The note of an error that rests on two seeds, or empty.

    Twice such an error holds the truth in 70 % of normal samples: one difference is no spread.
    """
    return "" if size > 2 else "An error from two seeds cannot be trusted; measure more."


def mean(values: Float[np.ndarray, "S ..."]) -> Estimate:
    """Average over seeds, entry by entry, with sd/√S; that of two seeds is not trusted."""
    size = len(values)
    error = values.std(axis=0, ddof=1) / sqrt(size)
    average = values.mean(axis=0)
    if values.ndim == 1:
        average, error = float(average), float(error)
    return Estimate(average, error, size, METHOD).doubted(of_two(size))


FEWEST = 16
"""Seeds for a median's error to be trusted: one error then encloses 64 to 70 % of the cases."""


def median(values: Float[np.ndarray, " S"]) -> Estimate:
    """Median over seeds; its error is half the distance between two order statistics.

    Notes
    -----
    No moment of the values is needed; see `finitewidth.statistics.quantiles`.
    """
    note = f"{len(values)} seeds are too few for the error of a median; it takes {FEWEST}."
    found = Estimate(*quantiles.median(values), len(values), METHOD)
    return found.doubted("" if len(values) >= FEWEST else note)


def ratio(above: Float[np.ndarray, " S"], below: Float[np.ndarray, " S"]) -> Estimate:
    """E above/E below over seeds, with the error of the linearised ratio."""
    value = float(above.mean() / below.mean())
    rest = above - value * below
    error = float(rest.std(ddof=1) / sqrt(len(rest)) / abs(below.mean()))
    return Estimate(value, error, len(rest), METHOD).doubted(of_two(len(rest)))


def seeds_needed(values: Float[np.ndarray, " S"], carriers: float = CARRIERS) -> int:
    """About how many it takes for so many of them to carry the average."""
    return ceil(len(values) * carriers / float(effective_number(values)))


def too_few_carry(values: Float[np.ndarray, " S"], name: str, needed: float = CARRIERS) -> str:
    """The note of an average whose error cannot be trusted, or empty."""
    carriers = float(effective_number(values))
    if carriers >= needed:
        return ""
    return (
        f"{len(values)} seeds are too few for the error of the {name} ({carriers:.3g} of them "
        f"carry it, {needed:g} should); it takes about {seeds_needed(values, needed)}."
    )


def few_carry_the_mean(values: Float[np.ndarray, " S"]) -> str:
    """The note of a mean, which asks less than an error does: half of few seeds will do."""
    carriers = float(effective_number(values))
    if carriers >= min(CARRIERS, len(values) / 2):
        return ""
    return (
        f"{carriers:.3g} of {len(values)} seeds carry the mean; it takes about "
        f"{seeds_needed(values)}."
    )


def second_order(
    values: Float[np.ndarray, " S"], statistic: Callable[[np.ndarray], float], name: str
) -> Estimate:
    """A statistic of second order in the values, with its jackknife error.

    Parameters
    ----------
    values : array [S]
        One number a seed.
    statistic : callable
        Of an array of numbers.
    name : str
        For the note where the error cannot be trusted: when few seeds carry Σ values².

    Notes
    -----
    A heavy tail shows in a sample as a few values that carry the average. The rule asks that at
    least `CARRIERS` seeds, counted as (Σq)²/Σq² with q = values², do, or `FEW_CARRIERS` where the
    relative spread is at most `EVEN`; otherwise the note estimates how many seeds it takes. A
    sample that passes by little is more likely one that missed the tail.

    Of two seeds none can be left out; the error is √2 times what their difference makes of the
    statistic, as of a normal variance.
    """
    if len(values) == 2:
        value = statistic(values)
        error = sqrt(2) * abs(value - statistic(np.full(2, values.mean())))
    else:
        value, error = jackknife(statistic, values)
    even = values.std(ddof=1) <= EVEN * abs(values.mean())
    note = too_few_carry(values**2, name, FEW_CARRIERS if even else CARRIERS)
    return Estimate(value, error, len(values), METHOD).doubted(note)


def variance(values: Float[np.ndarray, " S"], name: str = "variance") -> Estimate:
    """Unbiased variance over seeds."""
    return second_order(values, lambda v: float(v.var(ddof=1)), name)


def dispersion(values: Float[np.ndarray, " S"], name: str = "dispersion") -> Estimate:
    """E K²/(E K)² over seeds, from the unbiased variance and the bias-corrected squared mean."""

    def statistic(v: np.ndarray) -> float:
        if not v.any():
            return 1.0
        square = v.mean() ** 2 - v.var(ddof=1) / len(v)
        if square <= 0:  # one seed carries the mean, and its correction is as large as itself
            square = v.mean() ** 2
        return 1.0 + float(v.var(ddof=1)) / square

    return second_order(values, statistic, name)
