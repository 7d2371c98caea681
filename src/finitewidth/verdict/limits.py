"""Limits that a model must keep, for continuous integration."""

from dataclasses import dataclass
from math import isfinite

from finitewidth.estimate import Estimate, short_form
from finitewidth.verdict.regimes import SIGMAS, more_seeds


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

    @property
    def are_set(self) -> bool:
        """Whether there is any."""
        return self.max_dispersion is not None or self.max_kernel_change is not None


def keeps(estimate: Estimate, limit: float, what: str, seeds: int) -> tuple[bool, str]:
    """Whether a quantity keeps its limit, and the sentence that says so.

    It does if it lies below by more than two standard errors. Nearer, it is undecided, and what is
    undecided does not pass.
    """
    value, error = float(estimate.value), float(estimate.std_error)
    text = f"{what} is {short_form(value, error)}"
    if value > limit + SIGMAS * error:
        return False, f"{text}, above the limit {limit:g}: failed."
    if not estimate.trusted:
        note = estimate.note.rstrip(".")
        return False, f"{text}, whose error cannot be trusted ({note}): failed."
    if value < limit - SIGMAS * error:
        return True, f"{text}, below the limit {limit:g}: passed."
    needed = more_seeds(estimate, limit, seeds)
    return False, (
        f"{text}, within two standard errors of the limit {limit:g}: undecided at {seeds} seeds, "
        f"so not passed; it needs about {needed}."
    )
