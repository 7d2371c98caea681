"""How many neurons a step carries across zero, and for which learning rates that is linear.

A neuron at zero moves at the speed |e p| in units of the learning rate. To first order every
neuron within that distance of zero crosses; the next order comes from the curvature of the
densities and from crossing neurons that change each other's speeds. Both are small while the
displacement is small against the spread of the pre-activation. The displacement at large width
(`leading`) is the measure; narrow deep networks, whose means are carried by rare large gradients,
need a margin, and e^(νβ), by which those fluctuate (ν = 3A_4/A_2² − 1, 5 for ReLU; β = Σ 1/n), is
taken for it. At the rate found so, deviations from linearity of about a tenth were measured, from
one hidden layer of width 10 to eight of width 30.
"""

from math import exp, inf, log

from finitewidth.law.crossing.leading import Leading
from finitewidth.law.layerwise import float_moment
from finitewidth.network import MLP

REACH = 0.1
"""Largest displacement, in standard deviations of the pre-activation, that counts as small."""


def largest_rate(net: MLP, guide: Leading) -> float:
    """The learning rate at which the displacement of some layer is `REACH`, with its margin."""
    furthest = float(guide.reach.max())
    if furthest == -inf:
        return inf
    second, fourth = (float_moment(net, order) for order in (2, 4))
    power = log(REACH) - furthest - (3.0 * fourth / second**2 - 1.0) * net.beta
    return exp(power) if -745.0 < power < 709.0 else (0.0 if power < 0 else inf)


def outside(rate: float, largest: float) -> str:
    """A sentence for a learning rate beyond the largest, or nothing."""
    if rate <= largest:
        return ""
    return (
        f"learning_rate is {rate:g}, and the crossing term is linear for rates up to about "
        f"{largest:.2g}; beyond it use fw.simulate.first_step"
    )
