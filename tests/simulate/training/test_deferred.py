"""Deferred training: coupled to ordinary training of the completed matrices, and of its law."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

import finitewidth as fw
from finitewidth.simulate.training import draw, plan
from tests.simulate.training import ordinary

RNG = np.random.default_rng(21)
X = RNG.standard_normal((4, 3))
Y = RNG.standard_normal((4, 1))
Y2 = RNG.standard_normal((4, 2))
PROBE = RNG.standard_normal((2, 3))
pytest.importorskip("finitewidth.simulate.deferred.matrix")

ARRAYS = ("outputs", "loss", "kernels", "features")

RUNS = {
    "plain": {},
    "momentum": {"momentum": 0.7},
    "weight decay": {"weight_decay": 0.3},
    "minibatches": {"batch_size": 3},
    "all": {"momentum": 0.6, "weight_decay": 0.2, "batch_size": 3},
    "probe": {"probe": PROBE, "momentum": 0.6, "batch_size": 3},
}
NETS = {
    "ntk": {},
    "standard": {"parametrization": "standard"},
    "mup": {"parametrization": "mup", "activation": "tanh"},
    "mean_field": {"parametrization": "mean_field"},
    "residual": {"residual": (0.6, 0.9), "activation": "silu"},
    "random biases": {"bias_variance": 0.4, "bias_lr": 0.3, "activation": "gelu"},
    "unequal widths": {"widths": [35, 50, 41]},
    "more queries than neurons": {"widths": [7, 9, 8], "activation": "tanh"},
    "no hidden layer": {"widths": []},
}
CASES = [
    *((net, "all", 1) for net in NETS),
    *((net, run, 1) for net in ("ntk", "mup", "residual") for run in RUNS),
    *((net, "all", 2) for net in ("mup", "residual", "more queries than neurons")),
]
STEPS = 5


def _net(name, outputs=1):
    return fw.MLP(**{"n_in": 3, "widths": [40, 40, 40], "n_out": outputs} | NETS[name])


def _trained(monkeypatch, net, y, run, rows: np.ndarray = X, size=2):
    """The trajectory, and the completed Ŵ and b that every network began with."""
    made, original = [], draw.deferred

    def kept(*args):
        networks = original(*args)
        made.append((networks, [layer.bias for layer in networks.layers]))
        return networks

    monkeypatch.setattr(draw, "deferred", kept)
    found = fw.simulate.train(net, rows, y, 0.03, STEPS, size=size, seed=4, method="deferred",
                              **RUNS[run])  # fmt: skip
    ((networks, biases),) = made
    weights = [(layer.scale * layer.matrix.complete()).double() for layer in networks.layers]
    return found, [
        ([w[k].numpy() for w in weights], [b[k].double().numpy() for b in biases])
        for k in range(size)
    ]


def _close(found, expected, tolerance):
    return np.abs(found - expected).max() <= tolerance * np.abs(expected).max()


@pytest.mark.parametrize(("name", "run", "outputs"), CASES)
def test_every_step_is_that_of_the_completed_network(name, run, outputs, monkeypatch):
    """1e-9 of the largest number, in float64."""
    net, y = _net(name, outputs), Y if outputs == 1 else Y2
    found, starts = _trained(monkeypatch, net, y, run)
    assert (found.method, found.steps_done) == ("deferred", STEPS)
    for k, (weights, biases) in enumerate(starts):
        model = ordinary.module(net, weights, biases)
        twin = ordinary.train(model, X, y, 0.03, STEPS, seed=4, **RUNS[run])
        expected = twin.outputs if outputs > 1 else twin.outputs[..., 0]
        assert _close(found.outputs[k], expected, 1e-9)
        assert _close(found.kernels[k], twin.kernels, 1e-9)
        assert _close(found.loss[k], twin.loss, 1e-9)


def test_in_float32_to_its_precision(monkeypatch):
    """Directions below 1e-5 are dropped: a thousand roundings."""
    net = _net("mup")
    found, starts = _trained(monkeypatch, net, Y, "all", X.astype(np.float32))
    rows = X.astype(np.float32).astype(float)
    for k, (weights, biases) in enumerate(starts):
        model = ordinary.module(net, weights, biases)
        twin = ordinary.train(model, rows, Y, 0.03, STEPS, seed=4, **RUNS["all"])
        assert _close(found.outputs[k], twin.outputs[..., 0], 1e-3)
        assert _close(found.kernels[k], twin.kernels, 1e-3)


# -- law ------------------------------------------------------------------------------------------

SMALL = fw.MLP(3, [6, 6], activation="tanh", bias_variance=0.1)
SIZE = 4000


def _summaries(found):
    """Numbers of every network, [size, m]: outputs, kernels, squares and products of them."""
    at = [0, 1, 3]
    outputs = found.outputs[:, at, :2].reshape(len(found.loss), -1)
    kernels = np.log(np.diagonal(found.kernels, axis1=2, axis2=3)[:, at, :2])
    kernels = kernels.reshape(len(found.loss), -1)
    both = np.concatenate([outputs, kernels, found.kernels[:, at, 0, 1]], axis=1)
    both = (both - both.mean(axis=0)) / both.std(axis=0)
    upper = np.triu_indices(both.shape[1])
    return both, (both[:, :, None] * both[:, None, :])[:, *upper]


def _law_differs(one, other):
    """Whether two samples differ at a false-alarm rate of 1e-6.

    Means of m products by a Welch test and m marginals by Kolmogorov-Smirnov, Bonferroni over
    all. Standardised within each sample: differences of correlations are looked for here, those of
    location and scale in the raw marginals.
    """
    first, second = _summaries(one), _summaries(other)
    p = np.asarray(stats.ttest_ind(first[1], second[1], equal_var=False)[1])
    p = p[np.isfinite(p)]
    raw = [
        float(stats.ks_2samp(a, b)[1])  # type: ignore[arg-type]
        for at in (0, 1, 3)
        for a, b in (
            (one.outputs[:, at, 0], other.outputs[:, at, 0]),
            (one.kernels[:, at, 0, 0], other.kernels[:, at, 0, 0]),
            (one.kernels[:, at, 0, 1], other.kernels[:, at, 0, 1]),
            (one.loss[:, at], other.loss[:, at]),
        )
    ]
    smallest = min(p.min(), min(raw))
    return bool(smallest * (len(p) + len(raw)) < 1e-6)


def _drawn(method, seed=0, net=SMALL, **others):
    return fw.simulate.train(net, X, Y, 0.1, 3, size=SIZE, seed=seed, method=method, **others)


@pytest.fixture(scope="module")
def dense():
    return _drawn("dense")


def test_the_law_of_the_trajectory_is_that_of_stored_networks(dense):
    """4000 networks each; correlations that differ by 10·√(2/4000) = 0.2 are missed once in 1e6."""
    assert not _law_differs(_drawn("deferred"), dense)
    assert not _law_differs(_drawn("dense", seed=1), dense)


def test_other_laws_are_told_apart(dense):
    gain = replace(SMALL, output_gain=1.5)
    assert _law_differs(_drawn("deferred", net=gain), dense)
    assert _law_differs(_drawn("deferred", momentum=0.3), dense)


def test_answers_from_the_left_that_forget_those_from_the_right_are_caught(dense, monkeypatch):
    """The projection left out: Mᵀu of a fresh matrix."""
    from finitewidth.simulate.deferred.matrix import DeferredMatrix

    honest = DeferredMatrix.left
    fresh: dict[int, DeferredMatrix] = {}
    kept: list[DeferredMatrix] = []  # so that no other matrix may take an id

    def forgetful(self, u):
        if id(self) not in fresh:
            size, n_out, n_in = len(u), u.shape[-1], self.n_in
            seeds = [10**9 + 1000 * len(fresh) + k for k in range(size)]
            fresh[id(self)] = DeferredMatrix(n_out, n_in, seeds=seeds, dtype=u.dtype)
            kept.append(self)
        return honest(fresh[id(self)], u)

    monkeypatch.setattr(DeferredMatrix, "left", forgetful)
    assert _law_differs(_drawn("deferred"), dense)


# -- one run, however it is done ------------------------------------------------------------------


def test_networks_do_not_depend_on_how_many_are_held_at_once(monkeypatch):
    net = _net("residual")
    whole = fw.simulate.train(net, X, Y, 0.05, 4, size=9, momentum=0.5, method="deferred")
    few = fw.simulate.train(net, X, Y, 0.05, 4, size=3, momentum=0.5, method="deferred")
    for most in (1, 4):
        monkeypatch.setattr(plan, "at_once", lambda *_, most=most: most)
        again = fw.simulate.train(net, X, Y, 0.05, 4, size=9, momentum=0.5, method="deferred")
        for name in ARRAYS:
            np.testing.assert_allclose(getattr(again, name), getattr(whole, name), rtol=1e-9)
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(few, name), getattr(whole, name)[:3], rtol=1e-9)
    assert not np.allclose(whole.outputs[0], whole.outputs[1])


@pytest.mark.parametrize(("records", "goes_on_at"), [(1, 0), (3, 2), (6, 0), (8, 2)])
def test_a_deferred_run_that_was_cut_off_ends_in_the_same_numbers(
    records, goes_on_at, tmp_path, monkeypatch
):
    """From the state that was kept: one that cannot be read would be passed over in silence."""
    from finitewidth.simulate.training import store

    monkeypatch.setattr(plan, "at_once", lambda *_: 2)
    monkeypatch.setattr(store, "SHARE", np.inf)
    net = _net("residual")

    def run(**others):
        return fw.simulate.train(net, X, Y, 0.05, 4, size=4, momentum=0.5, batch_size=3,
                                 weight_decay=0.1, method="deferred", **others)  # fmt: skip

    left, append = [records], store.FileStore.append

    def counted(self, *args):
        append(self, *args)
        left[0] -= 1
        if left[0] == 0:
            raise InterruptedError

    with monkeypatch.context() as patch:
        patch.setattr(store.FileStore, "append", counted)
        with pytest.raises(InterruptedError):
            run(store=tmp_path / "run")
    state, found = store.FileStore.state, []
    monkeypatch.setattr(store.FileStore, "state", lambda *b: found.append(state(*b)) or found[-1])
    again, whole = run(store=tmp_path / "run"), run()
    assert found[0][0] == goes_on_at
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(again, name), getattr(whole, name))


def test_auto_defers_what_is_wide_and_stores_what_is_asked_often():
    wide = fw.simulate.train(fw.MLP(3, [20_000] * 2), X.astype(np.float32), Y, 0.05, 2)
    assert wide.method == "deferred"
    often = fw.simulate.train(fw.MLP(3, [100] * 2), X, Y, 0.05, 60)
    assert often.method == "dense"


# -- at initialisation ----------------------------------------------------------------------------


def test_an_ensemble_has_the_exact_mean_and_its_networks_the_kernels_of_fw_measure(monkeypatch):
    """False alarm 1e-6 for each of 3 means; 9.6 standard errors (3 %) are seen for certain."""
    net = fw.MLP(3, [40, 40], parametrization="mup", bias_lr=0.4)
    made, original = [], draw.deferred
    monkeypatch.setattr(draw, "deferred", lambda *a: made.append(original(*a)) or made[-1])
    found = fw.simulate.ensemble(net, X, 3000, seed=2, method="deferred")
    assert found.method == "deferred"
    law = fw.KernelLaw(net, X[1])
    for part in ("weights", "biases", "kernel"):
        estimate = found.mean(part)
        z = (estimate.value[1, 1] - law.mean(part)) / estimate.std_error[1, 1]
        assert abs(z) < 4.9
    layers = made[0].layers
    weights = [(layer.scale * layer.matrix.complete())[5].numpy() for layer in layers]
    model = ordinary.module(net, weights, [layer.bias[5].numpy() for layer in layers])
    kernel = fw.measure.kernel(model, torch.from_numpy(X), outputs="trace").numpy()
    np.testing.assert_allclose(found.kernels[5], kernel, rtol=1e-9)
    np.testing.assert_allclose(
        found.outputs[5], model(torch.from_numpy(X)).detach().numpy()[:, 0], rtol=1e-9
    )
    trained = fw.simulate.train(net, X, Y, 0.1, 0, size=6, seed=2, method="deferred")
    np.testing.assert_allclose(trained.kernels[5, 0], found.kernels[5], rtol=1e-9)


def test_an_ensemble_stores_what_is_small_and_defers_what_is_wide():
    small = fw.simulate.ensemble(fw.MLP(3, [500, 500]), X, 2)
    assert small.method == "dense"
    wide = fw.simulate.ensemble(fw.MLP(3, [100_000] * 3), X, 2)
    assert wide.method == "deferred"
    law = fw.KernelLaw(wide.net, X[0])
    np.testing.assert_allclose(wide.kernels[:, 0, 0], law.mean(), rtol=0.05)
