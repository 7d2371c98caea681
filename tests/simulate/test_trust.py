"""When a standard error is trusted: log-normal kernels, with which the truth is known."""

import re

import numpy as np
import pytest
from scipy.stats import binom

import finitewidth as fw
from finitewidth import simulate
from finitewidth.simulate import averages
from finitewidth.statistics.carriers import deviating, effective_number

RATE = 0.06  # of ensembles in which a trusted value is more than 5 standard errors off
SIZES = {30: 1000, 100: 1000, 300: 1000, 1000: 500, 10_000: 60}  # networks: ensembles
LOG_VARIANCES = [0.02, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0]


def estimated(kernels, needed=None):
    """Mean, variance and dispersion of log-normal kernels [size, ensembles].

    Yields the estimate, a column an ensemble, and for each ensemble whether it is trusted by
    itself: alone, it would be the only entry of its `Estimate`.
    """
    centred = kernels - kernels.mean(axis=0)
    for terms, least, estimate in (
        (kernels, averages.FOR_MEANS, mean(kernels)),
        (centred**2, averages.FOR_MEANS, variance(kernels)),
        (kernels**2, averages.FOR_MOMENTS, dispersion(kernels)),
    ):
        carried = effective_number(terms) >= (least if needed is None else needed)
        if terms is kernels and needed is None:
            carried &= deviating(kernels) >= averages.for_deviations(len(kernels))
        yield estimate, carried


def mean(kernels):
    return averages.mean(kernels, averages.FOR_MEANS, "raise size", "dense")


def variance(kernels):
    return averages.variance(kernels, "raise size", "dense")


def dispersion(kernels):
    return averages.dispersion(kernels, "raise size", "dense")


def draw(size, ensembles, log_variance):
    """Log-normal kernels of mean 1, and their mean, variance and dispersion."""
    rng = np.random.default_rng([size, round(100 * log_variance)])
    normal = rng.standard_normal((size, ensembles))
    kernels = np.exp(np.sqrt(log_variance) * normal - log_variance / 2)
    return kernels, (1.0, np.expm1(log_variance), np.exp(log_variance))


def limit(ensembles):
    """The count of failures that a rate of RATE exceeds with probability 1e-6/105 or less."""
    return int(binom.isf(1e-6 / 105, ensembles, RATE))


@pytest.mark.parametrize("size", SIZES)
def test_a_trusted_average_is_rarely_far_off(size):
    """105 comparisons, false alarm 1e-6 in all.

    Detected with the same certainty: rates above 0.17 (1000 ensembles), 0.22 (500), 0.60 (60).
    """
    ensembles = SIZES[size]
    for log_variance in LOG_VARIANCES:
        kernels, truths = draw(size, ensembles, log_variance)
        for truth, (estimate, trusted) in zip(truths, estimated(kernels), strict=True):
            off = np.abs(estimate.z(truth)) > 5
            assert (trusted & off).sum() <= limit(ensembles)


def test_a_rule_that_asks_for_too_little_is_caught():
    kernels, truths = draw(1000, 500, 2.5)
    for needed, passes in ((None, True), (5, False)):
        failures = [
            (trusted & (np.abs(estimate.z(truth)) > 5)).sum() <= limit(500)
            for truth, (estimate, trusted) in zip(truths, estimated(kernels, needed), strict=True)
        ]
        assert failures[2] == passes


def test_the_columns_are_judged_as_single_ensembles_are():
    for log_variance in (0.1, 0.5, 1.0, 2.5):
        kernels, _ = draw(300, 10, log_variance)
        for average, (estimate, trusted) in zip(
            (mean, variance, dispersion), estimated(kernels), strict=True
        ):
            alone = [average(kernels[:, k : k + 1]) for k in range(10)]
            assert [single.trusted for single in alone] == list(trusted)
            np.testing.assert_allclose([s.value[0] for s in alone], estimate.value)
            np.testing.assert_allclose([s.std_error[0] for s in alone], estimate.std_error)


def test_ordinary_ensembles_are_trusted():
    for size, log_variance in ((30, 0.0), (100, 0.02), (300, 0.1), (1000, 0.25)):
        kernels, _ = draw(size, 200, log_variance)
        of_mean, of_variance, of_dispersion = (trusted for _, trusted in estimated(kernels))
        assert of_mean.all()
        if size > 100:
            assert of_variance.mean() > 0.9
            assert of_dispersion.mean() > 0.9


def test_a_mean_is_not_trusted_for_what_all_networks_share():
    """K_b is 1 in a network whose last layer is dead, and carried by the few that are alive."""
    net = fw.MLP.equal_width(2, 2, 11)
    exact = fw.KernelLaw(net, [0.8, 1.1]).mean("biases")
    found = [simulate.ensemble(net, [0.8, 1.1], 20_000, seed).mean("biases") for seed in range(6)]
    assert min(one.z(exact).item() for one in found) < -5  # far too low, with a small error
    assert not any(one.trusted for one in found)
    assert any("differs by from the median" in one.note for one in found)


DEEP = fw.MLP.equal_width(10, 10, 30)


def named(note):
    """The value of the expression that a note recommends."""
    expression = re.search(r"use (fw\.KernelLaw\(.*\)), which is exact at one input", note)
    assert expression, note
    return eval(expression[1], {"fw": fw, "net": DEEP, "x": np.ones(10)})  # noqa: S307


def test_the_notes_name_the_exact_values_of_the_law():
    found = simulate.ensemble(DEEP, np.ones(10), 500, seed=0)
    law = fw.KernelLaw(DEEP, np.ones(10))
    for estimate, exact in (
        (found.dispersion(), law.dispersion()),
        (found.dispersion("weights"), law.dispersion("weights")),
        (found.variance(), law.variance()),
        (found.moment(2), law.moment(2)),
        (found.moment(4, "weights"), law.moment(4, "weights")),
    ):
        assert not estimate.trusted
        assert "500 networks carry this average" in estimate.note
        assert named(estimate.note) == exact
    assert found.moment(5).note.endswith("; raise size.")
    few = simulate.ensemble(DEEP, np.ones(10), 20, seed=0)
    assert named(few.mean("biases").note) == law.mean("biases")


def test_where_there_is_no_exact_law_the_note_names_none():
    for fields in ({"residual": (1.0, 1.0)}, {"bias_variance": 0.1}, {"activation": "silu"}):
        net = fw.MLP.equal_width(10, 10, 30, **fields)
        estimate = simulate.ensemble(net, np.ones(10), 20, seed=0).dispersion()
        assert not estimate.trusted
        assert estimate.note.endswith("; raise size.")


def test_the_note_of_a_small_ensemble_asks_for_more():
    found = simulate.ensemble(fw.MLP(n_in=10, widths=[300]), np.ones(10), 20, seed=0)
    assert found.mean().note.startswith("20 networks are too few")
    assert found.dispersion().note.startswith("20 networks are too few")


def test_only_the_first_order_of_a_step_has_an_exact_mean():
    for pattern in ("real", "frozen"):
        found = simulate.first_step(
            DEEP, np.ones(10), np.zeros(1), 1e-3, 60, seed=0, pattern=pattern
        )
        assert not found.mean_change().trusted
        assert found.mean_change().note.endswith("; raise size.")
        exact = fw.KernelLaw(DEEP, np.ones(10)).update_mean(1e-3)
        assert named(found.mean_first_order().note) == exact
