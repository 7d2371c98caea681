"""The kernel and its update in one network, as sums over paths (Hanin & Nica 2020, Lemma 6).

    N = Σ_γ wt(γ),   ∂N/∂Ŵ_e = Σ_(γ ∋ e) wt(γ)/Ŵ_e,   ∂N/∂b_z = Σ_(γ from z) wt(γ)

    K_w   = Σ_e λ_e Σ_(γ₁, γ₂ ∋ e) wt(γ₁) wt(γ₂)/Ŵ_e²
    K_b   = Σ_z λ_b Σ_(γ₁, γ₂ from z) wt(γ₁) wt(γ₂)
    Δ_ww  = Σ_(e ≠ e') λ_e λ_e' Σ wt(γ₁)/Ŵ_e · wt(γ₂)/(Ŵ_e Ŵ_e') · wt(γ₃)/Ŵ_e' · wt(γ₄)
    Δ_wb  = Σ_(e, z)  λ_e λ_b  Σ wt(γ₁)/Ŵ_e · wt(γ₂)/Ŵ_e · wt(γ₃) · wt(γ₄)

with γ₁ ∋ e, γ₂ ∋ e, e' (or e and from z), γ₃ ∋ e' (or from z), γ₄ free. No weight is divided by:
a marked edge is left out of the product. Here every path of the network is gone through; the sums
over the four paths of a quadruple are then separate for given edges, and are taken one after the
other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import fsum

import numpy as np
from numpy.typing import ArrayLike

from finitewidth._shapes import Float, Int
from finitewidth.network import MLP
from finitewidth.paths.field import checked_input, checked_network
from finitewidth.paths.path import count

LIMIT = 2_000_000


@dataclass(frozen=True)
class PathSums:
    """The sums of Lemma 6 in one network at one input.

    Attributes
    ----------
    output : float
        N.
    weights, biases : float
        K_w and K_b.
    weights_squared, cross, biases_squared : float
        K_w², K_b K_w and K_b².
    update_ww, update_wb : float
        Δ_ww and Δ_wb, with N gᵀHg = Δ_ww + 2 Δ_wb, activation pattern frozen.
    """

    output: float
    weights: float
    biases: float
    weights_squared: float
    cross: float
    biases_squared: float
    update_ww: float
    update_wb: float


def draw(net: MLP, seed: int = 0) -> list[Float[np.ndarray, "_ _"]]:
    """Scaled weights Ŵ^(1) … Ŵ^(d) of one network, Ŵ^(j) of shape [n_j, n_(j−1)]."""
    generator = np.random.default_rng(seed)
    return [
        np.sqrt(layer.weight_variance) * net.law.sample(generator, (layer.fan_out, layer.fan_in))
        for layer in net.layers()
    ]


def path_sums(net: MLP, weights: Sequence[ArrayLike], x: ArrayLike) -> PathSums:
    """The sums over paths of Lemma 6 in the network that has these weights.

    Parameters
    ----------
    net : MLP
        One output, biases zero, an activation linear on either side of 0, no residual
        connections; its widths and learning-rate factors are used, its weight law is not.
    weights : sequence of arrays
        The scaled weights Ŵ^(1) … Ŵ^(d), Ŵ^(j) of shape [n_j, n_(j−1)], for example of `draw`.
    x : array of shape [n_in]
        The input.

    Returns
    -------
    PathSums
        Equal to what differentiating the network gives, up to rounding.

    Raises
    ------
    ValueError
        For weights that do not fit the network, a network outside this field, and, before it
        starts, for one with more than two million paths.
    """
    net = checked_network(net)
    array = checked_input(net, x)
    sizes = (net.n_in, *net.widths, 1)
    matrices = _checked_weights(weights, sizes)
    if count(sizes) > LIMIT:
        raise ValueError(
            f"the network has {count(sizes)} paths ({count(sizes) ** 4:.1e} quadruples), more than "
            f"{LIMIT}; use finitewidth.simulate.ensemble, which differentiates instead."
        )
    slopes = _slopes(net, matrices, array)
    rates = [layer.weight_lr for layer in net.layers()]
    rate = net.bias_lr if net.trains_biases else 0.0
    bundles = [_Bundle(sizes, start, matrices, slopes, array) for start in range(len(sizes))]
    return _assemble(bundles, rates, rate)


def _assemble(bundles: "list[_Bundle]", rates: list[float], bias_rate: float) -> PathSums:
    depth, whole = len(rates), bundles[0]
    output = fsum(whole.value(()))
    first = [whole.summed((j,)) for j in range(1, depth + 1)]  # ∂N/∂Ŵ of each layer
    biases = [bundle.summed(()) for bundle in bundles[1:]]  # ∂N/∂b of each layer
    k_w = fsum(lam * fsum(g * g) for lam, g in zip(rates, first, strict=True))
    k_b = bias_rate * fsum(fsum(g * g) for g in biases)
    ww, wb = [], []
    for low in range(1, depth + 1):
        for high in range(low + 1, depth + 1):
            second = whole.summed((low, high))  # ∂²N/∂Ŵ_e∂Ŵ_e', e in `low` and e' in `high`
            form = np.einsum("e,ef,f->", first[low - 1], second, first[high - 1])
            ww.append(2.0 * rates[low - 1] * rates[high - 1] * form)  # both orders of (e, e')
            mixed = bundles[low].summed((high,))  # ∂²N/∂b_z∂Ŵ_e, z in layer `low` below e
            form = np.einsum("z,ze,e->", biases[low - 1], mixed, first[high - 1])
            wb.append(bias_rate * rates[high - 1] * form)
    return PathSums(
        output, k_w, k_b, k_w**2, k_b * k_w, k_b**2, output * fsum(ww), output * fsum(wb)
    )


class _Bundle:
    """All paths from one layer to the output in one network, and their factors."""

    def __init__(
        self,
        sizes: Sequence[int],
        start: int,
        weights: Sequence[Float[np.ndarray, "_ _"]],
        slopes: Sequence[Float[np.ndarray, " _"]],
        x: Float[np.ndarray, " n_in"],
    ) -> None:
        grid = np.indices(sizes[start:]).reshape(len(sizes) - start, -1)
        self.start, self.sizes, self.neurons = start, sizes, grid
        outside = x[grid[0]] if start == 0 else np.ones(grid.shape[1])
        for layer in range(max(start, 1), len(sizes) - 1):  # open at every hidden neuron
            outside = outside * slopes[layer - 1][grid[layer - start]]
        self.outside = outside
        self.along = {
            layer: weights[layer - 1][grid[layer - start], grid[layer - start - 1]]
            for layer in range(start + 1, len(sizes))
        }

    def value(self, marked: tuple[int, ...]) -> Float[np.ndarray, " paths"]:
        """wt(γ) of every path, without the weights of its edges in the marked layers."""
        value = self.outside
        for layer, weight in self.along.items():
            if layer not in marked:
                value = value * weight
        return value

    def summed(self, marked: tuple[int, ...]) -> Float[np.ndarray, "..."]:
        """Sums over the paths through given edges of the marked layers, one axis each.

        For paths that start at a bias the first axis is the neuron where they start. The edge
        from z to w of layer j is number z·n_j + w.
        """
        axes: list[Int[np.ndarray, " paths"]] = []
        shape: list[int] = []
        if self.start > 0:
            axes.append(self.neurons[0])
            shape.append(self.sizes[self.start])
        for layer in marked:
            left, right = self.neurons[layer - self.start - 1], self.neurons[layer - self.start]
            axes.append(left * self.sizes[layer] + right)
            shape.append(self.sizes[layer - 1] * self.sizes[layer])
        total = np.zeros(shape)
        np.add.at(total, tuple(axes), self.value(marked))
        return total


def _slopes(
    net: MLP,
    weights: Sequence[Float[np.ndarray, "_ _"]],
    x: Float[np.ndarray, " n_in"],
) -> list[Float[np.ndarray, " _"]]:
    """σ'(y) of the hidden neurons: 1{open} for ReLU, 0 at y = 0 as in PyTorch."""
    slopes, signal = [], x
    for weight in weights[:-1]:
        before = weight @ signal
        slopes.append(np.asarray(net.act.derivative(before), dtype=np.float64))
        signal = np.asarray(net.act(before), dtype=np.float64)
    return slopes


def _checked_weights(
    weights: Sequence[ArrayLike], sizes: Sequence[int]
) -> list[Float[np.ndarray, "_ _"]]:
    matrices = [np.asarray(weight, dtype=np.float64) for weight in weights]
    shapes = [matrix.shape for matrix in matrices]
    wanted = [(above, below) for below, above in pairwise(sizes)]
    if shapes != wanted:
        raise ValueError(
            f"the weights have shapes {shapes}, expected {wanted} (fan-out, fan-in) for layers "
            "1 … d of this network."
        )
    if not all(np.isfinite(matrix).all() for matrix in matrices):
        raise ValueError("the weights hold numbers that are not finite, expected finite ones.")
    return matrices
