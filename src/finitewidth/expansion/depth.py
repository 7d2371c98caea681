"""What depth does to a network: susceptibilities, variance by depth, how deep it may be trusted."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from finitewidth._shapes import Float
from finitewidth.expansion import infinite
from finitewidth.expansion.finite import plain
from finitewidth.expansion.finite.recursion import layer_tensors
from finitewidth.expansion.gaussian import averages_of
from finitewidth.expansion.gaussian.averages import ORDERS
from finitewidth.expansion.scales import Scale, expandable, input_rows, scales
from finitewidth.network import MLP, Widths

TRUSTED = 0.1
"""First order is called trustworthy while its Var Θ/Θ² is at most this.

Where all orders are known in the limit of large depth (ReLU, identity), the variance is 1.06 times
its first order when that is 0.1, 1.13 times at 0.2 and 1.4 times at 0.5 (guide, "The 1/n
expansion").
"""

SEARCHED = 1000
"""Hidden layers that are tried for it."""


def inner_scale(net: MLP) -> Scale:
    """The numbers of a layer between hidden layers, whether or not the network has one."""
    width = net.runs[0][0]
    return list(scales(replace(net, widths=Widths([(width, 2)]))))[1]


def susceptibilities(net: MLP, kernel: float) -> tuple[float, float]:
    """(χ_∥, χ_⊥): what a hidden layer does to a small change of K along and across the input.

    χ_∥ = ∂K'/∂K = C_W ⟨σσ'' + σ'²⟩ and χ_⊥ = C_W ⟨σ'²⟩ at K; γ² + α² χ with a residual branch
    (Roberts, Yaida & Hanin 2022, section 5.1).

    Parameters
    ----------
    net : MLP
        A network with hidden layers.
    kernel : float
        K of a pre-activation.
    """
    scale = inner_scale(net)
    pairs = averages_of(net.act).pairs(np.array([[kernel]]), ((1, 1), (2, 0)))
    across = scale.gain * pairs.order(1, 1).item()
    along = across + scale.gain * pairs.order(2, 0).item()
    return (
        scale.gamma**2 + scale.alpha**2 * along,
        scale.gamma**2 + scale.alpha**2 * across,
    )


def variance_by_depth(net: MLP, x: ArrayLike, most: int) -> Iterator[float]:
    """Var Θ/Θ² at first order of networks like this one with 1, 2, … `most` hidden layers.

    One pass: each hidden layer in turn is followed by the network's output layer.

    Parameters
    ----------
    net : MLP
        The network; its hidden layers have one width.
    x : array of shape [n_in]
        The input.
    most : int
        The most hidden layers.

    Raises
    ------
    ValueError
        For a network whose hidden widths differ, or without hidden layer.
    RuntimeError
        At the depth where the kernel leaves the range of float64.
    """
    net, X = expandable(net), input_rows(net, x, "x")
    if len(net.runs) != 1:
        raise ValueError(
            f"the hidden widths are {list(net.widths)}, expected one width, so that layers can be "
            "added or left out; use MLP.equal_width."
        )
    width = net.runs[0][0]
    *_, last = scales(replace(net, widths=Widths([(width, 1)])))
    averages = averages_of(net.act)
    deeper = replace(net, widths=Widths([(width, most)]))
    source = np.array([last.inverse_width])
    for limit, T in layer_tensors(deeper, X, averages):
        if limit.scale.index > most:
            break
        pairs = averages.pairs(limit.kernel, ORDERS)
        around = plain.Around(limit, last, pairs, source)
        output = plain.step(T, around, averages.quadruples(limit.kernel))
        tangent = infinite.propagate(limit, last, pairs).tangent
        yield diagonal_share(output.covariance()[0], tangent)


@dataclass(frozen=True)
class Trust:
    """How deep a network may be.

    Attributes
    ----------
    layers : int
        The most hidden layers for which first order is trustworthy.
    end : str
        ``"variance"``: the next one is beyond it; ``"searched"``: no more were tried;
        ``"range"``: the kernel leaves the range of float64 in the next one.
    """

    layers: int
    end: Literal["variance", "searched", "range"]


def trusted_depth(
    net: MLP, x: ArrayLike, relative_variance: float = TRUSTED, most: int = SEARCHED
) -> Trust:
    """The most hidden layers for which first order in 1/n is trustworthy at this width.

    Those up to which its Var Θ/Θ² is at most `relative_variance`, by `variance_by_depth`.

    Parameters
    ----------
    net, x, most
        As of `variance_by_depth`.
    relative_variance : float
        What counts as trustworthy.

    Raises
    ------
    ValueError
        As of `variance_by_depth`, or for a variance that is not positive.
    """
    if not 0 < relative_variance < float("inf"):
        raise ValueError(f"relative_variance is {relative_variance!r}, expected a positive number.")
    layers = 0
    try:
        for value in variance_by_depth(net, x, most):
            if value > relative_variance:
                return Trust(layers, "variance")
            layers += 1
    except RuntimeError:
        return Trust(layers, "range")
    return Trust(layers, "searched")


def diagonal_share(
    covariance: Float[np.ndarray, "B B B B"], tangent: Float[np.ndarray, "B B"]
) -> float:
    """Var T/T² of T = (1/B) Σ_a Θ_aa, the mean of the kernel's diagonal."""
    mean = float(np.trace(tangent)) / len(tangent)
    return float(np.einsum("aabb->", covariance)) / len(tangent) ** 2 / mean**2
