"""Lemma 7 for every quadruple of paths, with all settings of discrete weights gone through.

The weights take four values ±0.6, ±√(2 − 0.36) with probability ¼, symmetric and of variance 1,
so that means are finite sums and no sampling error enters. Weights with a density make no
pre-activation 0 unless the layer below is dead (Lemma 11); these can, where two neurons below are
equal, and are then open or not by a sign that is odd in the neuron's weights like the others.
"""

from itertools import pairwise, product
from math import prod

import numpy as np
import pytest

from finitewidth.network import MLP
from finitewidth.paths.multiset import Multiset
from finitewidth.paths.path import Path, paths
from finitewidth.paths.scheme import SCHEMES
from finitewidth.paths.weight import Constants, constants, weight

ATOMS = np.array([0.6, np.sqrt(2 - 0.36), -0.6, -np.sqrt(2 - 0.36)])
FOURTH = float(np.mean(ATOMS**4))


def settings(sizes: tuple[int, ...]) -> list[np.ndarray]:
    """All weights of all settings: arrays [settings, n_j, n_(j−1)], unit variance."""
    shapes = [(above, below) for below, above in pairwise(sizes)]
    entries = sum(a * b for a, b in shapes)
    table = np.array(list(product(ATOMS, repeat=entries)))
    cuts = np.cumsum([a * b for a, b in shapes])[:-1]
    return [
        part.reshape(len(table), *shape)
        for part, shape in zip(np.split(table, cuts, axis=1), shapes, strict=True)
    ]


def slopes(weights: list[np.ndarray], x: np.ndarray, slope: float) -> list[np.ndarray]:
    signal, found = np.broadcast_to(x, (len(weights[0]), len(x))), []
    for matrix in weights[:-1]:
        before = np.einsum("sab,sb->sa", matrix, signal)
        tie = np.einsum("sab,sb->sa", matrix, signal * np.sqrt(2.0 + np.arange(signal.shape[1])))
        found.append(np.where(before + 1e-9 * tie > 0, 1.0, slope))
        signal = found[-1] * before
    return found


@pytest.mark.parametrize(("activation", "slope"), [("relu", 0.0), ("leaky_relu", 0.3)])
@pytest.mark.parametrize("sizes", [(2, 2, 1, 1), (1, 2, 2, 1), (1, 1, 2, 1, 1)], ids=str)
@pytest.mark.parametrize("quantity", SCHEMES)
def test_every_quadruple(sizes, quantity: str, activation: str, slope: float) -> None:
    plan = SCHEMES[quantity]
    x = np.array([0.83, -1.31])[: sizes[0]]
    net = MLP(n_in=sizes[0], widths=sizes[1:-1], activation=activation, negative_slope=slope)
    of = constants(net, x)
    of = Constants(**{**vars(of), "fourth": FOURTH})
    weights = settings(sizes)
    gates = slopes(weights, x, slope)
    biases = [(layer, z) for layer in range(1, len(sizes)) for z in range(sizes[layer])]
    seen = 0
    for starts in product(biases, repeat=len(plan.biases)):
        bundles: list[list[Path]] = [list(paths(sizes))] * plan.paths
        for pair, (layer, z) in zip(plan.biases, starts, strict=True):
            for one in pair:
                bundles[one] = list(paths(sizes, layer, z))
        for gamma in product(*bundles):
            for marks in product(
                *(set(gamma[a].edges) & set(gamma[b].edges) for a, b in plan.marks)
            ):
                if plan.apart and marks[0].layer == marks[1].layer:
                    continue
                value = np.full(
                    len(weights[0]),
                    prod((float(x[p(0)]) for p in gamma if p.start == 0), start=1.0),
                )
                for number, path in enumerate(gamma):
                    for edge in path.edges:
                        left_out = any(
                            mark == edge and number in pair
                            for mark, pair in zip(marks, plan.marks, strict=True)
                        )
                        scale = np.sqrt(of.scale[edge.layer - 1])
                        value *= scale * (
                            1.0 if left_out else weights[edge.layer - 1][:, edge.right, edge.left]
                        )
                    for layer in range(max(path.start, 1), len(sizes) - 1):
                        value *= gates[layer - 1][:, path(layer)]
                multiset = Multiset.of(gamma)
                wanted = weight(multiset, marks, starts, of) if multiset.even else 0.0
                assert np.mean(value) == pytest.approx(wanted, rel=1e-11, abs=1e-13)
                seen += wanted != 0.0
    assert seen >= 4
