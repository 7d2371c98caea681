"""Streams, batches, divergence, memory and progress of a run."""

import warnings

import numpy as np
import pytest
import torch

import finitewidth as fw
from finitewidth.simulate.training import plan, train
from finitewidth.simulate.training.activations import tensor_activation
from finitewidth.simulate.training.descent import minibatch
from finitewidth.simulate.training.problem import stated

RNG = np.random.default_rng(6)
X = RNG.standard_normal((6, 4))
Y = RNG.standard_normal(6)
NET = fw.MLP(4, [7, 5], activation="tanh", bias_variance=0.2)
ARRAYS = ("outputs", "loss", "kernels", "features")


def _same(one, other, networks=slice(None)):
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(one, name)[networks], getattr(other, name)[networks])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ["tanh", "relu", "gelu"])
def test_networks_do_not_depend_on_how_many_are_held_at_once(name, dtype, monkeypatch):
    net = fw.MLP(4, [33, 17], activation=name)
    rows = X.astype(dtype)
    whole = fw.simulate.train(net, rows, Y, 0.05, 4, size=70, momentum=0.5)
    for most in (1, 7):
        monkeypatch.setattr(plan, "at_once", lambda *_, most=most: most)
        _same(fw.simulate.train(net, rows, Y, 0.05, 4, size=70, momentum=0.5), whole)


def test_the_first_networks_of_a_larger_run_are_those_of_a_smaller():
    few = fw.simulate.train(NET, X, Y, 0.05, 3, size=3, seed=8)
    many = fw.simulate.train(NET, X, Y, 0.05, 3, size=66, seed=8)
    _same(few, many, slice(0, 3))
    assert not np.array_equal(many.outputs[0], many.outputs[64])
    other = fw.simulate.train(NET, X, Y, 0.05, 3, size=3, seed=9)
    assert not np.array_equal(few.outputs, other.outputs)


def _chosen(step):
    found = minibatch(step, 8, 3, seed=1)
    assert found is not None
    return found


def test_minibatches_go_through_all_inputs_in_every_epoch():
    for epoch in range(3):
        parts = [_chosen(3 * epoch + k) for k in range(3)]
        assert [len(part) for part in parts] == [3, 3, 2]
        assert sorted(np.concatenate(parts)) == list(range(8))
    assert minibatch(0, 8, None, 1) is None
    assert minibatch(0, 8, 8, 1) is None
    orders = {tuple(_chosen(3 * epoch)) for epoch in range(20)}
    assert len(orders) > 10


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "identity", "abs", "tanh", "erf", "sin",
                                  "gelu", "silu"])  # fmt: skip
def test_activations_on_tensors_are_those_on_arrays(name):
    net = fw.MLP(2, [3], activation=name, negative_slope=0.3)
    z = np.concatenate([np.linspace(-6, 6, 501), [0.0, -0.0, 1e-9, 40.0, -40.0]])
    on = tensor_activation(net)
    for of_tensors, of_arrays in ((on.value, net.act), (on.derivative, net.act.derivative)):
        found = of_tensors(torch.from_numpy(z)).numpy()
        np.testing.assert_allclose(found, of_arrays(z), rtol=1e-12, atol=1e-15)


def test_a_divergence_stops_the_record_and_is_said():
    net = fw.MLP(4, [7, 5], activation="identity")
    with pytest.warns(RuntimeWarning, match=r"diverges: network \d has .* after step (\d)"):
        found = fw.simulate.train(net, X, Y, 1e60, 8, size=3)
    assert found.diverged_at is not None
    assert 0 < found.diverged_at == found.steps_done + 1 < 8
    for name in ARRAYS:
        assert np.isfinite(getattr(found, name)).all()
        assert getattr(found, name).shape[1] == found.diverged_at
    assert found.distance.shape == (3, found.diverged_at)


def test_the_first_divergence_counts_whatever_is_held_at_once(monkeypatch):
    net = fw.MLP(4, [7, 5], activation="identity")

    def run():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return fw.simulate.train(net, X, Y, 2.0, 2000, size=6, seed=2, record=())

    whole = run()
    assert whole.diverged_at is not None
    monkeypatch.setattr(plan, "at_once", lambda *_: 1)
    one_by_one = run()
    assert one_by_one.diverged_at == whole.diverged_at
    assert one_by_one.diverged == whole.diverged
    np.testing.assert_array_equal(one_by_one.outputs, whole.outputs)


def test_numbers_out_of_range_at_the_start_are_an_error():
    net = fw.MLP(4, [7] * 4, hidden_gain=1e90)
    with pytest.raises(RuntimeError, match=r"network 0 has outputs .* before the first step"):
        fw.simulate.train(net, 1e30 * X.astype(np.float32), Y, 0.1, 1)


