"""When a standard error is trusted: log-normal kernels, with which the truth is known."""

import numpy as np
import pytest

import finitewidth as fw
from finitewidth import simulate
from finitewidth.simulate import statistics

RATE = 0.06  # of ensembles in which a trusted value is more than 5 standard errors off
CASES = [(30, 300), (100, 300), (300, 300), (1000, 300), (10_000, 60)]
LOG_VARIANCES = [0.02, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0]


def outcomes(average, truth, size, ensembles, log_variance):
    """For each ensemble, whether it is trusted and whether it is more than 5 errors off."""
    rng = np.random.default_rng([size, round(100 * log_variance)])
    draws = np.exp(np.sqrt(log_variance) * rng.standard_normal((ensembles, size)))
    kernels = draws * np.exp(-log_variance / 2)
    estimates = [average(q[:, None]) for q in kernels]
    trusted = np.array([estimate.trusted for estimate in estimates])
    return trusted, np.array([abs(estimate.z(truth)[0]) > 5 for estimate in estimates])


def mean(q):
    return statistics.mean(q, statistics.FOR_MEANS, "raise size", "dense")


def variance(q):
    return statistics.variance(q, "raise size", "dense")


def dispersion(q):
    return statistics.dispersion(q, "raise size", "dense")


def limit(ensembles):
    """Largest count of failures that a true rate of RATE exceeds with probability below 1e-6."""
    from scipy.stats import binom

    return int(binom.isf(1e-6 / 105, ensembles, RATE))


@pytest.mark.parametrize(("size", "ensembles"), CASES)
def test_a_trusted_average_is_rarely_far_off(size, ensembles):
    """105 comparisons: false alarm below 1e-6 in all.

    Detects, with the same certainty, rates above 0.17 of 300 ensembles and 0.35 of 60.
    """
    for log_variance in LOG_VARIANCES:
        for average, truth in (
            (mean, 1.0),
            (variance, np.exp(log_variance) - 1),
            (dispersion, np.exp(log_variance)),
        ):
            trusted, off = outcomes(average, truth, size, ensembles, log_variance)
            assert (trusted & off).sum() <= limit(ensembles), (average, log_variance)


def test_without_the_rule_heavy_tails_pass_unseen():
    trusted, off = outcomes(dispersion, np.exp(2.5), 1000, 300, 2.5)
    assert off.sum() > limit(300)  # the sabotaged rule, trusting everything, is caught
    assert not trusted.any()


def test_ordinary_ensembles_are_trusted():
    for size, log_variance in ((100, 0.02), (300, 0.1), (1000, 0.25)):
        trusted, _ = outcomes(mean, 1.0, size, 100, log_variance)
        assert trusted.all()
        if size > 100:
            trusted, _ = outcomes(dispersion, np.exp(log_variance), size, 100, log_variance)
            assert trusted.mean() > 0.9


def test_the_note_names_the_exact_moment_where_it_exists():
    deep = fw.MLP.equal_width(10, 10, 30)
    found = simulate.ensemble(deep, np.ones(10), 500, seed=0)
    estimate = found.dispersion()
    assert not estimate.trusted
    assert "500 networks carry this average" in estimate.note
    assert 'fw.KernelLaw(net, x).moment(2, part="kernel"), which is exact' in estimate.note

    residual = fw.MLP.equal_width(10, 10, 30, residual=(1.0, 1.0))
    estimate = simulate.ensemble(residual, np.ones(10), 500, seed=0).dispersion()
    assert not estimate.trusted
    assert estimate.note.endswith("raise size.")


def test_the_note_of_a_small_ensemble_asks_for_more():
    found = simulate.ensemble(fw.MLP(n_in=10, widths=[300]), np.ones(10), 20, seed=0)
    assert found.mean().note.startswith("20 networks are too few")
    assert found.dispersion().note.startswith("20 networks are too few")


def test_a_step_names_the_law_of_its_pattern():
    net = fw.MLP.equal_width(10, 10, 30)
    for pattern, name in (("real", "step_mean"), ("frozen", "update_mean")):
        found = simulate.first_step(
            net, np.ones(10), np.zeros(1), 1e-3, 60, seed=0, pattern=pattern
        )
        assert not found.mean_change().trusted
        assert f"fw.KernelLaw(net, x).{name} at one input" in found.mean_change().note
