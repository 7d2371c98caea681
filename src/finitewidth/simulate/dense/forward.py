"""The forward pass of a batch of networks, free or with the slopes of an earlier pass."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finitewidth._shapes import Float
from finitewidth.network import Activation
from finitewidth.simulate.dense.architecture import Connection
from finitewidth.simulate.dense.draw import Parameters

# Below this a pre-activation is close to leaving float64; at 0 its neuron would count as closed.
SMALLEST = 1e-290


@dataclass(frozen=True)
class Pass:
    """What a forward pass leaves behind, for m networks and B inputs.

    Attributes
    ----------
    incoming : list of array
        x^(j−1), what weight layer j = 1 … d reads: [1, B, n_in], then [m, B, n_{j−1}].
    pre : list of array
        z^(j) of the hidden layers, [m, B, n_j].
    slopes : list of array
        σ'(z^(j)) of the hidden layers, [m, B, n_j].
    outputs : array of shape [m, B]
        N.
    """

    incoming: list[np.ndarray]
    pre: list[np.ndarray]
    slopes: list[np.ndarray]
    outputs: Float[np.ndarray, "m B"]


def transposed(array: np.ndarray) -> np.ndarray:
    """Swap the last two axes."""
    return np.swapaxes(array, -1, -2)


def _check_range(z: np.ndarray, index: int) -> None:
    largest = np.maximum(z.max(axis=-1), -z.min(axis=-1))
    if ((largest > 0) & (largest < SMALLEST)).any():
        raise RuntimeError(
            f"pre-activations of layer {index} fall below {SMALLEST:g} in some network, where "
            "float64 soon cannot tell its open neurons from the closed ones; use fewer layers or "
            "a larger hidden_gain, or fw.KernelLaw(net, x).log_moment, which keeps logarithms."
        )


def forward(
    layers: Sequence[Connection],
    act: Activation,
    parameters: Parameters,
    X: Float[np.ndarray, "B n_in"],
    slopes: list[np.ndarray] | None = None,
) -> Pass:
    """Evaluate the networks at the inputs.

    Parameters
    ----------
    layers, act, parameters
        The networks.
    X : array of shape [B, n_in]
        The inputs.
    slopes : list of array of shape [m, B, n_j], optional
        Slopes of the hidden layers to keep: x = slope · z replaces x = σ(z). Equal to it for
        σ(t) = σ'(t) t as long as no pre-activation changes its sign.

    Raises
    ------
    RuntimeError
        If pre-activations of a kinked activation underflow.
    """
    incoming, pre, used = [X[None]], [], []
    z = None
    for k, connection in enumerate(layers):
        new = np.matmul(incoming[k], transposed(parameters.weights[k]))
        new += parameters.biases[k][:, None, :]
        if connection.alpha != 1.0:
            new *= connection.alpha
        if z is not None and connection.gamma != 0.0:
            new += connection.gamma * z
        z = new
        if connection.layer.is_output:
            break
        pre.append(z)
        if slopes is None:
            if act.has_kink:
                _check_range(z, connection.layer.index)
            used.append(act.derivative(z))
            incoming.append(act(z))
        else:
            used.append(slopes[k])
            incoming.append(slopes[k] * z)
    assert z is not None
    return Pass(incoming, pre, used, z[:, :, 0])
