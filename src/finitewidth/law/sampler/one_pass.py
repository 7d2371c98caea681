"""One pass backwards draws K of a block of networks at a cost that does not depend on the width.

With Gaussian weights and r_j = |x^(j)|², s_j = |∂N/∂y^(j)|² (docs, "The law of K itself"):

    r_j = c_j r_{j−1} Y_j,   N² = c_d r_{d−1} g²,   s_d = 1,
    K_w = Σ_j λ_j r_{j−1} s_j,   K_b = Σ_j s_j .

The gradient is pinned along x^(j) only, because x^(j)·δ^(j) = N. In the scale-free variables
t_j = s_j r_j/N² and q_j = t_j/Y_j (q_d = 1/g²) everything is one pass from the output down,

    t_j = T(q_{j+1}; draws of layer j),   K_w = N² Σ_j (λ_j/c_j) q_j,   s_j = t_j P_j,
    P_{d−1} = c_d g²,   P_{j−1} = P_j c_j Y_j   (P_j = N²/r_j, so N² = P_0 |x|²),

with no array of layers kept. T and Y are the activation's: see `neurons`. P and K_b run as
mantissa and power of two, so that 20,000 layers neither under- nor overflow.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log2

import numpy as np

from finitewidth._shapes import Bool, Float, Int
from finitewidth.law.layerwise import hidden_segments
from finitewidth.law.sampler.neurons import Neurons
from finitewidth.network import MLP


@dataclass(frozen=True)
class Block:
    """K of the networks of one block, in mantissas and powers of two.

    Attributes
    ----------
    output : array [n]
        g: the output is N = g √(c_d r_{d−1}).
    norm, norm_power : array [n]
        N² = norm · 2^norm_power.
    shares : array [n]
        K_w/N².
    biases, biases_power : array [n]
        K_b = biases · 2^biases_power, before the biases' learning-rate factor.
    alive : array [n]
        False where a hidden layer is dead: then N = K_w = 0 and K_b = 1.
    """

    output: Float[np.ndarray, " n"]
    norm: Float[np.ndarray, " n"]
    norm_power: Int[np.ndarray, " n"]
    shares: Float[np.ndarray, " n"]
    biases: Float[np.ndarray, " n"]
    biases_power: Int[np.ndarray, " n"]
    alive: Bool[np.ndarray, " n"]


def _hidden_layers_from_the_top(net: MLP) -> Iterator[tuple[int, float, float]]:
    """Width, c_j and λ_j/c_j of the layers d−1, …, 1."""
    # The first segment is layer 1 alone, which may be scaled as no other.
    for place, segment in reversed(list(enumerate(hidden_segments(net), start=1))):
        layer = net.layer(place, segment.fan_in, segment.width)
        mark = layer.weight_lr / layer.weight_variance
        for _ in range(segment.count):
            yield segment.width, layer.weight_variance, mark


def draw_block(net: MLP, squared_norm: float, rng: np.random.Generator, count: int) -> Block:
    """Draw one block.

    Parameters
    ----------
    net : MLP
        Gaussian weights, 1-homogeneous activation.
    squared_norm : float
        |x|².
    rng : numpy.random.Generator
        The block's own stream.
    count : int
        Networks n in the block.
    """
    assert net.act.slope is not None
    neurons = Neurons(net.act.slope, count)
    top = net.runs[-1][0] if net.runs else net.n_in
    last = net.layer(net.depth, top, 1)
    output = rng.standard_normal(count)
    squared = output * output
    q = 1.0 / squared
    shares = q * (last.weight_lr / last.weight_variance)
    ratio, shift = np.frexp(squared * last.weight_variance)  # P in units of 2^ratio_power
    ratio_power = shift.astype(np.int64)
    biases_power = np.maximum(ratio_power, 0)
    biases = np.ldexp(1.0, _shift(-biases_power))
    gauge = np.ldexp(1.0, _shift(ratio_power - biases_power))
    alive = np.ones(count, dtype=bool)
    term = np.empty(count)
    every = _layers_between_scalings(net)
    for done, (width, variance, mark) in enumerate(_hidden_layers_from_the_top(net), start=1):
        t, y = neurons.draw(rng, width, q, alive)
        np.multiply(ratio, t, out=term)
        term *= gauge
        biases += term
        np.divide(t, y, out=q)
        if mark == 1.0:
            shares += q
        else:
            shares += mark * q
        y *= variance
        ratio *= y
        if done % every == 0:
            ratio, shift = np.frexp(ratio)
            ratio_power += shift
            higher = np.maximum(biases_power, ratio_power)
            biases = np.ldexp(biases, _shift(biases_power - higher))
            biases_power = higher
            gauge = np.ldexp(1.0, _shift(ratio_power - higher))
    norm, shift = np.frexp(ratio * squared_norm)
    return Block(output, norm, ratio_power + shift, shares, biases, biases_power, alive)


def _shift(power: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """A power of two that ldexp takes; below 2^−2000 everything is 0."""
    return np.maximum(power, -2000)


def _layers_between_scalings(net: MLP) -> int:
    """How many factors c·Y a double takes in its stride, with hundreds of powers to spare."""
    slope = abs(net.act.slope or 1.0)  # Y ≥ a² χ²_n where every neuron is inactive
    powers = 20.0 + abs(log2(net.hidden_gain)) + abs(2.0 * log2(slope))
    return max(1, min(16, int(320.0 / powers)))
