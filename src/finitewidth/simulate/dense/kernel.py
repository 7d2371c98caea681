"""Backpropagation of a batch of networks, and the two parts of the tangent kernel."""

from collections.abc import Sequence

import numpy as np

from finitewidth._shapes import Float
from finitewidth.simulate.dense.architecture import Connection
from finitewidth.simulate.dense.draw import Parameters
from finitewidth.simulate.dense.forward import Pass, transposed


def backward(layers: Sequence[Connection], parameters: Parameters, seen: Pass) -> list[np.ndarray]:
    """δ^(j) = ∂N/∂z^(j) for j = 1 … d, each of shape [m, B, n_j].

    δ^(d) = 1,  δ^(j) = σ'(z^(j)) ∘ (α_{j+1} Ŵ^(j+1)ᵀ δ^(j+1)) + γ_{j+1} δ^(j+1).
    """
    deltas = [np.ones((*seen.outputs.shape, 1))]
    for k in range(len(layers) - 1, 0, -1):
        above, connection = deltas[-1], layers[k]
        delta = np.matmul(above, parameters.weights[k])
        if connection.alpha != 1.0:
            delta *= connection.alpha
        delta *= seen.slopes[k - 1]
        if connection.gamma != 0.0:
            delta += connection.gamma * above
        deltas.append(delta)
    return deltas[::-1]


def gram(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Inner products of the rows: [m, B, n] and [m, B, n] to [m, B, B]."""
    return np.matmul(a, transposed(b))


def kernel(
    layers: Sequence[Connection], bias_rate: float, seen: Pass, deltas: list[np.ndarray]
) -> tuple[Float[np.ndarray, "m B B"], Float[np.ndarray, "m B B"]]:
    """K_w = Σ_j α_j² λ_j (x_a^(j−1)·x_b^(j−1)) (δ_a^(j)·δ_b^(j)) and K_b without the x factor.

    A weight or bias of layer j reaches z^(j) through α_j, hence ∂N/∂Ŵ^(j) = α_j δ^(j) x^(j−1)ᵀ
    and the factor α_j²; γ_j enters through δ alone.

    Parameters
    ----------
    layers
        The connections, with λ_j and α_j.
    bias_rate : float
        Learning-rate factor of the biases; 0 if they are not trained.
    seen, deltas
        Results of `forward` and `backward`.
    """
    m, count = seen.outputs.shape
    weights, biases = np.zeros((m, count, count)), np.zeros((m, count, count))
    for k, connection in enumerate(layers):
        gradients = connection.alpha**2 * gram(deltas[k], deltas[k])
        biases += bias_rate * gradients
        gradients *= connection.layer.weight_lr * gram(seen.incoming[k], seen.incoming[k])
        weights += gradients
    return weights, biases
