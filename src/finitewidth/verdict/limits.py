"""Limits that a model must keep, for continuous integration."""

from dataclasses import dataclass
from math import ceil, exp, isfinite

import numpy as np

from finitewidth._shapes import Float
from finitewidth.estimate import Estimate, short_form
from finitewidth.verdict.regimes import SIGMAS, more_seeds

CHANCE = 1e-3
"""That a log-normal kernel's spread lies beyond either end of its range."""

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


@dataclass(frozen=True)
class Gate:
    """A quantity beside its limit.

    Attributes
    ----------
    what : str
        Its name in a sentence.
    estimate : Estimate
    limit : float
    low, high : float
        Between which the quantity lies on any reading of an error that is not trusted.
    errors : float
        Standard errors that decide where it is.
    """

    what: str
    estimate: Estimate
    limit: float
    low: float
    high: float
    errors: float = SIGMAS

    def outcome(self) -> Outcome:
        """It keeps the limit if it lies below on every reading, fails above, and else is open.

        A trusted error is read as two standard errors. Where it is not trusted, the readings are
        that and `low` and `high`.
        """
        value, error = float(self.estimate.value), self.errors * float(self.estimate.std_error)
        seeds = self.estimate.size
        low, high = value - error, value + error
        if not self.estimate.trusted:
            low, high = min(low, self.low), max(high, self.high)
        text = f"{self.what} is {short_form(value, float(self.estimate.std_error))}"
        if high < self.limit:
            return Outcome(True, f"{text}, below the limit {self.limit:g}: passed.")
        if low > self.limit:
            return Outcome(False, f"{text}, above the limit {self.limit:g}: failed.")
        if self.estimate.trusted:
            needed = more_seeds(self.estimate, self.limit, seeds)
            why = f"within two standard errors of the limit {self.limit:g}"
        else:
            needed = max(_at_distance(high - low, abs(value - self.limit), seeds), seeds + 1)
            why = (
                f"whose error cannot be trusted ({self.estimate.note.rstrip('.')}): it may lie "
                f"anywhere from {max(low, 0.0):.4g} to {high:.4g}, and the limit is {self.limit:g}"
            )
        return Outcome(
            None, f"{text}, {why}: {seeds} seeds cannot tell, it takes about {needed:,}.", needed
        )


def _at_distance(width: float, distance: float, seeds: int) -> int:
    """Seeds at which a range of this width, which shrinks like 1/√seeds, is as wide as that."""
    factor = (width / distance) ** 2 if distance * 1e3 > width else 1e6
    return ceil(min(factor, 1e6) * seeds)


def of_dispersion(values: Float[np.ndarray, " S"], estimate: Estimate, limit: float) -> Outcome:
    """Of E K²/(E K)².

    Where its error is not trusted it is also read as that of a log-normal K, e^{s²}: the standard
    deviation s of ln K is then known from few seeds, (S − 1) ŝ²/s² being χ² with S − 1 degrees of
    freedom, to a chance of 10⁻³ on each side. The kernel of a deep network is close to log-normal.
    """
    from scipy.special import chdtri

    freedom, spread = len(values) - 1, float(np.log(values).var(ddof=1))
    low, high = (
        exp(min(freedom * spread / float(chdtri(freedom, chance)), LARGEST))
        for chance in (CHANCE, 1.0 - CHANCE)
    )
    return Gate("the dispersion E K²/(E K)²", estimate, limit, low, high).outcome()


def of_change(values: Float[np.ndarray, " S"], estimate: Estimate, limit: float) -> Outcome:
    """Of E ‖ΔK‖/‖K‖, which is at most that of the largest seed where few seeds carry it.

    Of few seeds more than two standard errors decide: as many as have the same chance by Student's
    law, 2.4 of eight seeds.
    """
    from scipy.special import ndtr, stdtrit

    errors = float(stdtrit(len(values) - 1, ndtr(SIGMAS)))
    what = "the kernel's relative change in one step"
    return Gate(what, estimate, limit, float(values.min()), float(values.max()), errors).outcome()


def not_finite(count: int, seeds: int) -> Outcome:
    """Of a change that does not exist."""
    return Outcome(
        False,
        f"the step of {count} of {seeds} seeds is not finite, so the kernel's relative change "
        "keeps no limit: failed.",
    )
