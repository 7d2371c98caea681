"""Errors over seeds: which are trusted, and how often those hold the truth.

Log-normal K with fixed seeds; a false alarm in fewer than 1e-6 of draws of each comparison.
"""

from math import exp

import jaxtyping
import numpy as np
import pytest

from finitewidth.measure import averages

SAMPLES = 600


def trusted_and_held(spread: float, seeds: int) -> tuple[np.ndarray, np.ndarray]:
    """Of dispersions of `seeds` values of e^{spread·normal}: trusted, and the truth within ± 2."""
    rng, truth = np.random.default_rng(7), exp(spread**2)
    with pytest.MonkeyPatch.context() as patch:  # checks of types, longer than the numbers
        patch.setattr(jaxtyping.config, "jaxtyping_disable", True)
        found = [
            averages.dispersion(np.exp(spread * rng.standard_normal(seeds))) for _ in range(SAMPLES)
        ]
    held = [abs(estimate.value - truth) <= 2 * estimate.std_error for estimate in found]
    return np.array([estimate.trusted for estimate in found]), np.array(held)


def test_at_32_seeds_a_small_spread_is_trusted_and_its_error_holds() -> None:
    """ln-sd 0.2: 89 % of 8000 samples hold the truth, the bounds are 4.9 standard errors off."""
    trusted, held = trusted_and_held(0.2, 32)
    assert trusted.mean() > 0.98
    assert held[trusted].mean() > 0.826
    assert held[trusted].mean() < 0.952  # nor are they too large


def test_at_32_seeds_a_large_spread_is_not_trusted() -> None:
    """ln-sd 0.7: 27 % miss, and 1 in 1000 passes the rule; 8 % would with 15 carriers."""
    trusted, held = trusted_and_held(0.7, 32)
    assert (~held).mean() > 0.18
    assert (trusted & ~held).mean() < 0.02


def test_a_note_says_how_many_seeds_it_takes() -> None:
    """One value of 3 among nine of 1: (Σq)²/Σq² = 18²/90 = 3.6, so 20 take 56 seeds."""
    values = np.array([3.0] + [1.0] * 9)
    for found in (averages.dispersion(values, "ratio"), averages.variance(values, "ratio")):
        assert not found.trusted
        assert found.note == (
            "10 seeds are too few for the error of the ratio (3.6 of them carry it, 20 should); "
            "it takes about 56."
        )
    many = averages.variance(np.repeat(values, 6))
    assert many.trusted
    assert many.note == ""


def test_errors_are_those_of_the_formulas() -> None:
    values = np.array([1.0, 2.0, 4.0, 7.0])
    # leave-one-out variances 19/3, 9, 31/3, 7/3: squared distances from 7 add up to 336/9
    assert averages.variance(values).value == pytest.approx(7.0, rel=1e-14)
    assert averages.variance(values).std_error == pytest.approx(28**0.5, rel=1e-12)
    # m² − v/S = 12.25 − 1.75
    assert averages.dispersion(values).value == pytest.approx(1 + 7 / 10.5, rel=1e-14)
    assert averages.mean(values).std_error == pytest.approx((7 / 4) ** 0.5, rel=1e-14)
    twice = averages.ratio(values, 2 * values)
    assert (twice.value, twice.std_error) == (0.5, 0.0)


def test_one_seed_that_carries_all_is_the_most_random_case():
    """E K²/(E K)² of one number among eight zeros is 8·8/7 or so, not 1."""
    found = averages.dispersion(np.array([5.0, *[0.0] * 7]))
    assert found.value == pytest.approx(1.0 + 8.0)
    assert not found.trusted


def test_two_seeds_give_numbers_whose_errors_are_not_trusted() -> None:
    """Half the squared difference, with √2 times itself, the error of a normal variance."""
    values = np.array([3.0, 5.0])
    variance, dispersion = averages.variance(values), averages.dispersion(values)
    assert variance.value == 2.0
    assert variance.std_error == pytest.approx(2.0 * 2**0.5)
    assert dispersion.value == pytest.approx(1 + 2 / 15)  # the squared mean less 2/2
    assert dispersion.std_error == pytest.approx(2 / 15 * 2**0.5)
    of_means = (
        averages.mean(values),
        averages.mean(values[:, None]),
        averages.ratio(values, values),
    )
    for found in (*of_means, variance, dispersion):
        assert not found.trusted
        assert "2 seeds" in found.note or "two seeds" in found.note
    assert averages.mean(values).std_error == 1.0
    assert averages.mean(np.array([3.0, 5.0, 4.0])).trusted
    dead = averages.dispersion(np.zeros(2))
    assert (dead.value, dead.std_error) == (1.0, 0.0)
