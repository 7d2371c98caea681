"""Sampled quadruples and pairs of paths against enumeration and the exact law.

Chi-squared tests on every quadruple of small networks, rejected below p = 1e-7 (30 tests: a false
alarm in 3e-6); with 40,000 draws a relative error of 10 % in the weight of a tenth of the
quadruples is detected, as the sabotaged weights show.
"""

from collections import Counter, defaultdict
from itertools import product

import numpy as np
import pytest
from scipy.stats import chi2

import finitewidth as fw
from finitewidth.paths.loops import loops
from finitewidth.paths.monte_carlo import monte_carlo
from finitewidth.paths.multiset import Multiset
from finitewidth.paths.path import Path, paths
from finitewidth.paths.sample import sample
from finitewidth.paths.scheme import SCHEMES
from finitewidth.paths.weight import constants, weight

X = np.array([1.0, -0.6])
SIZE = 40_000
FOUR = [name for name, plan in SCHEMES.items() if plan.paths == 4]


def every_quadruple(net: fw.MLP, quantity: str) -> dict[tuple, float]:
    """{(neurons of the four paths, layers of the marks): weight}, one by one."""
    of, plan = constants(net, X), SCHEMES[quantity]
    sizes = of.sizes
    found: defaultdict[tuple, float] = defaultdict(float)
    biases = [(layer, z) for layer in range(1, len(sizes)) for z in range(sizes[layer])]
    for starts in product(biases, repeat=len(plan.biases)):
        bundles: list[list[Path]] = [list(paths(sizes))] * 4
        for pair, (layer, z) in zip(plan.biases, starts, strict=True):
            for one in pair:
                bundles[one] = list(paths(sizes, layer, z))
        for gamma in product(*bundles):
            multiset = Multiset.of(gamma)
            if not multiset.even:
                continue
            for marks in product(
                *(set(gamma[a].edges) & set(gamma[b].edges) for a, b in plan.marks)
            ):
                if plan.apart and marks[0].layer == marks[1].layer:
                    continue
                neurons = tuple((-1,) * path.start + path.neurons for path in gamma)
                key = (neurons, tuple(mark.layer for mark in marks))
                found[key] += weight(multiset, marks, starts, of)
    return found


def p_value(drawn, wanted: dict[tuple, float]) -> float:
    """Chi-squared on quadruples; those expected fewer than 10 times are counted together."""
    keys = [
        (tuple(map(tuple, four.tolist())), tuple(marks.tolist()))
        for four, marks in zip(drawn.neurons, drawn.marks, strict=True)
    ]
    seen = Counter(keys)
    assert set(seen) <= set(wanted)
    total = sum(wanted.values())
    expected = {key: SIZE * value / total for key, value in wanted.items()}
    often = [key for key, value in expected.items() if value >= 10]
    pairs = [(seen[key], expected[key]) for key in often]
    rest = SIZE - sum(value for _, value in pairs)
    if rest > 10:
        pairs.append((SIZE - sum(count for count, _ in pairs), rest))
    statistic = sum((count - value) ** 2 / value for count, value in pairs)
    return float(chi2.sf(statistic, len(pairs) - 1))


NETS = {
    "relu": fw.MLP(n_in=2, widths=[2, 2]),
    "leaky": fw.MLP(n_in=2, widths=[3, 1], activation="leaky_relu", negative_slope=0.5),
    "uniform": fw.MLP(n_in=2, widths=[1, 2], weight_law="uniform", parametrization="standard"),
}


@pytest.mark.parametrize("quantity", FOUR)
@pytest.mark.parametrize("name", NETS)
def test_every_quadruple_comes_in_proportion_to_its_weight(name: str, quantity: str) -> None:
    net = NETS[name]
    drawn, wanted = sample(net, X, quantity, SIZE, 5), every_quadruple(net, quantity)
    assert p_value(drawn, wanted) > 1e-7
    keys = sorted(wanted, key=repr)
    spoiled = {
        key: wanted[key] * (1.3 if number % 3 == 0 else 1.0) for number, key in enumerate(keys)
    }
    if len(keys) > 30:
        assert p_value(drawn, spoiled) < 1e-7


