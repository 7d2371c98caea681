"""The connections of a network: a layer with the coefficients of its residual branch."""

from dataclasses import dataclass

from finitewidth.network import MLP, Layer


@dataclass(frozen=True)
class Connection:
    """z^(j) = γ z^(j−1) + α (b^(j) + Ŵ^(j) x^(j−1)).

    Attributes
    ----------
    layer : Layer
        Index, sizes, variance and learning-rate factor.
    alpha, gamma : float
        1 and 0, except between hidden layers of a residual network.
    """

    layer: Layer
    alpha: float
    gamma: float


def connections(net: MLP) -> list[Connection]:
    """The connections j = 1 … d; the first and the last have no residual branch."""
    plain = (1.0, 0.0)
    inner = plain if net.residual is None else net.residual
    return [
        Connection(layer, *(plain if layer.index == 1 or layer.is_output else inner))
        for layer in net.layers()
    ]
