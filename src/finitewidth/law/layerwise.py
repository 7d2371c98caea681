"""The network's side of the recursion: one factor for every state and layer.

Layer ℓ multiplies a neuron state of 2k paths by c_ℓ^k on its way in, and a neuron state with
blocks B on its way out by n_ℓ(n_ℓ−1)⋯ (one factor a block, the number of ways to place the blocks
on different neurons) and Π_B A_{|B|}, A_2m = (1 + a^2m)/2 the mean of σ'^2m. Every mark carries
λ_ℓ/c_ℓ, the learning-rate factor over the variance. While no path has started the layer must not
be dead: 1 − 2^(−n_ℓ) for ReLU, 1 where a ≠ 0.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from finitewidth._shapes import Float
from finitewidth.law.transitions import Table
from finitewidth.network import MLP
from finitewidth.network.exact import fraction_of


@dataclass(frozen=True)
class Segment:
    """`count` successive hidden layers with the same fan-in and width."""

    fan_in: int
    width: int
    count: int


def hidden_segments(net: MLP) -> list[Segment]:
    """The hidden layers from the input: the first alone, then equal ones together."""
    found: list[Segment] = []
    below = net.n_in
    for width, count in net.runs:
        if below != width or not found:
            found.append(Segment(below, width, 1))
            count -= 1
        if count:
            found.append(Segment(width, width, count))
        below = width
    return found


def activation_moment(net: MLP, order: int) -> Fraction:
    """A_order = E σ'(y)^order = (1 + a^order)/2 for a symmetric y."""
    assert net.act.slope is not None
    return (1 + fraction_of(net.act.slope) ** order) / 2


def float_moment(net: MLP, order: int) -> float:
    """The same as a double.

    Raises
    ------
    ValueError
        For a slope whose power leaves the range of a double.
    """
    try:
        return float(activation_moment(net, order))
    except OverflowError:
        raise ValueError(
            f"negative_slope is {net.act.slope:g}, whose power {order} leaves the range of a "
            "double; use a slope of at most 1e38 in size."
        ) from None


def neuron_factor(
    net: MLP, table: Table, width: Float[np.ndarray, " L"]
) -> Float[np.ndarray, "L S"]:
    """n(n−1)⋯ Π A_|B| for every neuron state in layers of n neurons; life where no path started."""
    sizes = table.neuron_sizes
    falling = np.ones((len(width), 5))
    for i in range(4):
        falling[:, i + 1] = falling[:, i] * np.maximum(width - i, 0.0)
    means = np.array([float_moment(net, order) for order in (2, 4, 6, 8)])
    factor = falling[:, sizes.sum(axis=1)] * (means**sizes).prod(axis=1)
    if table.waiting >= 0 and net.act.slope == 0.0:
        factor[:, table.waiting] = -np.expm1(-width * np.log(2.0))
    return factor
