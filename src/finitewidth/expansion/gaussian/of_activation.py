"""Which averages an activation has: closed forms, or quadrature."""

import numpy as np

from finitewidth.expansion.gaussian.averages import Averages
from finitewidth.expansion.gaussian.derivatives import NAMED, derivatives_of
from finitewidth.expansion.gaussian.error_function import ErrorFunction
from finitewidth.expansion.gaussian.kinked import Kinked
from finitewidth.expansion.gaussian.smooth import Smooth
from finitewidth.expansion.gaussian.waves import Sine
from finitewidth.network import Activation

NODES = 64  # of the integral for four signs

STEEPEST = 1e6  # slope of the 1-homogeneous family: its fourth power enters


def averages_of(activation: Activation, coarsening: float = 1.0) -> Averages:
    """The averages of an activation.

    Parameters
    ----------
    activation : Activation
        σ.
    coarsening : float
        Factor on the quadrature's steps: 1, or more for the comparison that estimates its error.

    Raises
    ------
    ValueError
        For a user's function that is not finite, or not as smooth as the recursions need, and
        for a slope beyond 10⁶.
    """
    if activation.slope is not None:
        if abs(activation.slope) > STEEPEST:
            raise ValueError(
                f"the slope of {activation.name!r} is {activation.slope:g}, expected at most "
                f"{STEEPEST:g} in size, because its fourth power is needed; use a smaller "
                "negative_slope."
            )
        at_zero = float(activation.derivative(np.zeros(1))[0])
        return Kinked(activation.slope, at_zero, round(NODES / coarsening))
    derivatives = derivatives_of(activation)
    if derivatives is NAMED["sin"]:
        return Sine()
    if derivatives is NAMED["erf"]:
        return ErrorFunction(round(NODES / coarsening))
    return Smooth(derivatives, activation.name, coarsening)
