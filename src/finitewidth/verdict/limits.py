"""Limits that a model must keep, for continuous integration."""

from dataclasses import dataclass
from math import ceil, exp, isfinite

import numpy as np

from finitewidth._shapes import Float
from finitewidth.estimate import Estimate, short_form
from finitewidth.verdict.regimes import SIGMAS, more_seeds

CHANCE = 1e-3
"""That a log-normal kernel's spread lies beyond either end of its range."""

MOST = 1_000_000
"""Seeds that nobody runs."""

LARGEST = 600.0
"""ln of a dispersion that a double still holds."""


@dataclass(frozen=True)
class Limits:
    """The largest values allowed; None for no limit.

    Attributes
    ----------
    max_dispersion : float or None
        Of E K²/(E K)², at least 1.
    max_kernel_change : float or None
        Of E ‖ΔK‖/‖K‖ in one step, above 0.

    Raises
    ------
    ValueError, TypeError
        For a limit that is no number or out of range.
    """

    max_dispersion: float | None = None
    max_kernel_change: float | None = None

    def __post_init__(self) -> None:
        for name, least in (("max_dispersion", 1.0), ("max_kernel_change", 0.0)):
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise TypeError(f"{name} is {value!r}, expected a number.")
            if not isfinite(value) or value <= least:
                raise ValueError(
                    f"{name} is {value:g}, expected a finite number above {least:g}"
                    f"{': E K²/(E K)² is never less than 1' if least else ''}."
                )


@dataclass(frozen=True)
class Outcome:
    """Whether a quantity keeps its limit.

    Attributes
    ----------
    passed : bool or None
        None where the seeds do not tell.
    sentence : str
    seeds_needed : int
        About how many seeds would tell; 0 where these do, or no number of them would.
    """

    passed: bool | None
    sentence: str
    seeds_needed: int = 0


def of_dispersion(values: Float[np.ndarray, " S"], estimate: Estimate, limit: float) -> Outcome:
    """Of E K²/(E K)²: two standard errors decide.

    Where the error is not trusted it is also read as that of a log-normal K, e^{s²}: the standard
    deviation s of ln K is then known from few seeds, (S − 1) ŝ²/s² being χ² with S − 1 degrees of
    freedom, to a chance of 10⁻³ on each side. The kernel of a deep network is close to log-normal.
    """
    value, error = float(estimate.value), SIGMAS * float(estimate.std_error)
    low, high, needed = value - error, value + error, more_seeds(estimate, limit, len(values))
    if not estimate.trusted:
        spread = float(np.log(values).var(ddof=1))
        ends = _log_normal(spread, len(values))
        low, high = min(low, ends[0]), max(high, ends[1])
        needed = len(values) + 1
        while needed < MOST and ends[0] <= limit <= ends[1]:
            needed = ceil(1.2 * needed)
            ends = _log_normal(spread, needed)
    return _outcome("the dispersion E K²/(E K)²", estimate, limit, low, high, needed)


def _log_normal(spread: float, seeds: int) -> tuple[float, float]:
    """Between which e^{Var ln K} lies, where so many seeds have this variance."""
    from scipy.special import chdtri

    low, high = (
        exp(min((seeds - 1) * spread / float(chdtri(seeds - 1, chance)), LARGEST))
        for chance in (CHANCE, 1.0 - CHANCE)
    )
    return low, high


def of_change(values: Float[np.ndarray, " S"], estimate: Estimate, limit: float) -> Outcome:
    """Of E ‖ΔK‖/‖K‖: as many standard errors decide as have the chance of two by Student's law.

    Where few seeds carry it, so that the error is not trusted, it passes if every seed is below the
    limit, too. It fails in any case if all S seeds lie above the limit over 10^(−3/S): by Markov's
    inequality that has a chance of 10⁻³ at most if the mean keeps it.
    """
    from scipy.special import ndtr, stdtrit

    seeds = len(values)
    error = float(stdtrit(seeds - 1, ndtr(SIGMAS))) * float(estimate.std_error)
    low, high = float(values.min()) * CHANCE ** (1 / seeds), float(estimate.value) + error
    if estimate.trusted:
        low = max(low, float(estimate.value) - error)
    else:
        high = max(high, float(values.max()))
    needed = more_seeds(estimate, limit, seeds)
    what = "the kernel's relative change in one step"
    return _outcome(what, estimate, limit, low, high, needed)


def _outcome(
    what: str, estimate: Estimate, limit: float, low: float, high: float, needed: int
) -> Outcome:
    """It keeps the limit if it lies below on every reading, fails above, and else is open."""
    text = f"{what} is {short_form(float(estimate.value), float(estimate.std_error))}"
    if high < limit:
        return Outcome(True, f"{text}, below the limit {limit:g}: passed.")
    if low > limit:
        return Outcome(False, f"{text}, above the limit {limit:g}: failed.")
    why = f"within two standard errors of the limit {limit:g}"
    if not estimate.trusted:
        upwards = f"to {high:.4g}" if high < 1e6 else "on"
        why = (
            f"whose error cannot be trusted ({estimate.note.rstrip('.')}): it may lie anywhere "
            f"from {max(low, 0.0):.4g} {upwards}, and the limit is {limit:g}"
        )
    enough = f"about {needed:,}" if needed < MOST else f"more than {MOST:,}"
    return Outcome(
        None, f"{text}, {why}: {estimate.size} seeds cannot tell, it takes {enough}.", needed
    )


def not_finite(count: int, seeds: int) -> Outcome:
    """Of a change that does not exist."""
    return Outcome(
        False,
        f"the step of {count} of {seeds} seeds is not finite, so the kernel's relative change "
        "keeps no limit: failed.",
    )
