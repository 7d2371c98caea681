"""Lemma 6, network by network: sums over paths against differentiation and against quadruples."""

from itertools import product
from math import fsum, prod

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.paths.path import Path, paths
from finitewidth.paths.scheme import SCHEMES
from finitewidth.paths.sums import PathSums, draw, path_sums

ACTIVATIONS = ("relu", "relu", "leaky_relu", "abs", "identity")


def network(number: int) -> tuple[fw.MLP, np.ndarray, list[np.ndarray]]:
    """Network `number`: 0 to 4 hidden layers of 1 to 4 neurons, so that layers do die."""
    rng = np.random.default_rng([7, number])
    net = fw.MLP(
        n_in=int(rng.integers(1, 5)),
        widths=[int(n) for n in rng.integers(1, 5, rng.integers(0, 5))],
        activation=ACTIVATIONS[number % 5],
        parametrization=("ntk", "standard")[number % 2],
        weight_law=("gaussian", "uniform")[number // 2 % 2],
        bias_lr=(1.0, 0.3, 0.0)[number % 3],
    )
    return net, rng.normal(size=net.n_in), draw(net, number)


def differentiated(net: fw.MLP, weights: list[np.ndarray], x: np.ndarray) -> PathSums:
    """The same quantities by reverse differentiation, twice."""
    torch = pytest.importorskip("torch")
    ws = [torch.tensor(w, requires_grad=True) for w in weights]
    bs = [torch.zeros(len(w), dtype=torch.float64, requires_grad=True) for w in weights]
    h = torch.tensor(x)
    for j, (w, b) in enumerate(zip(ws, bs, strict=True), start=1):
        y = w @ h + b
        h = torch.where(y > 0, y, net.act.slope * y) if j < len(ws) else y
    every = {"allow_unused": True, "materialize_grads": True}
    output, d = h[0], len(ws)
    rates = [layer.weight_lr for layer in net.layers()]
    factors = [*rates, *[net.bias_lr if net.trains_biases else 0.0] * d]
    g = torch.autograd.grad(output, ws + bs, create_graph=True, **every)
    by_weights = torch.zeros((), dtype=torch.float64)
    for r, one in zip(rates, g[:d], strict=True):
        by_weights = by_weights + r * (one * one.detach()).sum()
    hg = (
        torch.autograd.grad(by_weights, ws + bs, **every)  # H applied to the weights' gradient
        if by_weights.requires_grad
        else [torch.zeros_like(one) for one in g]
    )
    square = [float(f * (one.detach() ** 2).sum()) for f, one in zip(factors, g, strict=True)]
    form = [float(f * (a * b).detach().sum()) for f, a, b in zip(factors, g, hg, strict=True)]
    k_w, k_b, n = fsum(square[:d]), fsum(square[d:]), output.item()
    return PathSums(n, k_w, k_b, k_w**2, k_b * k_w, k_b**2, n * fsum(form[:d]), n * fsum(form[d:]))


def test_eighty_networks_against_differentiation() -> None:
    dead = ones = 0
    for number in range(80):
        net, x, weights = network(number)
        found, wanted = path_sums(net, weights, x), differentiated(net, weights, x)
        for name, value in vars(wanted).items():
            assert getattr(found, name) == pytest.approx(value, rel=1e-12, abs=0.0), (number, name)
        dead += net.depth > 1 and found.output == 0.0
        ones += 1 in list(net.widths)
    assert dead >= 5
    assert ones >= 20


def quadruple_sum(net: fw.MLP, weights: list[np.ndarray], x: np.ndarray, quantity: str) -> float:
    """Σ over all quadruples and marks of Π wt(γ_k), written as in the paper, term by term."""
    plan, sizes = SCHEMES[quantity], (net.n_in, *net.widths, 1)
    rates = [layer.weight_lr for layer in net.layers()]
    signal, gates = x, []
    for matrix in weights[:-1]:
        before = matrix @ signal
        gates.append(np.where(before > 0, 1.0, float(net.act.slope or 0.0)))
        signal = gates[-1] * before

    def wt(path: Path, left_out: set) -> float:
        value = x[path(0)] if path.start == 0 else 1.0
        for layer in range(max(path.start, 1), len(sizes) - 1):
            value *= gates[layer - 1][path(layer)]
        return value * prod(
            weights[e.layer - 1][e.right, e.left] for e in path.edges if e not in left_out
        )

    total = []
    biases = [(layer, z) for layer in range(1, len(sizes)) for z in range(sizes[layer])]
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
                factor = prod(rates[mark.layer - 1] for mark in marks)
                factor *= net.bias_lr ** len(starts)
                for number, path in enumerate(gamma):
                    of = zip(marks, plan.marks, strict=True)
                    factor *= wt(path, {mark for mark, pair in of if number in pair})
                total.append(factor)
    return fsum(total)


@pytest.mark.parametrize(
    ("activation", "widths"), [("relu", [2, 2]), ("leaky_relu", [3, 1]), ("abs", [1, 2, 1])]
)
@pytest.mark.parametrize("quantity", SCHEMES)
def test_the_sums_over_quadruples_themselves(quantity: str, activation: str, widths) -> None:
    net = fw.MLP(n_in=2, widths=widths, activation=activation, negative_slope=0.4, bias_lr=0.7)
    x = np.array([0.8, -1.1])
    drawn = (draw(net, seed) for seed in range(20))  # the first in which something is alive
    weights = next(some for some in drawn if path_sums(net, some, x).output != 0.0)
    wanted = quadruple_sum(net, weights, x, quantity)
    assert getattr(path_sums(net, weights, x), quantity) == pytest.approx(wanted, rel=1e-11)


def test_the_weights_drawn_have_the_layer_s_scale() -> None:
    """Var Ŵ^(j) = c_j: 10⁴ entries each, z below 5 (false alarms 6e-7 each)."""
    net = fw.MLP(n_in=100, widths=[100, 100], weight_law="uniform", output_gain=3.0)
    for layer, matrix in zip(net.layers(), draw(net, 3), strict=True):
        assert matrix.shape == (layer.fan_out, layer.fan_in)
        spread = layer.weight_variance * np.sqrt((9 / 5 - 1) / matrix.size)
        assert abs(np.mean(matrix**2) - layer.weight_variance) < 5 * spread
        assert (
            abs(np.mean(matrix**2) - 1.2 * layer.weight_variance) > 5 * spread or matrix.size < 1e3
        )


def test_bad_weights() -> None:
    net = fw.MLP(n_in=2, widths=[3])
    with pytest.raises(ValueError, match=r"shapes \[\(3, 2\)\], expected \[\(3, 2\), \(1, 3\)\]"):
        path_sums(net, draw(net)[:1], [1.0, 2.0])
    broken = draw(net)
    broken[0][0, 0] = np.inf
    with pytest.raises(ValueError, match="not finite"):
        path_sums(net, broken, [1.0, 2.0])
    wide = fw.MLP(n_in=2, widths=[2000, 1000])
    with pytest.raises(ValueError, match=r"4000000 paths .*simulate\.ensemble"):
        path_sums(wide, draw(wide), [1.0, 2.0])
