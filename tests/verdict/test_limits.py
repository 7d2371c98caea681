"""Limits: far from them any reading decides, near them nothing does; how often a gate is wrong.

Kernels of known laws with fixed seeds. The limit is the true dispersion, where every decision is a
wrong one; bounds lie 4.9 standard errors of 1000 samples above the rates stated, so that a false
alarm of a comparison comes in fewer than 1e-6 of draws. A rate larger by 9.6 of them is detected.
"""

from math import exp

import jaxtyping
import numpy as np
import pytest

from finitewidth.estimate import Estimate

pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")

from finitewidth.measure import averages
from finitewidth.verdict.limits import Outcome, not_finite, of_change, of_dispersion

SAMPLES = 1000


def kernels(law: str, spread: float, shape: tuple[int, int]) -> tuple[np.ndarray, float]:
    """Samples of K, and E K²/(E K)²."""
    normal = np.random.default_rng(11).standard_normal(shape)
    if law == "normal":
        return 1.0 + spread * normal, 1.0 + spread**2
    return np.exp(spread * normal), exp(spread**2)


def outcomes(values: np.ndarray, limit: float) -> list[tuple[bool, bool | None]]:
    """Of every sample: whether its error is trusted, and what the gate says."""
    found = []
    with pytest.MonkeyPatch.context() as patch:  # checks of types, longer than the numbers
        patch.setattr(jaxtyping.config, "jaxtyping_disable", True)
        for one in values:
            estimate = averages.dispersion(one)
            found.append((estimate.trusted, of_dispersion(one, estimate, limit).passed))
    return found


LAWS = [
    ("normal", 0.03, 12), ("normal", 0.1, 12), ("normal", 0.2, 32), ("lognormal", 0.03, 12),
    ("lognormal", 0.1, 16), ("lognormal", 0.3, 32), ("lognormal", 0.5, 32),
    ("lognormal", 0.75, 32), ("lognormal", 1.0, 32), ("lognormal", 1.5, 32),
]  # fmt: skip


@pytest.mark.parametrize(("law", "spread", "seeds"), LAWS)
def test_how_often_a_gate_passes_what_is_on_the_limit(law: str, spread: float, seeds: int) -> None:
    """At most 15 % pass (12 seeds, whose own error is low where they are), 1 % fail."""
    values, truth = kernels(law, spread, (SAMPLES, seeds))
    told = [passed for _, passed in outcomes(values, truth)]
    room = 4.9 / SAMPLES**0.5
    assert np.mean([passed is True for passed in told]) < 0.15 + room * (0.15 * 0.85) ** 0.5
    assert np.mean([passed is False for passed in told]) < 0.01 + room * (0.01 * 0.99) ** 0.5


@pytest.mark.parametrize("spread", [0.03, 0.3, 1.5])
@pytest.mark.parametrize("seeds", [3, 6, 32])
def test_an_error_that_is_not_trusted_errs_once_in_a_thousand(spread: float, seeds: int) -> None:
    """On each side, of log-normal kernels: 2 of 1000 are expected where all are untrusted."""
    values, truth = kernels("lognormal", spread, (SAMPLES, seeds))
    wrong = [p is not None for trusted, p in outcomes(values, truth) if not trusted]
    assert sum(wrong) <= 13  # Poisson of mean 2: more in 2e-7 of draws
    # sabotage: two standard errors, trusted or not, pass what is on the limit half of the time
    if spread == 1.5:
        found = [averages.dispersion(one) for one in values[:100]]
        assert np.mean([e.value + 2 * e.std_error < truth for e in found]) > 0.4


@pytest.mark.parametrize(("spread", "seeds"), [(0.03, 12), (0.03, 6), (1.0, 12)])
def test_a_limit_far_away_is_decided_by_few_seeds(spread: float, seeds: int) -> None:
    one = kernels("lognormal", spread, (1, seeds))[0][0]
    estimate = averages.dispersion(one)
    assert of_dispersion(one, estimate, 1e6).passed is True
    if spread == 1.0:
        assert of_dispersion(one, estimate, 1.0001).passed is False


def test_two_seeds_may_agree_by_chance() -> None:
    """Once in a thousand a spread of 1 looks like one of 0.0013, so that they tell nothing."""
    one = np.exp([0.0, 0.03])
    found = of_dispersion(one, averages.dispersion(one), 1e6)
    assert found.passed is None
    assert "from 0.99" in found.sentence
    assert " on, and the limit is 1e+06" in found.sentence
    assert found.seeds_needed <= 6


def test_an_open_limit_says_how_many_seeds_it_takes() -> None:
    one = kernels("lognormal", 1.0, (1, 12))[0][0]
    estimate = averages.dispersion(one)
    found = of_dispersion(one, estimate, 1.1 * float(estimate.value))
    assert found.passed is None
    assert found.seeds_needed > 12
    assert found.sentence.endswith(f"12 seeds cannot tell, it takes about {found.seeds_needed:,}.")
    assert "whose error cannot be trusted" in found.sentence


def test_twelve_even_seeds_are_trusted_and_six_are_not() -> None:
    even = kernels("normal", 0.03, (1, 12))[0][0]
    assert averages.dispersion(even).trusted
    six = averages.dispersion(even[:6])
    assert "10 should); it takes about 11." in six.note
    wide = averages.dispersion(kernels("lognormal", 0.5, (1, 12))[0][0])
    assert "20 should" in wide.note


# -- means ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seeds", [2, 4, 8, 32])
def test_a_mean_of_few_seeds_errs_as_seldom_as_one_of_many(seeds: int) -> None:
    """Normal changes: 2.3 % on each side at any number; by two standard errors 15 % of 2 seeds."""
    values = 1.0 + 0.1 * np.random.default_rng(5).standard_normal((SAMPLES, seeds))
    told = []
    for one in values:
        told.append(of_change(one, averages.mean(one), 1.0).passed)
    chance, room = 0.0228, 4.9 / SAMPLES**0.5
    for side in (True, False):
        share = np.mean([passed is side for passed in told])
        assert abs(share - chance) < room * (chance * (1 - chance)) ** 0.5
    if seeds == 2:  # sabotage
        off = np.abs(values.mean(axis=1) - 1.0)
        error = values.std(axis=1, ddof=1) / seeds**0.5
        assert np.mean(off > 2 * error) / 2 > 0.1


def test_a_mean_that_few_seeds_carry_is_at_most_the_largest() -> None:
    values = np.array([0.001] * 19 + [1.0])
    mean = averages.mean(values).doubted(averages.few_carry_the_mean(values))
    assert not mean.trusted
    assert of_change(values, mean, 1.5).passed is True
    assert of_change(values, mean, 0.5).passed is None
    assert of_change(values, mean, 1e-4).passed is False  # all 20 lie above it
    assert of_change(values, mean, 0.9e-3).passed is None


def test_a_step_that_is_not_finite_keeps_no_limit() -> None:
    found = not_finite(2, 8)
    assert found == Outcome(False, found.sentence)
    assert "2 of 8 seeds" in found.sentence


def test_an_outcome_of_a_trusted_error_is_two_standard_errors() -> None:
    values = np.ones(8)
    estimate = Estimate(1.2, 0.05, 8, "measured")
    assert of_dispersion(values, estimate, 1.301).passed is True
    assert of_dispersion(values, estimate, 1.299).passed is None
    assert of_dispersion(values, estimate, 1.101).passed is None
    assert of_dispersion(values, estimate, 1.099).passed is False
