"""Batches of narrow networks: layers met through products against stored matrices."""

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.law.crossing.several import changes
from tests.law.crossing.steps import backward, forward

X = np.array([[0.9, -1.3, 0.4], [0.2, 0.7, 1.1]])
Y, SHARES = np.array([0.4, -0.2]), np.array([1.0, 0.6])
CASES = {
    "lowest": (fw.MLP(3, [3, 4], "leaky_relu", 0.3), 1, 0),
    "upper": (fw.MLP(3, [3, 4], "leaky_relu", 0.3), 2, 1),
    "middle": (fw.MLP(3, [4, 3, 3], "leaky_relu", -0.5, hidden_gain=1.6), 2, 0),
    "standard": (
        fw.MLP(3, [3, 3], "leaky_relu", 0.2, parametrization="standard", bias_lr=0.3),
        2,
        0,
    ),
    "relu": (fw.MLP(3, [6, 5]), 2, 0),
}
SIZE = 200_000


def dense(net, layer, at, count, rng):
    """The same means from explicit gradients, parameter by parameter."""
    layers, slope = list(net.layers()), float(net.act.slope or 0.0)
    rate = net.bias_lr if net.trains_biases else 0.0
    weights = [
        np.sqrt(one.weight_variance) * rng.standard_normal((count, one.fan_out, one.fan_in))
        for one in layers
    ]
    points = np.broadcast_to(X.T, (count, 3, 2))
    below = forward(weights, None, points, slope)[0][layer - 1][:, :, at]
    norm = (below**2).sum(axis=1)
    row = weights[layer - 1][:, -1]
    safe = np.where(norm > 0, norm, 1.0)
    row -= ((row * below).sum(axis=1) / safe)[:, None] * below
    inputs, slopes, out = forward(weights, None, points, slope)
    slopes[layer - 1][:, -1, at] = slope  # rounding left a sign
    inputs[layer][:, -1, at] = 0.0
    deltas = backward(weights, slopes)
    outgoing = np.einsum("mk,mk->m", weights[layer][:, :, -1], deltas[layer][:, :, at])
    v = np.zeros((count, layers[layer - 1].fan_out, 1))
    v[:, -1] = 1.0
    overlap, velocity = np.zeros((count, 2)), np.zeros(count)
    for j in range(layer, 0, -1):
        own = v @ inputs[j - 1][:, :, at][:, None, :]
        velocity += layers[j - 1].weight_lr * (own**2).sum(axis=(1, 2)) + rate * (v**2).sum((1, 2))
        for k in range(2):
            grad = deltas[j - 1][:, :, k, None] @ inputs[j - 1][:, :, k][:, None, :]
            overlap[:, k] += layers[j - 1].weight_lr * (own * grad).sum(axis=(1, 2))
            overlap[:, k] += rate * (v[:, :, 0] * deltas[j - 1][:, :, k]).sum(axis=1)
        if j > 1:
            v = weights[j - 1].transpose(0, 2, 1) @ v * slopes[j - 2][:, :, at, None]
    error = SHARES * (out[:, 0] - Y)
    off = (error * overlap).sum(axis=1)
    on = off + error[:, at] * (1 - slope) * outgoing * velocity
    jump = (1 - slope) * outgoing[:, None] * overlap
    jump[:, at] = (1 - slope) * outgoing * ((1 - slope) * outgoing * velocity + 2 * overlap[:, at])
    density = layers[layer - 1].fan_out / np.sqrt(
        2 * np.pi * layers[layer - 1].weight_variance * safe
    )
    speed = np.maximum(-off, 0) - np.maximum(on, 0)
    return np.where(norm[:, None] > 0, density[:, None] * jump * speed[:, None], 0.0)


def statistics(values):
    squeezed = np.tanh(values / 2.0)
    return np.stack([squeezed[:, 0], squeezed[:, 1], *(squeezed**2).T, squeezed.prod(axis=1)])


@pytest.mark.parametrize("name", CASES)
def test_against_stored_matrices(name):
    """5 cases with 5 means each; |z| < 5.4."""
    net, layer, at = CASES[name]
    gram = X @ X.T
    first = statistics(
        changes(net, gram, Y, SHARES, layer, at, SIZE, np.random.default_rng((1, at)))
    )
    second = statistics(dense(net, layer, at, SIZE, np.random.default_rng((2, at))))
    error = ((first.var(axis=1) + second.var(axis=1)) / SIZE) ** 0.5
    z = (first.mean(axis=1) - second.mean(axis=1)) / error
    assert np.abs(z).max() < 5.4
