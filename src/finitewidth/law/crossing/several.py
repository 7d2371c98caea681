"""The crossing term of every kernel entry of several inputs: one block of networks.

Let neuron u of layer j sit at zero at input ξ, and let M_k = ∇y_u(x_ξ)·∇N(x_k) with u off at ξ,
q = |∇y_u(x_ξ)|², a = ∂N(x_ξ)/∂x_u. The step θ → θ − λ Σ_k w_k e_k ∇N(x_k) moves y_u(x_ξ) at the
speeds −P_off and −P_on,

    P_off = Σ_k w_k e_k M_k,   P_on = P_off + (1−α) w_ξ e_ξ a q ,

and the crossing changes K(x_ξ, x_b) by (1−α) a M_b for b ≠ ξ and K(x_ξ, x_ξ) by
(1−α) a ((1−α) a q + 2 M_ξ). So, with (z)₊ = max(z, 0) and (z)₋ = max(−z, 0), the entries change by

    λ Σ_j n_j E[ (2π c_j r_{j−1}(x_ξ))^(−1/2) · jump · ((P_off)₋ − (P_on)₊) ] ,

summed over ξ ∈ {a, b}. For w_ξ = 0 both speeds are equal: no term of order n^(−1/2).
M_k = Σ_{l≤j} (λ_l x^(l−1)_ξ·x^(l−1)_k + β) v^(l)·δ^(l)(k), v^(j) the unit vector of u.
"""

from math import pi

import numpy as np

from finitewidth._shapes import Float
from finitewidth.law.crossing.gram import backward, forward
from finitewidth.network import MLP


def changes(
    net: MLP,
    gram: Float[np.ndarray, "B B"],
    targets: Float[np.ndarray, " B"],
    weights: Float[np.ndarray, " B"],
    layer: int,
    at: int,
    count: int,
    rng: np.random.Generator,
) -> Float[np.ndarray, "n B"]:
    """Changes of K(x_at, x_b) for all b, per unit of learning rate, one row a network.

    Parameters
    ----------
    net : MLP
        Gaussian weights, 1-homogeneous activation.
    gram : array [B, B]
        x_a·x_b.
    targets, weights : array [B]
        y_k and w_k.
    layer, at : int
        j = 1 … L, and the input ξ at which its last neuron sits at zero.
    count : int
        Networks n.
    rng : numpy.random.Generator
        The block's stream.
    """
    slope = float(net.act.slope or 0.0)
    layers, size = list(net.layers()), len(gram)
    rate = net.bias_lr if net.trains_biases else 0.0
    grams = [np.broadcast_to(gram, (count, size, size))]
    inputs: list[np.ndarray] = []
    outputs: list[np.ndarray] = []
    slopes: list[np.ndarray] = []
    alive = np.ones(count, dtype=bool)
    for place, one in enumerate(layers[:-1], start=1):
        y = forward(rng, grams[-1], one.fan_out, one.weight_variance)
        if place == layer:
            alive = grams[-1][:, at, at] > 0
            # the last row given that it is 0 at ξ
            toward = grams[-1][:, at, :] / np.where(alive, grams[-1][:, at, at], 1.0)[:, None]
            y[:, -1, :] -= y[:, -1, at, None] * toward
            y[:, -1, at] = 0.0
        outputs.append(y)
        slopes.append(np.where(y > 0, 1.0, slope))
        inputs.append(y * slopes[-1])
        grams.append(inputs[-1].transpose(0, 2, 1) @ inputs[-1])
    readout = forward(rng, grams[-1], 1, layers[-1].weight_variance)
    errors = weights * (readout[:, 0, :] - targets)
    outputs.append(readout)
    queries = np.ones((count, 1, size))  # δ^(l)(k), and v^(l) as one more column below the layer
    overlap, velocity = np.zeros((count, size)), np.zeros(count)
    outgoing = np.zeros(count)
    for place in range(len(layers) - 1, 0, -1):
        back = backward(
            rng,
            inputs[place - 1],
            grams[place],
            outputs[place],
            queries,
            layers[place].weight_variance,
        )
        if place == layer:
            outgoing = back[:, -1, at].copy()
        mask = slopes[place - 1]
        if place < layer:
            mask = np.concatenate([mask, mask[:, :, at, None]], axis=2)
        queries = back * mask
        if place == layer:
            unit = np.zeros((count, queries.shape[1], 1))
            unit[:, -1] = 1.0
            queries = np.concatenate([queries, unit], axis=2)
        if place <= layer:
            kappa = layers[place - 1].weight_lr * grams[place - 1][:, at, :] + rate
            v = queries[:, :, -1]
            overlap += kappa * np.einsum("mn,mnb->mb", v, queries[:, :, :-1])
            velocity += kappa[:, at] * np.einsum("mn,mn->m", v, v)
    one = layers[layer - 1]
    spread = 2.0 * pi * one.weight_variance * np.where(alive, grams[layer - 1][:, at, at], 1.0)
    density = np.where(alive, one.fan_out / np.sqrt(spread), 0.0)
    return density[:, None] * _jumps(overlap, velocity, (1.0 - slope) * outgoing, errors, at)


def _jumps(
    overlap: Float[np.ndarray, "n B"],
    velocity: Float[np.ndarray, " n"],
    outgoing: Float[np.ndarray, " n"],
    errors: Float[np.ndarray, "n B"],
    at: int,
) -> Float[np.ndarray, "n B"]:
    """Jump times speed; `outgoing` is (1−α) a and `errors` w_k e_k."""
    off = (errors * overlap).sum(axis=1)
    on = off + errors[:, at] * outgoing * velocity
    jump = outgoing[:, None] * overlap
    jump[:, at] = outgoing * (outgoing * velocity + 2.0 * overlap[:, at])
    return jump * (np.maximum(-off, 0.0) - np.maximum(on, 0.0))[:, None]
