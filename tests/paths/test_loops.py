"""The loop decomposition: its sum against the exact law, its parts against enumeration."""

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.paths.expectation import terms
from finitewidth.paths.loops import SUMS, Loops, loops
from finitewidth.paths.scheme import SCHEMES, scheme
from finitewidth.paths.weight import constants, weight

X = np.array([1.0, -0.5, 0.7])
FOUR = [name for name, plan in SCHEMES.items() if plan.paths == 4]

NETWORKS = {
    "paper": {"widths": [3, 4, 3]},
    "width 1": {"widths": [1, 5, 1, 2]},
    "unequal": {"widths": [200, 3, 50, 7]},
    "no hidden layer": {"widths": []},
    "one hidden layer": {"widths": [6]},
    "uniform": {"widths": [4] * 6, "weight_law": "uniform"},
    "laplace, standard": {"widths": [9, 5], "weight_law": "laplace", "parametrization": "standard"},
    "leaky": {"widths": [8] * 5, "activation": "leaky_relu", "negative_slope": 0.3},
    "absolute value": {"widths": [3, 3, 9], "activation": "abs", "hidden_gain": 1.0},
    "identity": {"widths": [5, 2], "activation": "identity", "hidden_gain": 1.3},
    "slow biases": {"widths": [3] * 8, "bias_lr": 0.25, "output_gain": 2.0},
    "no biases": {"widths": [3] * 4, "bias": False},
    "two hundred layers of width 100": {"widths": [100] * 200},
    "a wide one": {"widths": [10**9, 10**6, 10**4]},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_sum_is_the_exact_law(name: str) -> None:
    net = fw.MLP(n_in=3, **NETWORKS[name])
    law = fw.KernelLaw(net, X)
    parts = law.update_parts()
    wanted = {
        "weights_squared": law.moment(2, "weights"),
        "cross": law.cross_moment(),
        "biases_squared": law.moment(2, "biases"),
        "update_ww": parts["ww"],
        "update_wb": parts["wb"],
        "kernel_squared": law.moment(2),
        "update": -law.update_mean() / 2.0,
    }
    for quantity, value in wanted.items():
        if value == 0.0:
            continue
        found = loops(net, X, quantity)
        assert found.total == pytest.approx(value, rel=1e-10)
        assert found.share.sum() + found.beyond == pytest.approx(1.0, abs=1e-11)
        assert found.beyond < 1e-11


def enumerated(net: fw.MLP, quantity: str) -> Loops:
    """The same decomposition from every multiset, by the definition of a loop."""
    share, profile, total, mean = np.zeros(8), np.zeros((3, net.depth + 1)), 0.0, 0.0
    of = constants(net, X[: net.n_in])
    for part, factor in SUMS.get(quantity, {quantity: 1.0}).items():
        for multiset, marks, starts, times in terms(of.sizes, scheme(part)):
            value = factor * times * weight(multiset, marks, starts, of)
            total += value
            share[len(multiset.loops)] += value
            mean += len(multiset.loops) * value
            inside = {i for a, b in multiset.loops for i in range(a + 1, b)}
            for layer in range(net.depth + 1):
                if len(multiset.neurons(layer)) < 4:
                    continue
                row = 0 if layer in multiset.collisions else 1 if layer in inside else 2
                profile[row, layer] += value
    kept = share[: int(np.flatnonzero(share).max()) + 1]
    return Loops(quantity, np.log(total), kept / total, 0.0, mean / total, *(profile / total))


@pytest.mark.parametrize("quantity", [*FOUR, *SUMS])
@pytest.mark.parametrize(
    "fields",
    [
        {"n_in": 1, "widths": [2, 2, 2]},
        {
            "n_in": 3,
            "widths": [2, 3],
            "activation": "leaky_relu",
            "negative_slope": 0.4,
            "bias_lr": 0.5,
        },
        {"n_in": 2, "widths": [1, 2, 1, 2], "weight_law": "uniform"},
    ],
    ids=str,
)
def test_the_parts_are_those_of_the_enumeration(fields, quantity: str) -> None:
    net = fw.MLP(**fields)
    found, wanted = loops(net, X[: net.n_in], quantity), enumerated(net, quantity)
    assert found.total == pytest.approx(wanted.total, rel=1e-12)
    assert found.mean_loops == pytest.approx(wanted.mean_loops, rel=1e-12)
    for name in ("share", "collided", "inside", "opening"):
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, name), atol=1e-13)


def test_a_deep_network_stays_in_logs() -> None:
    net = fw.MLP.equal_width(10, 50, 20_000)
    found = loops(net, loops=30)
    assert found.log_total == pytest.approx(fw.KernelLaw(net).log_moment(2), rel=1e-10)
    assert found.mean_loops > 1900
    assert found.beyond == pytest.approx(1.0)
    with pytest.raises(RuntimeError, match="beyond the range of a double"):
        _ = found.total
    assert loops(fw.MLP(n_in=10, widths=[3]), np.ones(10)).total == pytest.approx(
        loops(fw.MLP(n_in=10, widths=[3]), power_sums=(10.0, 10.0)).total, rel=1e-14
    )


def test_asking_for_few_loops_changes_no_share() -> None:
    net = fw.MLP.equal_width(3, 10, 30)
    every, few = loops(net, X), loops(net, X, loops=2)
    np.testing.assert_allclose(few.share, every.share[:3], rtol=1e-12)
    assert few.beyond == pytest.approx(every.share[3:].sum(), rel=1e-10)
    assert (
        few.mean_loops
        == every.mean_loops
        == pytest.approx(float(every.share @ np.arange(len(every.share))), rel=1e-10)
    )


def test_the_shortest_interval() -> None:
    none = np.zeros(3)
    found = Loops("update", 0.0, np.array([0.1, 0.5, 0.2, 0.15, 0.05]), 0.0, 1.5, none, none, none)
    assert found.interval(0.5) == (1, 1)
    assert found.interval(0.7) == (1, 2)
    assert found.interval(0.8) == (1, 3)  # 0 … 2 carry less
    assert found.interval(1.0) == (0, 4)
    with pytest.raises(ValueError, match=r"mass is 1\.5"):
        found.interval(1.5)


def test_bad_input() -> None:
    net = fw.MLP(n_in=3, widths=[4])
    for arguments, words in [
        ({"quantity": "kernel"}, "quantity is 'kernel'"),
        ({"quantity": "weights"}, "has no loops"),
        ({"loops": -1}, "loops is -1"),
        ({"x": X, "power_sums": (1.0, 1.0)}, "both given"),
        ({"power_sums": (1.0, 2.0)}, "which no input has"),
    ]:
        with pytest.raises(ValueError, match=words):
            loops(net, **arguments)
    with pytest.raises(ValueError, match="the update of this network is 0"):
        loops(fw.MLP(n_in=3, widths=[]), X, "update")