def test_too_little_memory_is_said_in_numbers():
    with pytest.raises(ValueError, match=r"needs [\d.]+ MiB .* 1 MiB; lower size, steps or"):
        fw.simulate.train(NET, X, Y, 0.1, 1000, size=1000, memory_budget=2**20)
    wide = fw.MLP(4, [3000, 3000], weight_law="uniform")
    with pytest.raises(ValueError, match=r"one network at a time, dense\).*; lower the widths"):
        fw.simulate.train(wide, X, Y, 0.1, 1, memory_budget=2**20)
    with pytest.raises(ValueError, match=r'use method="deferred"'):
        fw.simulate.train(fw.MLP(4, [9000, 9000]), X, Y, 0.1, 1, method="dense",
                          memory_budget=2**26)  # fmt: skip


def _load(net, rows, steps=4, **others):
    asked = {"momentum": 0.0, "weight_decay": 0.0, "batch_size": None, "probe": None,
             "record": ("kernels", "features")} | others  # fmt: skip
    return train.load_of(stated(net, rows, np.zeros(len(rows)), 0.1, steps, 1, 0, **asked))


def test_the_choice_follows_the_cost():
    narrow, wide = fw.MLP(4, [128] * 3), fw.MLP(4, [16384] * 3)
    load, most = _load(narrow, X), 2**40
    assert plan.choose(narrow, load, "auto", most) == "dense"
    assert plan.choose(wide, load, "auto", most) == "deferred"
    assert plan.choose(narrow, load, "deferred", most) == "deferred"
    assert plan.choose(wide, load, "dense", most) == "dense"
    uniform = fw.MLP(4, [16384] * 3, weight_law="uniform")
    assert plan.choose(uniform, load, "auto", most) == "dense"
    with pytest.raises(ValueError, match="only Gaussian weights need not be drawn in full"):
        plan.choose(uniform, load, "deferred", most)
    # more queries than neurons: nothing is saved by deferring
    assert plan.choose(fw.MLP(4, [1024] * 3), _load(narrow, X, 300), "auto", most) == "dense"
    # too wide to store, where time alone would not decide it
    between = fw.MLP(4, [1024] * 3)
    if plan.choose(between, load, "auto", most) == "dense":
        fits = plan.deferred_bytes(between, load) + load.results
        assert plan.choose(between, load, "auto", fits) == "deferred"


def test_without_pytorch_everything_is_stored(monkeypatch):
    monkeypatch.setattr(plan.importlib.util, "find_spec", lambda name: None)
    wide = fw.MLP(4, [16384] * 3)
    assert plan.choose(wide, _load(NET, X), "auto", 2**40) == "dense"


def test_the_queries_that_a_step_makes_are_counted():
    assert (_load(NET, X).right, _load(NET, X).left, _load(NET, X).gradient) == (6, 6, 6)
    bare = _load(NET, X, record=(), batch_size=2)
    assert (bare.right, bare.left, bare.gradient) == (6, 2, 2)
    apart = _load(NET, X, probe=X[:3], batch_size=4)
    assert (apart.right, apart.left, apart.gradient) == (9, 7, 4)


def test_progress_goes_to_the_end(capsys):
    seen = []
    fw.simulate.train(NET, X, Y, 0.05, 3, size=70, progress=lambda *now: seen.append(now))
    assert seen[-1] == (280, 280)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    fw.simulate.train(NET, X, Y, 0.05, 1, progress=True)
    assert "network steps" in capsys.readouterr().err


def test_band_distance_and_alignment():
    found = fw.simulate.train(NET, X, Y, 0.05, 3, size=40)
    low, middle, high = found.band("loss")
    assert ((low <= middle) & (middle <= high)).all()
    np.testing.assert_allclose(middle, np.median(found.loss, axis=0))
    assert found.band("outputs", (0.5,)).shape == (1, 4, 6)
    mean = np.diagonal(found.kernels, axis1=2, axis2=3).mean(axis=2)
    np.testing.assert_allclose(found.band("kernel", [0.2])[0], np.quantile(mean, 0.2, axis=0))
    k, t = 7, 3
    change = np.linalg.norm(found.kernels[k, t] - found.kernels[k, 0])
    np.testing.assert_allclose(found.distance[k, t], change / np.linalg.norm(found.kernels[k, 0]))
    kernel = found.kernels[k, t]
    expected = Y @ kernel @ Y / (np.linalg.norm(kernel) * (Y @ Y))
    np.testing.assert_allclose(found.alignment[k, t], expected)


def test_what_was_not_recorded_is_not_made_up():
    bare = fw.simulate.train(NET, X, Y, 0.05, 1, record=())
    for ask in (lambda: bare.distance, lambda: bare.alignment, lambda: bare.band("kernel")):
        with pytest.raises(ValueError, match='"kernels" in record'):
            ask()
    probed = fw.simulate.train(NET, X, Y, 0.05, 1, probe=X[:2])
    assert probed.kernels.shape == (1, 2, 2, 2)
    with pytest.raises(ValueError, match="train with probe=None"):
        _ = probed.alignment
    with pytest.raises(ValueError, match="all targets"):
        _ = fw.simulate.train(NET, X, 0 * Y, 0.05, 1).alignment
    with pytest.raises(ValueError, match="expected one of outputs, loss"):
        bare.band("weights")
    with pytest.raises(ValueError, match="from 0 to 1"):
        bare.band("loss", (1.5,))
