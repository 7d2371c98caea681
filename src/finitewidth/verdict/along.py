"""`check_along`: the verdict at several widths or depths, and the powers that join them."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from finitewidth._whole_number import whole_number
from finitewidth.estimate import Estimate, short_form
from finitewidth.statistics.blocks import Progress
from finitewidth.verdict.checking import Check, check

QUANTITIES = {
    "dispersion": "E K²/(E K)² − 1",
    "kernel_change": "‖ΔK‖/‖K‖ of one step",
    "movement": "‖K_T − K_0‖/‖K_0‖ per factor e of the loss",
}
"""What a power is fitted to, as it is called."""


@dataclass(frozen=True)
class ChecksAlong:
    """Verdicts on one model at several values of an argument.

    Attributes
    ----------
    argument : str
        Of the factory, e.g. ``"width"``.
    values : list of int
        Increasing.
    checks : list of Check
        One a value, at the same seeds.
    """

    argument: str
    values: list[int]
    checks: list[Check]

    @property
    def passed(self) -> bool:
        """Whether all limits are kept at every value."""
        return all(one.passed for one in self.checks)

    def series(self, quantity: str) -> tuple[list[int], list[Estimate]]:
        """Where a quantity was measured, and what was found; the dispersion less 1.

        Parameters
        ----------
        quantity : str
            ``"dispersion"``, ``"kernel_change"`` or ``"movement"``.
        """
        found = [
            (value, row.measured)
            for value, one in zip(self.values, self.checks, strict=True)
            for row in one.table
            if row.name == quantity
        ]
        return [value for value, _ in found], [
            less_one(estimate) if quantity == "dispersion" else estimate for _, estimate in found
        ]

    def power(self, quantity: str) -> Estimate | None:
        """p of the power law quantity ∝ value^p; None with fewer than two positive numbers."""
        return fitted_power(*self.series(quantity))

    @property
    def sentence(self) -> str:
        """How randomness and movement change with the argument, and whether the limits are kept."""
        told = [f"{self.argument} {self._verdicts()}."]
        for quantity in ("dispersion", "movement"):
            power = self.power(quantity)
            if power is None:
                if self.series(quantity)[0]:
                    told.append(
                        f"No power is fitted to {QUANTITIES[quantity]}: fewer than two of its "
                        "numbers are above 0."
                    )
                continue
            value, error = float(power.value), float(power.std_error)
            shown = f"{QUANTITIES[quantity]} ∝ {self.argument}^{short_form(value, error)}"
            doubt = "" if power.trusted else ", which is not trusted"
            if abs(value) <= 2 * error:
                doubt += f": within two standard errors it does not depend on {self.argument}"
            told.append(f"{shown}{doubt}.")
        if any(one.limits for one in self.checks):
            failed = [v for v, one in zip(self.values, self.checks, strict=True) if not one.passed]
            told.append(
                f"The limits are not kept at {self.argument} {', '.join(map(str, failed))}: failed."
                if failed
                else "The limits are kept at every value: passed."
            )
        return " ".join(told)

    def _verdicts(self) -> str:
        """``64: frozen; 128, 256: feature learning``."""
        runs: list[tuple[str, list[int]]] = []
        for value, one in zip(self.values, self.checks, strict=True):
            if not runs or runs[-1][0] != one.verdict:
                runs.append((one.verdict, []))
            runs[-1][1].append(value)
        return "; ".join(f"{', '.join(map(str, values))}: {word}" for word, values in runs)


def check_along(
    make_model: Callable[..., Any],
    argument: str,
    values: Sequence[int],
    X: Any,
    y: Any = None,
    *,
    progress: Progress | None = None,
    **arguments: Any,
) -> ChecksAlong:
    """`check` at several values of an argument of the factory, at the same seeds.

    Parameters
    ----------
    make_model : callable
        As in `check`; takes `argument` by name.
    argument : str
        ``"width"``, ``"depth"`` or another one.
    values : sequence of int
        At least two, each at least 1; they are measured in increasing order.
    X, y, **arguments
        As in `check`.
    progress : callable, optional
        Called with (done, total) over all values.

    Returns
    -------
    ChecksAlong

    Raises
    ------
    ValueError, TypeError
        As `check`; if the factory does not take the argument; for fewer than two values, repeated
        ones, or any that is no whole number of at least 1.
    """
    chosen = _checked_values(argument, values)
    refuse_missing(make_model, argument)
    checks = []
    for place, value in enumerate(chosen):
        told = None if progress is None else partial(_tell, progress, place, len(chosen))
        one = partial(make_model, **{argument: value})
        checks.append(check(one, X, y, progress=told, **arguments))
    return ChecksAlong(argument, chosen, checks)


def refuse_missing(make_model: Callable[..., Any], argument: str) -> None:
    """Refuse a factory that does not take the argument.

    Raises
    ------
    ValueError
        If it has no parameter of that name.
    """
    try:
        parameters = inspect.signature(make_model).parameters
    except (TypeError, ValueError):  # a builtin: the call will tell
        return
    kinds = [one.kind for one in parameters.values()]
    known = argument in parameters and parameters[argument].kind is not (
        inspect.Parameter.POSITIONAL_ONLY
    )
    if not known and inspect.Parameter.VAR_KEYWORD not in kinds:
        raise ValueError(
            f"make_model takes {', '.join(parameters) or 'no arguments'}, so {argument!r} cannot "
            f"be swept; give it an argument {argument}."
        )


def fitted_power(values: Sequence[int], estimates: Sequence[Estimate]) -> Estimate | None:
    """p of y ∝ x^p by weighted least squares on logarithms, with its standard error.

    Every point has weight (y/σ)², the inverse variance of ln y. Where the points scatter about
    the line more than their errors allow, χ² > n − 2, the error is widened by √(χ²/(n − 2)), as
    the Particle Data Group does for averages. Numbers that are not positive are left out, and the
    power is then not trusted. Errors of different points are taken as independent.

    Parameters
    ----------
    values : sequence of int
    estimates : sequence of Estimate
        Of one number each.
    """
    points = [
        (float(value), float(one.value), float(one.std_error))
        for value, one in zip(values, estimates, strict=True)
        if float(one.value) > 0 and float(one.std_error) > 0
    ]
    if len(points) < 2:
        return None
    x, y, error = (np.array(column) for column in zip(*points, strict=True))
    abscissa, ordinate, weight = np.log(x), np.log(y), (y / error) ** 2
    middle = np.average(abscissa, weights=weight)
    moment = float((weight * (abscissa - middle) ** 2).sum())
    power = float((weight * (abscissa - middle) * ordinate).sum()) / moment
    level = float(np.average(ordinate - power * abscissa, weights=weight))
    rest = float((weight * (ordinate - level - power * abscissa) ** 2).sum())
    freedom = len(points) - 2
    widened = max(1.0, rest / freedom) ** 0.5 if freedom else 1.0
    left_out = len(estimates) - len(points)
    doubtful = any(not one.trusted for one in estimates)
    notes = [f"{left_out} of {len(estimates)} numbers are not positive and left out."] * bool(
        left_out
    ) + ["Errors of numbers it rests on are not trusted."] * doubtful
    fitted = Estimate(power, widened / moment**0.5, len(points), "measured")
    return fitted.doubted(" ".join(notes))


def _checked_values(argument: str, values: Sequence[int]) -> list[int]:
    values = [whole_number(value, argument, 1) for value in values]
    if len(set(values)) < len(values):
        raise ValueError(f"{argument} holds a value twice; every value is measured once.")
    if len(values) < 2:
        raise ValueError(
            f"{argument} has {len(values)} value{'s' * (len(values) != 1)}, expected at least 2 "
            "for a sweep."
        )
    return sorted(values)


def less_one(estimate: Estimate) -> Estimate:
    """The estimate of a quantity less 1."""
    return replace(estimate, value=float(estimate.value) - 1.0)


def _tell(progress: Progress, place: int, count: int, done: int, total: int) -> None:
    """Progress of one value as a part of all."""
    progress(place * total + done, count * total)