def test_a_sample_describes_itself() -> None:
    net = fw.MLP(n_in=2, widths=[3, 2, 2, 3])
    drawn = sample(net, X, "update_wb", 300, 1)
    for four, marks, visited, count in zip(
        drawn.neurons, drawn.marks, drawn.visited, drawn.loops, strict=True
    ):
        gamma = [Path(int((line < 0).sum()), tuple(line[line >= 0].tolist())) for line in four]
        multiset = Multiset.of(gamma)
        assert count == len(multiset.loops)
        wanted = [
            multiset.visited(i) if len(multiset.neurons(i)) == 4 else 0
            for i in range(net.depth + 1)
        ]
        assert visited.tolist() == wanted
        assert gamma[0].edge(int(marks[0])) == gamma[1].edge(int(marks[0]))
    again = sample(net, X, "update_wb", 300, 1)
    assert (again.neurons == drawn.neurons).all()
    assert (sample(net, X, "update_wb", 300, 2).neurons != drawn.neurons).any()


@pytest.mark.parametrize("quantity", FOUR)
def test_loops_of_a_large_network(quantity: str) -> None:
    """Shares of loops and collisions within 5.5 standard errors (75 numbers: 3e-6)."""
    net = fw.MLP.equal_width(2, 60, 14)
    drawn, exact = sample(net, X, quantity, SIZE, 3), loops(net, X, quantity)
    share = np.bincount(drawn.loops, minlength=len(exact.share)) / SIZE
    met = (drawn.visited == 1).mean(axis=0)
    for found, wanted in ((share[:3], exact.share[:3]), (met, exact.collided)):
        error = np.sqrt(wanted * (1 - wanted) / SIZE) + 1e-12
        assert (np.abs(found - wanted) < 5.5 * error).all()
    other = loops(fw.MLP.equal_width(2, 40, 14), X, quantity).collided[7]  # half as many again
    assert abs(met[7] - other) > 5.5 * np.sqrt(other * (1 - other) / SIZE)


@pytest.mark.parametrize("quantity", FOUR)
@pytest.mark.parametrize("name", [*NETS, "wide"])
def test_the_monte_carlo_of_pairs(name: str, quantity: str) -> None:
    """|z| < 5.5 in 20 cases (8e-7); an error of 5 % is mostly 11 standard errors."""
    net = NETS.get(name) or fw.MLP.equal_width(2, 100, 10)
    found = monte_carlo(net, X, quantity, 600_000, 2)
    exact = loops(net, X, quantity).total
    assert found.trusted
    assert abs(found.z(exact)) < 5.5
    if found.std_error < 0.005 * exact:
        assert abs(found.z(1.05 * exact)) > 5.5


def test_the_monte_carlo_says_when_few_draws_carry_it() -> None:
    net = fw.MLP.equal_width(2, 10, 40)
    found = monte_carlo(net, X, "weights_squared", 20_000, 0)
    assert not found.trusted
    assert "finitewidth.paths.loops" in found.note
    longer = monte_carlo(net, X, "weights_squared", 70_000, 0)
    assert longer.size == 70_000


def test_bad_input() -> None:
    net = NETS["relu"]
    for call in (sample, monte_carlo):
        with pytest.raises(ValueError, match="a sum over two paths"):
            call(net, X, "weights", 10)
        with pytest.raises(ValueError, match="size is 0"):
            call(net, X, "cross", 0)
        with pytest.raises(ValueError, match="seed is -1"):
            call(net, X, "cross", 10, -1)
    with pytest.raises(ValueError, match="no path contributes"):
        sample(fw.MLP(n_in=2, widths=[]), X, "update_ww", 10)
