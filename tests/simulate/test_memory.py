"""The memory budget is kept, and what does not fit is refused with the way out."""

import tracemalloc
from bisect import bisect_left

import numpy as np
import pytest

import finitewidth as fw
from finitewidth import simulate
from finitewidth._large import allowing
from finitewidth.simulate import memory

MIB = 2**20
NET = fw.MLP(n_in=50, widths=[120, 120, 120])
WIDE_BATCH = np.random.default_rng(0).standard_normal((60, 50))


def peak(run):
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("activation", ["relu", "silu"])
@pytest.mark.parametrize("budget", [8 * MIB, 16 * MIB])
def test_an_ensemble_stays_within_its_budget(activation, budget):
    net = fw.MLP(n_in=50, widths=[120, 120, 120], activation=activation)

    def run(size=20):
        simulate.ensemble(net, WIDE_BATCH, size, seed=0, memory_budget=budget)

    run(2)  # imports and caches
    used = peak(run)
    assert used <= budget
    assert used >= budget / 3  # the estimate is not far off either


@pytest.mark.parametrize(
    ("activation", "pattern"), [("relu", "real"), ("relu", "frozen"), ("silu", "real")]
)
def test_a_step_stays_within_its_budget(activation, pattern):
    net = fw.MLP(n_in=50, widths=[120, 120, 120], activation=activation, bias_variance=0.1)
    budget = 16 * MIB

    def run(size=20):
        simulate.first_step(
            net, WIDE_BATCH, np.ones(60), 0.01, size, seed=0, pattern=pattern, memory_budget=budget
        )

    run(2)
    used = peak(run)
    assert used <= budget
    assert used >= budget / 3


def least_budget(net, size, *, step=False):
    """The smallest budget with which networks at one input are accepted."""
    numbers = 6 if step else 4

    def accepted(budget):
        try:
            return memory.networks_at_once(net, 1, size, numbers, budget + 1, step=step) > 0
        except ValueError:
            return False

    return 1 + bisect_left(range(10**9), True, key=accepted)


@pytest.mark.parametrize("law", ["gaussian", "uniform", "laplace", "student_t:9"])
def test_a_single_wide_network_stays_within_the_least_budget(law):
    net = fw.MLP(n_in=3, widths=[500, 500, 500], weight_law=law)
    budget = least_budget(net, 3)

    def run():
        simulate.ensemble(net, np.ones(3), 3, seed=0, memory_budget=budget)

    run()
    assert budget / 3 <= peak(run) <= budget


@pytest.mark.parametrize("step", [False, True])
def test_a_deep_narrow_network_stays_within_the_least_budget(step):
    net = fw.MLP.equal_width(3, 2, 600, activation="tanh", bias_variance=0.1)
    budget = least_budget(net, 3, step=step)

    def run():
        if step:
            simulate.first_step(net, np.ones(3), 0.0, 0.01, 3, seed=0, memory_budget=budget)
        else:
            simulate.ensemble(net, np.ones(3), 3, seed=0, memory_budget=budget)

    run()
    assert budget / 4 <= peak(run) <= budget


def test_a_network_that_does_not_fit_is_refused_at_once():
    net = fw.MLP.equal_width(3, 2**20, 3)
    with pytest.raises(
        ValueError,
        match=r"10 networks at 1 input\(s\) need .* TiB .* lower the widths or the depth, or raise",
    ):
        simulate.ensemble(net, np.ones(3), 10, seed=0, method="dense")


def test_results_that_do_not_fit_are_refused_at_once():
    with (
        allowing(True),
        pytest.raises(ValueError, match="lower size or the number of inputs, or raise memory"),
    ):
        simulate.ensemble(NET, WIDE_BATCH, 10**9, seed=0)


def test_the_counts_are_those_of_the_layers():
    for widths in ([], [7], [3, 3, 3, 5], [2, 9, 9]):
        net = fw.MLP(n_in=4, widths=widths)
        sizes = [layer.fan_in * layer.fan_out for layer in net.layers()]
        neurons = sum(layer.fan_out for layer in net.layers())
        assert memory.parameter_counts(net) == (sum(sizes), neurons)


def test_free_memory_is_a_plausible_number():
    assert 10 * MIB < memory.available() < 2**50
