"""Stored training is ordinary PyTorch training of the same weights, step by step.

Both are float64; they differ by the order of their sums alone. 1e-10 of the largest number is four
orders above that and six below the smallest error seen in the sabotaged runs.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

import finitewidth as fw
from tests.simulate.training import ordinary

RNG = np.random.default_rng(11)
X = RNG.standard_normal((6, 4))
Y = RNG.standard_normal((6, 1))
Y3 = RNG.standard_normal((6, 3))
PROBE = RNG.standard_normal((3, 4))


def softplus(z):
    return np.logaddexp(0.0, z)


def softplus_first(z):
    return 0.5 * (1.0 + np.tanh(0.5 * z))


NETS = {
    **{
        name: {"activation": name}
        for name in ("relu", "identity", "abs", "tanh", "erf", "sin", "gelu", "silu")
    },
    "leaky": {"activation": "leaky_relu", "negative_slope": 0.2},
    "function": {"activation": softplus, "activation_derivatives": (softplus_first,)},
    **{
        name: {"activation": "tanh", "parametrization": name}
        for name in ("standard", "mup", "mean_field")
    },
    "residual": {"activation": "silu", "residual": (0.6, 0.9)},
    "residual, mup": {"activation": "relu", "residual": (-0.6, 1.1), "parametrization": "mup"},
    "random biases": {"activation": "tanh", "bias_variance": 0.4, "bias_lr": 0.3},
    "frozen biases": {"activation": "tanh", "bias_variance": 0.4, "bias_lr": 0.0},
    "no biases": {"activation": "gelu", "bias": False},
    "uniform weights": {"weight_law": "uniform", "hidden_gain": 1.7, "output_gain": 0.6},
    "one hidden layer": {"widths": [9]},
    "no hidden layer": {"widths": []},
    "unequal widths": {"widths": [5, 9, 7], "parametrization": "mean_field"},
}
RUNS = {
    "plain": {},
    "momentum": {"momentum": 0.7},
    "weight decay": {"weight_decay": 0.3},
    "minibatches": {"batch_size": 4},
    "all": {"momentum": 0.6, "weight_decay": 0.2, "batch_size": 4},
    "probe": {"probe": PROBE},
    "probe, all": {"probe": PROBE, "momentum": 0.6, "weight_decay": 0.2, "batch_size": 5},
}
CASES = [
    *((net, run, 1) for net in NETS for run in ("plain", "all")),
    *(("tanh", run, 1) for run in RUNS),
    *((net, run, 3) for net in ("tanh", "residual, mup", "no hidden layer") for run in RUNS),
]


def _net(name: str, outputs: int = 1) -> fw.MLP:
    return fw.MLP(**{"n_in": 4, "widths": [8, 8, 8], "n_out": outputs} | NETS[name])


def _close(found: np.ndarray, expected: np.ndarray) -> bool:
    scale = np.abs(expected).max()
    return found.shape == expected.shape and bool(np.abs(found - expected).max() < 1e-10 * scale)


def _both(name: str, run: str, outputs: int, **others):
    net, y = _net(name, outputs), Y if outputs == 1 else Y3
    found = fw.simulate.train(net, X, y, 0.03, 5, size=2, seed=4, **RUNS[run] | others)
    function = torch.nn.functional.softplus if name == "function" else None
    twins = []
    for weights, biases in ordinary.drawn(net, 2, 4):
        model = ordinary.module(net, weights, biases, function)
        twins.append(ordinary.train(model, X, y, 0.03, 5, seed=4, **RUNS[run]))
    return found, twins


@pytest.mark.parametrize(("name", "run", "outputs"), CASES)
def test_outputs_loss_and_kernels_at_every_step(name, run, outputs):
    found, twins = _both(name, run, outputs)
    assert found.steps_done == 5
    assert found.method == "dense"
    for k, twin in enumerate(twins):
        expected = twin.outputs if outputs > 1 else twin.outputs[..., 0]
        assert _close(found.outputs[k], expected)
        assert _close(found.loss[k], twin.loss)
        assert _close(found.kernels[k], twin.kernels)


@pytest.mark.parametrize("run", RUNS)
def test_the_record_does_not_change_the_run(run):
    """Without kernels the gradients come from a backward pass of their own."""
    net = _net("residual, mup", 3)
    full = fw.simulate.train(net, X, Y3, 0.03, 5, size=2, **RUNS[run])
    bare = fw.simulate.train(net, X, Y3, 0.03, 5, size=2, record=(), **RUNS[run])
    assert _close(bare.outputs, full.outputs)
    assert bare.kernels.shape == (2, 6, 0, 0)
    assert bare.features.shape == (2, 6, 3, 0, 0)


SABOTAGED = {
    "rate": {"learning_rate": 0.03 * (1 + 1e-6)},
    "momentum": {"momentum": 0.6 * (1 + 1e-6)},
    "weight decay": {"weight_decay": 0.2 * (1 + 1e-6)},
    "parametrization": {"parametrization": "standard"},
}


@pytest.mark.parametrize("what", SABOTAGED)
def test_a_run_that_is_a_little_different_is_told_apart(what):
    net = _net("tanh")
    asked = {"learning_rate": 0.03, "steps": 5, "seed": 4, **RUNS["all"], **SABOTAGED[what]}
    found = fw.simulate.train(net, X, Y, **asked)
    ((weights, biases),) = ordinary.drawn(net, 1, 4)
    twin = ordinary.train(
        ordinary.module(net, weights, biases), X, Y, 0.03, 5, seed=4, **RUNS["all"]
    )
    assert not _close(found.outputs[0], twin.outputs[..., 0])


def test_features_are_inner_products_of_the_hidden_layers():
    net = _net("unequal widths")
    found = fw.simulate.train(net, X, Y, 0.03, 0, seed=4, probe=PROBE)
    ((weights, biases),) = ordinary.drawn(net, 1, 4)
    x = PROBE
    assert found.features.shape == (1, 1, 3, 3, 3)
    for place in range(3):
        x = np.maximum(x @ weights[place].T + biases[place], 0.0)
        np.testing.assert_allclose(
            found.features[0, 0, place], x @ x.T / x.shape[1], rtol=1e-12, atol=1e-14
        )


def test_float32_follows_float64():
    """Its rounding is 6e-8; sums of a few dozen terms over 5 steps stay within 1e-5."""
    net = _net("gelu")
    double = fw.simulate.train(net, X, Y, 0.03, 5)
    for rows in (X.astype(np.float32), torch.from_numpy(X).float()):
        single = fw.simulate.train(net, rows, Y, 0.03, 5)
        assert 1e-10 < np.abs(single.outputs / double.outputs - 1).max() < 1e-4
        assert single.outputs.dtype == np.float64


def test_the_step_is_that_of_first_step_and_the_start_that_of_ensemble():
    net = _net("relu")
    found = fw.simulate.train(net, X, Y, 0.05, 1, size=70, seed=3)
    step = fw.simulate.first_step(net, X, Y[:, 0], 0.05, 70, seed=3)
    start = fw.simulate.ensemble(net, X, 70, seed=3)
    assert _close(found.kernels[:, 0], start.kernels)
    assert _close(found.outputs[:, 0], start.outputs)
    assert _close(found.kernels[:, 1], step.after)
    assert _close(found.outputs[:, 1], step.outputs_after)


def test_a_parametrization_in_place_of_the_networks_own():
    net = _net("tanh")
    asked = fw.simulate.train(net, X, Y, 0.05, 2, parametrization="mup")
    other = fw.simulate.train(replace(net, parametrization="mup"), X, Y, 0.05, 2)
    np.testing.assert_array_equal(asked.outputs, other.outputs)
    assert asked.net.parametrization == "mup"
