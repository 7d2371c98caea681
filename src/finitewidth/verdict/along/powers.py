"""Powers that join the numbers of several verdicts: quantity ∝ value^p."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from finitewidth.estimate import Estimate

QUANTITIES = {
    "dispersion": "E K²/(E K)² − 1",
    "kernel_change": "‖ΔK‖/‖K‖ of one step",
    "movement": "‖K_T − K_0‖/‖K_0‖ per factor e of the loss",
}
"""What a power is fitted to, as it is called."""


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


def less_one(estimate: Estimate) -> Estimate:
    """The estimate of a quantity less 1."""
    return replace(estimate, value=float(estimate.value) - 1.0)
