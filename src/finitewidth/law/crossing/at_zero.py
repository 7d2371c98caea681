"""Networks with one neuron at zero, drawn at a cost that does not depend on the width.

Neuron u of layer j sits at y_u = 0; its layer has n_j − 1 others. In the notation of `one_neuron`
an event needs N, r_{j−1}, s_{j+1} = |∂N/∂y^(j+1)|², q = |∇y_u|² and m = ∇y_u·∇N_0. With v^(l) and
δ^(l) the gradients of y_u and N in y^(l),

    q = κ_j + Σ_{l<j} κ_l |v^(l)|²,   m = Σ_{l<j} κ_l v^(l)·δ^(l),   κ_l = λ_l r_{l−1} + β .

Gaussian matrices that are met only through products need never be stored, and here not even the
vectors. Both functions are homogeneous in the layer, so δ^(l)·y^(l) = N and v^(l)·y^(l) = y_u = 0.
Given the layers above, with σ² = c_{l+1} s_{l+1}, b = v·δ/s in layer l+1 and
τ² = c_{l+1}(|v|² − (v·δ)²/s),

    δ^(l) = D h,   h = (N/r_l) x^(l) + σ g_⊥ ;     v^(l) = D v',   v' = b σ g_⊥ + τ g'_⊥

where g_⊥, g'_⊥ are standard normal vectors orthogonal to x^(l) and D holds the slopes. Only their
lengths and angles matter, and in the subspaces of active and of inactive neurons these are
normal and chi-square variables. So |δ|², |v|² and v·δ pass from layer to layer exactly.

As in the sampler of the kernel, r_l is carried as P_l = N²/r_l, known from the output down.
"""

from dataclasses import dataclass
from math import pi

import numpy as np

from finitewidth._shapes import Float, Int
from finitewidth.law.crossing.neurons import draw
from finitewidth.network import MLP


@dataclass(frozen=True)
class Event:
    """Networks with a neuron at zero, one entry each.

    Attributes
    ----------
    output : array [n]
        N.
    normal, power : array [n]
        N/√power is the standard normal readout, power = c_d r_{d−1}; for control variates.
    density : array [n]
        The density of y_u at 0, (2π c_j r_{j−1})^(−1/2).
    velocity : array [n]
        q.
    overlap : array [n]
        m.
    outgoing : array [n]
        σ_a² = c_{j+1} s_{j+1}.
    alive : array [n]
        False where a hidden layer is dead, in networks with more than one: then the event
        changes nothing and the rest is 0.
    """

    output: Float[np.ndarray, " n"]
    normal: Float[np.ndarray, " n"]
    power: Float[np.ndarray, " n"]
    density: Float[np.ndarray, " n"]
    velocity: Float[np.ndarray, " n"]
    overlap: Float[np.ndarray, " n"]
    outgoing: Float[np.ndarray, " n"]
    alive: np.ndarray


def draw_at_zero(
    net: MLP,
    squared_norm: float,
    places: Int[np.ndarray, " n"],
    rng: np.random.Generator,
) -> Event:
    """Draw one network for every entry of `places`.

    Parameters
    ----------
    net : MLP
        Gaussian weights, 1-homogeneous activation, zero biases at initialisation.
    squared_norm : float
        |x|².
    places : array of int [n]
        The hidden layer j = 1 … L of the neuron at zero, in falling order.
    rng : numpy.random.Generator
        The block's own stream.
    """
    slope = net.act.slope
    assert slope is not None
    count = len(places)
    layers = list(net.layers())
    normal = rng.standard_normal(count)
    ratio = layers[-1].weight_variance * normal * normal  # P_l, from P_{d−1} = c_d g²
    sensitivity = np.ones(count)  # s_{l+1}
    length, product = np.zeros(count), np.zeros(count)  # |v|² and v·δ in layer l+1
    by_weights, by_biases = np.zeros(count), np.zeros(count)  # q = N² (…) + β (…)
    shared_weights, shared_biases = np.zeros(count), np.zeros(count)  # m likewise
    density, outgoing = np.zeros(count), np.zeros(count)
    alive = np.ones(count, dtype=bool)
    for place in range(len(layers) - 1, 0, -1):
        layer, above = layers[place - 1], layers[place]
        here = slice(*np.searchsorted(-places, (-place, 1 - place)))
        begun = slice(0, here.start)  # the networks whose neuron lies further up
        others = np.full(count, layer.fan_out)
        others[here] -= 1
        outgoing[here] = above.weight_variance * sensitivity[here]
        drawn = draw(rng, others, slope)
        alive &= drawn.norm > 0
        drawn.norm[drawn.norm == 0] = 1.0
        sensitivity, length[begun], product[begun] = drawn.through(
            rng,
            above.weight_variance,
            ratio,
            sensitivity,
            length[begun],
            product[begun],
        )
        length[here] = 1.0
        ratio = ratio * layer.weight_variance * drawn.norm  # P_{l−1}
        density[here] = np.sqrt(ratio[here] / (2.0 * pi * layer.weight_variance))
        going = slice(0, here.stop)
        share = layer.weight_lr / ratio[going]
        by_weights[going] += share * length[going]
        by_biases[going] += length[going]
        shared_weights[going] += share * product[going]
        shared_biases[going] += product[going]
    square = ratio * squared_norm  # N²
    rate = net.bias_lr if net.trains_biases else 0.0
    output = np.where(alive, np.copysign(np.sqrt(square), normal), 0.0)
    if len(layers) == 2:
        # nothing lies below, and the other neurons may well be dead
        whole = np.ones(count)
        first = layers[0]
        return Event(
            output=output,
            normal=normal,
            power=(output / normal) ** 2,
            density=whole / np.sqrt(2.0 * pi * first.weight_variance * squared_norm),
            velocity=whole * (first.weight_lr * squared_norm + rate),
            overlap=np.zeros(count),
            outgoing=outgoing,
            alive=whole > 0,
        )
    return Event(
        output=output,
        normal=normal,
        power=np.where(alive, square / (normal * normal), 0.0),
        density=np.where(alive, density / np.sqrt(square), 0.0),
        velocity=square * by_weights + rate * by_biases,
        overlap=square * shared_weights + rate * shared_biases,
        outgoing=outgoing,
        alive=alive,
    )
