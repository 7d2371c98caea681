"""Powers that join the numbers of several verdicts: quantity ∝ value^p."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, hypot, log

import numpy as np

from finitewidth.estimate import Estimate

QUANTITIES = {
    "dispersion": "E K²/(E K)² − 1",
    "kernel_change": "‖ΔK‖/‖K‖ of one step",
    "movement": "‖K_T − K_0‖/‖K_0‖ per factor e of the loss",
}
"""What a power is fitted to, as it is called."""

LARGEST = 40.0
"""ln of the largest value, 2·10¹⁷, that a line is drawn out to."""


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
    line = _line(values, estimates)
    if line is None:
        return None
    left_out = len(estimates) - line.points
    doubtful = any(not one.trusted for one in estimates)
    notes = [f"{left_out} of {len(estimates)} numbers are not positive and left out."] * bool(
        left_out
    ) + ["Errors of numbers it rests on are not trusted."] * doubtful
    fitted = Estimate(line.power, line.power_error, line.points, "measured")
    return fitted.doubted(" ".join(notes))


def crossing(
    values: Sequence[int], estimates: Sequence[Estimate], limit: float
) -> tuple[float, float, float] | None:
    """Where the fitted power takes a quantity to a limit, and two standard errors to both sides.

    On the line ln y = a + p (ln x − m), with a and p uncorrelated since m is the weighted mean of
    ln x, ln x* = m + (ln limit − a)/p has variance (σ_a² + (ln x* − m)² σ_p²)/p², to first order in
    σ_p/p. None where σ_p/p is above a quarter, the power is not trusted, or the limit is 0.
    """
    line, power = _line(values, estimates), fitted_power(values, estimates)
    if line is None or power is None or not power.trusted or limit <= 0:
        return None
    if line.power_error > 0.25 * abs(line.power):
        return None
    distance = (log(limit) - line.height) / line.power
    error = hypot(line.height_error, distance * line.power_error) / abs(line.power)
    if max(abs(line.middle + distance), error) > LARGEST:
        return None
    centre = line.middle + distance
    return exp(centre), exp(centre - 2 * error), exp(centre + 2 * error)


@dataclass(frozen=True)
class _Line:
    """ln y = height + power (ln x − middle), with standard errors."""

    points: int
    middle: float
    height: float
    height_error: float
    power: float
    power_error: float


def _line(values: Sequence[int], estimates: Sequence[Estimate]) -> _Line | None:
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
    height = float(np.average(ordinate, weights=weight))
    rest = float((weight * (ordinate - height - power * (abscissa - middle)) ** 2).sum())
    freedom = len(points) - 2
    widened = max(1.0, rest / freedom) ** 0.5 if freedom else 1.0
    return _Line(
        len(points),
        float(middle),
        height,
        widened / float(weight.sum()) ** 0.5,
        power,
        widened / moment**0.5,
    )


def less_one(estimate: Estimate) -> Estimate:
    """The estimate of a quantity less 1."""
    return replace(estimate, value=float(estimate.value) - 1.0)
