"""A network depends on the seed and its index, never on how many were held or drawn with it."""

from bisect import bisect_left

import numpy as np
import pytest

import finitewidth as fw
from finitewidth import simulate
from finitewidth.simulate import memory
from finitewidth.simulate.dense import draw, run
from tests.simulate import cases

SIZE = 2 * draw.BLOCK + 9


def budgets(net: fw.MLP, numbers: int, *, step: bool) -> dict[int, int]:
    """Least memory budgets for 1, 7 and all networks of a block at once."""

    def held(budget):
        try:
            return memory.networks_at_once(net, 2, SIZE, numbers, budget + 1, step=step)
        except ValueError:
            return 0

    return {most: 1 + bisect_left(range(10**8), most, key=held) for most in (1, 7, draw.BLOCK)}


@pytest.mark.parametrize("name", ["relu", "relu, random biases", "tanh, residual, standard"])
def test_kernels_do_not_depend_on_the_memory_budget(name, monkeypatch):
    net = cases.NETS[name]
    counts = []
    original = draw.draw

    def counting(net, layers, rng, count):
        counts.append(count)
        return original(net, layers, rng, count)

    monkeypatch.setattr(run, "draw", counting)
    reference = simulate.ensemble(net, cases.X, SIZE, seed=5)
    assert max(counts) == draw.BLOCK
    for most, budget in budgets(net, 14, step=False).items():
        counts.clear()
        found = simulate.ensemble(net, cases.X, SIZE, seed=5, memory_budget=budget)
        assert max(counts) == most
        np.testing.assert_array_equal(found.outputs, reference.outputs)
        np.testing.assert_array_equal(found.weights, reference.weights)
        np.testing.assert_array_equal(found.biases, reference.biases)


def test_steps_do_not_depend_on_the_memory_budget():
    net = cases.NETS["relu"]
    arguments = (net, cases.X, cases.Y, 0.2, SIZE)
    reference = simulate.first_step(*arguments, seed=5)
    for budget in budgets(net, 17, step=True).values():
        found = simulate.first_step(*arguments, seed=5, memory_budget=budget)
        for name in ("before", "after", "first_order", "outputs", "outputs_after", "crossed"):
            np.testing.assert_array_equal(getattr(found, name), getattr(reference, name))


@pytest.mark.parametrize("width", [3, 40, 200])
def test_wider_networks_too_are_the_same_one_by_one(width, monkeypatch):
    net = fw.MLP(n_in=3, widths=[width, width], activation="gelu")
    together = simulate.ensemble(net, cases.X, 20, seed=5)
    monkeypatch.setattr(run, "networks_at_once", lambda *args, **kwargs: 1)
    single = simulate.ensemble(net, cases.X, 20, seed=5)
    np.testing.assert_array_equal(single.kernels, together.kernels)


def test_a_larger_ensemble_begins_with_the_smaller_one():
    net = cases.NETS["relu, random biases"]
    large = simulate.ensemble(net, cases.X, SIZE, seed=5)
    for size in (1, draw.BLOCK, draw.BLOCK + 1):
        small = simulate.ensemble(net, cases.X, size, seed=5)
        np.testing.assert_array_equal(small.kernels, large.kernels[:size])


def test_seeds_and_networks_differ():
    net = cases.NETS["tanh"]
    one = simulate.ensemble(net, cases.X, SIZE, seed=5).outputs[:, 0]
    two = simulate.ensemble(net, cases.X, SIZE, seed=6).outputs[:, 0]
    assert len(np.unique(np.concatenate([one, two]))) == 2 * SIZE


def test_progress_is_reported_to_a_callable():
    calls = []
    simulate.ensemble(
        cases.NETS["relu"], cases.X, SIZE, seed=0, progress=lambda *call: calls.append(call)
    )
    assert [done for done, _ in calls] == [draw.BLOCK, 2 * draw.BLOCK, SIZE]
    assert {total for _, total in calls} == {SIZE}


def test_progress_is_silent_unless_asked_for(capfd):
    simulate.ensemble(cases.NETS["relu"], cases.X, 5, seed=0)
    silent = capfd.readouterr()
    assert silent.out == ""
    assert silent.err == ""
    simulate.ensemble(cases.NETS["relu"], cases.X, 5, seed=0, progress=True)
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "networks" in shown.err
