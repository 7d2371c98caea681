"""The limit of infinite width: kernel K of the pre-activations and tangent kernel Θ.

K' = C_b + C ⟨σσ⟩ and Θ' = λ_b + λ ⟨σσ⟩ + C Θ ⟨σ'σ'⟩ (Jacot et al. 2018, Theorem 1); with a
residual branch K' = γ² K + α² (…), and Θ' likewise.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from finitewidth._shapes import Float
from finitewidth.expansion.gaussian import Averages, Pairs
from finitewidth.expansion.gaussian.averages import INFINITE
from finitewidth.expansion.scales import Scale, check_range, scales
from finitewidth.network import MLP


@dataclass(frozen=True, eq=False)
class Limit:
    """One layer at infinite width.

    Attributes
    ----------
    scale : Scale
        The layer's numbers.
    kernel : array of shape [B, B]
        K, the covariance of a pre-activation over networks.
    tangent : array of shape [B, B]
        Θ, the tangent kernel of a neuron of this layer.
    """

    scale: Scale
    kernel: Float[np.ndarray, "B B"]
    tangent: Float[np.ndarray, "B B"]


def start(scale: Scale, X: Float[np.ndarray, "B n_in"]) -> Limit:
    """Layer 1, which is exact at every width."""
    with np.errstate(over="ignore", invalid="ignore"):  # refused below, in one sentence
        gram = X @ X.T
    kernel = scale.bias_variance + scale.gain * gram
    check_range(kernel, 1)
    return Limit(scale, kernel, scale.bias_rate + scale.rate * gram)


def propagate(below: Limit, scale: Scale, pairs: Pairs) -> Limit:
    """The next layer, from the averages at the layer below."""
    values, slopes = pairs.order(0, 0), pairs.order(1, 1)
    kernel = scale.bias_variance + scale.gain * values
    tangent = scale.bias_rate + scale.rate * values + scale.gain * below.tangent * slopes
    kernel = scale.gamma**2 * below.kernel + scale.alpha**2 * kernel
    tangent = scale.gamma**2 * below.tangent + scale.alpha**2 * tangent
    check_range(kernel, scale.index)
    return Limit(scale, kernel, tangent)


def limits(net: MLP, X: Float[np.ndarray, "B n_in"], averages: Averages) -> Iterator[Limit]:
    """The layers 1 … d at infinite width."""
    layers = scales(net)
    limit = start(next(layers), X)
    yield limit
    for scale in layers:
        limit = propagate(limit, scale, averages.pairs(limit.kernel, INFINITE))
        yield limit


def last(net: MLP, X: Float[np.ndarray, "B n_in"], averages: Averages) -> Limit:
    """The output layer at infinite width."""
    limit = None
    for one in limits(net, X, averages):
        limit = one
    assert limit is not None  # layer 1 exists
    return limit
