"""The mean weight of a quadruple of paths (Hanin & Nica 2020, Lemma 7).

It depends on the quadruple only through its multiset of edges and on where the marks are:

    E Π_k wt(γ_k) = Π (inputs at the left ends) · Π_j c_j^(paths in layer j / 2)
                    · Π_(edges of all four paths, unmarked) μ_4 · Π_(hidden neurons) A_(paths at it)

with A_2m = (1 + a^(2m))/2 the mean of the slope to the power 2m, ½ for ReLU. The paper writes
the constant factors for ReLU as ½ Π 2^(2−|Γ(i)|)/n²; with any scale, and any slope a for negative
arguments, they are the ones above. A marked edge carries no weight on either path of its pair:
its μ_4 becomes μ_2 = 1 (or μ_0 = 1), and λ_j stands for c_j once for each mark. A pair that starts
at a bias of layer j with nothing below it needs that no layer below is dead, for ReLU
Π_(i<j) (1 − 2^(−n_i)).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from finitewidth._shapes import Float
from finitewidth.network import MLP
from finitewidth.paths.multiset import Multiset
from finitewidth.paths.path import Edge


@dataclass(frozen=True)
class Constants:
    """What Lemma 7 needs of a network and an input.

    Attributes
    ----------
    x : array of shape [n_in]
    sizes : tuple of int
        n_0 … n_d.
    scale, rate : tuple of float
        c_j and λ_j of weight layers j = 1 … d, at index j − 1.
    slope : float
        a, the slope of the activation for negative arguments.
    fourth : float
        μ_4 of the weights.
    bias_lr : float
        The learning-rate factor of the biases; 0 if they are not trained.
    """

    x: Float[np.ndarray, " n_in"]
    sizes: tuple[int, ...]
    scale: tuple[float, ...]
    rate: tuple[float, ...]
    slope: float
    fourth: float
    bias_lr: float

    @property
    def depth(self) -> int:
        """d, the number of weight layers."""
        return len(self.scale)

    def open(self, times: int) -> float:
        """A_times: the mean of σ'(y)^times at a neuron whose layer below is not dead."""
        return (1.0 + self.slope**times) / 2.0

    def alive(self, layer: int) -> float:
        """The probability that no hidden layer below `layer` is dead (Lemma 11)."""
        if self.slope != 0.0:
            return 1.0
        return prod(1.0 - 0.5**n for n in self.sizes[1:layer])


def constants(net: MLP, x: Float[np.ndarray, " n_in"]) -> Constants:
    """The constants of a network whose field of use was checked."""
    layers = list(net.layers())
    slope = net.act.slope
    assert slope is not None
    return Constants(
        x,
        (net.n_in, *net.widths, net.n_out),
        tuple(layer.weight_variance for layer in layers),
        tuple(layer.weight_lr for layer in layers),
        float(slope),
        float(net.law.moment(4)),
        net.bias_lr if net.trains_biases else 0.0,
    )


def weight(
    multiset: Multiset, marks: Sequence[Edge], starts: Sequence[tuple[int, int]], of: Constants
) -> float:
    """E Π_k wt(γ_k) of every quadruple with these edges, marks and bias starts.

    Parameters
    ----------
    multiset : Multiset
        An even multiset of the edges of four paths.
    marks : sequence of Edge
        Its marked edges.
    starts : sequence of (layer, neuron)
        Where the pairs that start at a bias do.
    of : Constants
        The network and its input.
    """
    value = prod(float(of.x[neuron]) for neuron in multiset.starts[0])
    value *= of.bias_lr ** len(starts)
    if not multiset.starts[0]:
        lowest = min(layer for layer, _ in starts)
        value *= of.alive(lowest) if lowest < of.depth else 1.0
    for layer, edges in enumerate(multiset.edges, start=1):
        marked = Counter(mark for mark in marks if mark.layer == layer)
        value *= of.scale[layer - 1] ** (len(edges) // 2 - marked.total())
        value *= of.rate[layer - 1] ** marked.total()
        for edge, times in Counter(edges).items():
            value *= of.fourth if times - 2 * marked[edge] == 4 else 1.0
        if layer < of.depth:
            value *= prod(of.open(times) for times in Counter(multiset.neurons(layer)).values())
    return value
