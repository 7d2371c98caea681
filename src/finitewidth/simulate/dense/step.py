"""One gradient step: where the parameters go, and the kernel's derivative along the way."""

from collections.abc import Sequence

import numpy as np

from finitewidth._shapes import Float, Int
from finitewidth.network import Activation
from finitewidth.simulate.dense.architecture import Connection
from finitewidth.simulate.dense.draw import Parameters
from finitewidth.simulate.dense.forward import Pass, transposed
from finitewidth.simulate.dense.kernel import gram


def move(
    layers: Sequence[Connection],
    bias_rate: float,
    learning_rate: float,
    errors: Float[np.ndarray, "m B"],
    seen: Pass,
    deltas: list[np.ndarray],
) -> Parameters:
    """The change of every parameter in one step on ½ Σ_k (N(x_k) − y_k)².

    ΔŴ^(j) = −η λ_j α_j Σ_k e_k δ_k^(j) x_k^(j−1)ᵀ,  Δb^(j) = −η bias_rate α_j Σ_k e_k δ_k^(j).

    For weights of unit variance, Ŵ = √c W, a step on W moves Ŵ by c times its gradient: λ = c.
    """
    weights, biases = [], []
    for k, connection in enumerate(layers):
        pull = errors[:, :, None] * deltas[k] * (-learning_rate * connection.alpha)
        change = np.matmul(transposed(pull), seen.incoming[k])
        change *= connection.layer.weight_lr
        weights.append(change)
        biases.append(bias_rate * pull.sum(axis=1))
    return Parameters(weights, biases)


def add(parameters: Parameters, change: Parameters) -> None:
    """Move the parameters, in place."""
    for old, new in zip(parameters.weights, change.weights, strict=True):
        old += new
    for k, new in enumerate(change.biases):
        parameters.biases[k] = parameters.biases[k] + new


def directional_derivative(
    layers: Sequence[Connection],
    act: Activation,
    bias_rate: float,
    parameters: Parameters,
    change: Parameters,
    seen: Pass,
    deltas: list[np.ndarray],
) -> Float[np.ndarray, "m B B"]:
    """d/dt K(θ + t·change) at t = 0, by forward-mode differentiation of both passes.

    A dot is d/dt. The kernel's gradients turn it into gᵀHg-like products (Hanin & Nica 2020,
    §2.2) without a Hessian:

        ż^(j) = γ ż^(j−1) + α (ḃ + Ẇ x + Ŵ ẋ),   ẋ^(j) = σ'(z^(j)) ż^(j)
        δ̇^(j) = σ''(z^(j)) ż^(j) ∘ (α Ŵᵀ δ^(j+1)) + σ'(z^(j)) ∘ α (Ẇᵀ δ^(j+1) + Ŵᵀ δ̇^(j+1))
                + γ δ̇^(j+1)

    σ'' is taken almost everywhere, so for piecewise-linear activations the pattern is frozen.
    """
    x_dots: list[np.ndarray] = [np.zeros_like(seen.incoming[0])]
    z_dots: list[np.ndarray] = []
    for k, connection in enumerate(layers[:-1]):
        z_dot = np.matmul(seen.incoming[k], transposed(change.weights[k]))
        z_dot += change.biases[k][:, None, :]
        if k > 0:
            z_dot += np.matmul(x_dots[k], transposed(parameters.weights[k]))
        z_dot *= connection.alpha
        if k > 0 and connection.gamma != 0.0:
            z_dot += connection.gamma * z_dots[-1]
        z_dots.append(z_dot)
        x_dots.append(seen.slopes[k] * z_dot)

    total = np.zeros((*seen.outputs.shape, seen.outputs.shape[1]))
    delta_dot = np.zeros_like(deltas[-1])
    for k in range(len(layers) - 1, -1, -1):
        connection, x, delta = layers[k], seen.incoming[k], deltas[k]
        rate, square = connection.layer.weight_lr, connection.alpha**2
        moved = gram(x_dots[k], x)
        moved += transposed(moved)
        turned = gram(delta_dot, delta)
        turned += transposed(turned)
        total += square * rate * moved * gram(delta, delta)
        total += square * (rate * gram(x, x) + bias_rate) * turned
        if k == 0:
            break
        tangent = np.matmul(delta, change.weights[k])
        tangent += np.matmul(delta_dot, parameters.weights[k])
        tangent *= connection.alpha * seen.slopes[k - 1]
        if act.slope is None:
            curvature = act.derivatives[1](seen.pre[k - 1]) * z_dots[k - 1]
            curvature *= connection.alpha
            tangent += curvature * np.matmul(delta, parameters.weights[k])
        if connection.gamma != 0.0:
            tangent += connection.gamma * delta_dot
        delta_dot = tangent
    return total


def crossings(act: Activation, before: Pass, after: Pass) -> Int[np.ndarray, " m"]:
    """Number of (hidden neuron, input) pairs that opened or closed; 0 counts as closed.

    All 0 for activations without a kink at 0.
    """
    count = np.zeros(len(before.outputs), dtype=np.int64)
    if act.has_kink:
        for old, new in zip(before.pre, after.pre, strict=True):
            count += ((old > 0) != (new > 0)).sum(axis=(1, 2))
    return count
