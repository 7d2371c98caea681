"""Averages over networks: against explicit loops, and against known laws."""

import numpy as np
import pytest

import finitewidth as fw
from finitewidth import simulate
from tests.simulate import cases

NET = fw.MLP(n_in=3, widths=[40, 40])
FOUND = simulate.ensemble(NET, cases.X, 300, seed=1)


def leave_one_out(samples, function):
    """Jackknife by repeating the whole computation without each network."""
    size = len(samples)
    without = np.array([function(np.delete(samples, k, axis=0)) for k in range(size)])
    centre = without.mean(axis=0)
    error = np.sqrt((size - 1) / size * ((without - centre) ** 2).sum(axis=0))
    return size * function(samples) - (size - 1) * centre, error


@pytest.mark.parametrize("part", ["kernel", "weights", "biases"])
def test_averages_equal_their_definition(part):
    samples = {"kernel": FOUND.kernels, "weights": FOUND.weights, "biases": FOUND.biases}[part]
    diagonal = np.stack([samples[:, 0, 0], samples[:, 1, 1]], axis=1)
    mean = FOUND.mean(part)
    np.testing.assert_allclose(mean.value, samples.mean(axis=0))
    np.testing.assert_allclose(mean.std_error, samples.std(axis=0, ddof=1) / np.sqrt(300))

    value, error = leave_one_out(diagonal, lambda q: (q**2).mean(axis=0) / q.mean(axis=0) ** 2)
    np.testing.assert_allclose(FOUND.dispersion(part).value, value, rtol=1e-11)
    np.testing.assert_allclose(FOUND.dispersion(part).std_error, error, rtol=1e-9)

    value, error = leave_one_out(samples, lambda q: q.var(axis=0, ddof=1))
    np.testing.assert_allclose(FOUND.variance(part).value, value, rtol=1e-10)
    np.testing.assert_allclose(FOUND.variance(part).std_error, error, rtol=1e-9)

    np.testing.assert_allclose(FOUND.moment(3, part).value, (diagonal**3).mean(axis=0))
    for estimate in (mean, FOUND.dispersion(part), FOUND.variance(part), FOUND.moment(2, part)):
        assert estimate.size == 300
        assert estimate.method == "dense"
        assert estimate.trusted


def test_a_part_that_is_constant_has_dispersion_one_and_no_error():
    found = simulate.ensemble(fw.MLP(n_in=4), np.ones(4), 150, seed=0)
    estimate = found.dispersion("weights")
    np.testing.assert_allclose(estimate.value, 1.0, rtol=1e-14)
    assert estimate.std_error.max() < 1e-14
    assert estimate.trusted


def test_the_dispersion_of_a_part_that_is_zero_is_refused():
    found = simulate.ensemble(cases.NETS["relu without biases"], cases.X, 150, seed=0)
    with pytest.raises(ValueError, match="is not defined because the mean of K is 0"):
        found.dispersion("biases")


def test_too_few_networks_are_refused():
    one = simulate.ensemble(NET, cases.X, 1, seed=0)
    for average in (one.mean, one.variance, one.dispersion, lambda: one.moment(2)):
        with pytest.raises(ValueError, match="a single network has no standard error; draw size=2"):
            average()
    with pytest.raises(ValueError, match="the error of a variance takes 3 networks"):
        simulate.ensemble(NET, cases.X, 2, seed=0).variance()


def test_names_and_orders_are_checked():
    with pytest.raises(ValueError, match="part is 'bias', expected one of kernel, weights, biases"):
        FOUND.mean("bias")
    with pytest.raises(ValueError, match="order is 0, expected a whole number of at least 1"):
        FOUND.moment(0)
    with pytest.raises(ValueError, match=r"K\^400 is beyond the range of float64"):
        FOUND.moment(400)


# E K_w of the identity without hidden gain is d |x|²/n_0 and, for one hidden layer of width n,
# K_w = |x|²/n_0 (|w|² + |u|²)/n with Gaussian vectors u, w: E K_w² / (E K_w)² = 1 + 1/n.
WIDTH, SIZE = 5, 20_000
KNOWN = {"mean": 2 * 14 / 3, "dispersion": 1 + 1 / WIDTH, "variance": (2 * 14 / 3) ** 2 / WIDTH}


@pytest.fixture(scope="module")
def linear():
    net = fw.MLP(n_in=3, widths=[WIDTH], activation="identity", hidden_gain=1.0)
    return simulate.ensemble(net, np.array([1.0, 2.0, 3.0]), SIZE, seed=2024)


@pytest.mark.parametrize("name", KNOWN)
def test_a_known_law_is_met(linear, name):
    """False alarm 1e-6 (|z| < 4.9); the smallest error it detects is 9.6 standard errors.

    Relative to the value that is 3.1% (mean), 1.8% (dispersion), 12% (variance).
    """
    estimate = getattr(linear, name)("weights")
    z = estimate.z(KNOWN[name])
    assert np.abs(z).max() < 4.9
    detectable = {"mean": 0.031, "dispersion": 0.018, "variance": 0.12}[name]
    assert 9.6 * estimate.std_error.max() < detectable * KNOWN[name]
    sabotaged = KNOWN[name] * (1 + detectable)
    assert np.abs(estimate.z(sabotaged)).min() > 4.9
