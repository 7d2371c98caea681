"""Predictions at infinite width, against their definition and against trained networks."""

import numpy as np
import pytest

import finitewidth as fw
from finitewidth import expansion

RNG = np.random.default_rng(8)
X = RNG.standard_normal((4, 3))
Y = np.array([1.0, -1.0, 0.5, 0.2])
TESTS = RNG.standard_normal((3, 3))
NET = fw.MLP(3, [64, 64], "gelu", hidden_gain=1.9, bias_variance=0.1)


def test_before_training_it_is_the_prior():
    found = expansion.predict(NET, X, Y, TESTS, time=0.0)
    assert found.mean == pytest.approx(np.zeros(3))
    assert found.covariance == pytest.approx(expansion.kernel(NET, TESTS).nngp)


def test_at_the_end_it_interpolates():
    for kind in ("ntk", "nngp"):
        found = expansion.predict(NET, X, Y, X, kind=kind)
        assert found.mean == pytest.approx(Y, rel=1e-8)
        assert found.covariance == pytest.approx(np.zeros((4, 4)), abs=1e-9)


def test_gradient_flow_is_the_limit_of_many_small_linear_steps():
    """The same linear model, stepped explicitly with its kernel and its prior covariance."""
    rows = np.concatenate([X, TESTS])
    both = expansion.kernel(NET, rows)
    tangent, kernel = both.infinite, both.nngp
    steps, rate = 40_000, 1e-4
    mean, spread = np.zeros(7), np.eye(7)
    move = np.eye(7)
    move[:, :4] -= rate * tangent[:, :4]
    for _ in range(steps):
        mean = mean - rate * tangent[:, :4] @ (mean[:4] - Y)
        spread = move @ spread
    found = expansion.predict(NET, X, Y, TESTS, time=steps * rate)
    assert found.mean == pytest.approx(mean[4:], abs=2e-3)
    assert found.covariance == pytest.approx((spread @ kernel @ spread.T)[4:, 4:], abs=2e-3)


def test_the_posterior_is_bayes_rule():
    """Conditioning the joint Gaussian of targets with noise and tests."""
    kernel = expansion.kernel(NET, np.concatenate([X, TESTS])).nngp
    inverse = np.linalg.inv(kernel[:4, :4] + 0.3 * np.eye(4))
    found = expansion.predict(NET, X, Y, TESTS, kind="nngp", noise=0.3)
    assert found.mean == pytest.approx(kernel[4:, :4] @ inverse @ Y)
    wanted = kernel[4:, 4:] - kernel[4:, :4] @ inverse @ kernel[:4, 4:]
    assert found.covariance == pytest.approx(wanted)
    assert found.variance == pytest.approx(np.diag(wanted))


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["tanh", "gelu"])
def test_wide_networks_trained_by_small_steps(activation: str) -> None:
    """300 networks of width 512, part of the way: 8 comparisons, |z| < 5.3 has 1e-6.

    On top of the spread over networks, 1/n and the step move means by up to 0.01. (For kinked
    activations a width of 512 is not enough: neurons that cross zero are a term of order
    width^(−1/2).)
    """
    net = fw.MLP(3, [512, 512], activation, hidden_gain=1.8, bias_variance=0.1)
    rate, steps, size = 0.02, 60, 300
    run = fw.simulate.train(net, X, Y, rate, steps, size=size, seed=3)
    found = expansion.predict(net, X, Y, X, time=rate * steps)
    last = run.outputs[:, -1]
    error = last.std(axis=0) / size**0.5
    assert (np.abs(last.mean(axis=0) - found.mean) < 0.01 + 5.3 * error).all()
    spread = last.var(axis=0, ddof=1)
    tolerance = 0.08 * found.variance + 5.3 * (2 / size) ** 0.5 * spread
    assert (np.abs(spread - found.variance) < tolerance).all()
    # Neither the prior nor the end of training would pass.
    for time in (0.0, None):
        other = expansion.predict(net, X, Y, X, time=time)
        assert (np.abs(last.mean(axis=0) - other.mean) > 0.01 + 5.3 * error).any()


def test_equal_training_inputs_take_the_mean_of_their_targets():
    doubled = np.concatenate([X, X[:1]])
    targets = np.append(Y, 0.4)
    merged = np.append(Y, 0.0)[:4] + np.array([-0.3, 0, 0, 0])
    for kind in ("ntk", "nngp"):
        found = expansion.predict(NET, doubled, targets, TESTS, kind=kind)
        wanted = expansion.predict(NET, X, merged, TESTS, kind=kind)
        assert found.mean == pytest.approx(wanted.mean, rel=1e-6)
        assert found.covariance == pytest.approx(wanted.covariance, rel=1e-6, abs=1e-9)


def test_several_outputs_are_predicted_independently():
    net = fw.MLP(3, [64, 64], "gelu", n_out=2)
    both = expansion.predict(net, X, np.stack([Y, -2 * Y], axis=1), TESTS, time=2.0)
    one = expansion.predict(net, X, Y, TESTS, time=2.0)
    assert both.mean == pytest.approx(np.stack([one.mean, -2 * one.mean], axis=1))


BAD = {
    "kind": ({"kind": "gp"}, "kind is 'gp', expected one of ntk, nngp"),
    "time": ({"time": -1.0}, "time is -1.0, expected a finite number of at least 0"),
    "time of nngp": ({"time": 1.0, "kind": "nngp"}, 'time was given with kind="nngp"'),
    "noise": ({"noise": -1.0, "kind": "nngp"}, "noise is -1.0"),
    "noise of ntk": ({"noise": 0.1}, 'noise was given with kind="ntk"'),
}


@pytest.mark.parametrize(("options", "sentence"), BAD.values(), ids=BAD.keys())
def test_bad_options_get_a_sentence(options: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        expansion.predict(NET, X, Y, TESTS, **options)


def test_bad_arrays_get_a_sentence():
    with pytest.raises(ValueError, match=r"y has shape \[3\], expected \[4\] or \[4, 1\]"):
        expansion.predict(NET, X, Y[:3], TESTS)
    with pytest.raises(ValueError, match=r"X_test has shape \(3, 2\), expected \[B, 3\]"):
        expansion.predict(NET, X, Y, TESTS[:, :2])
