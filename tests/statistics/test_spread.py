"""The standard deviation of logarithms and its errors."""

import numpy as np
import pytest

from finitewidth.statistics.spread import log_spread_by_jackknife, log_spread_by_moments


def test_the_error_of_a_spread_is_that_of_repeated_samples() -> None:
    """300 samples of 64; the mean stated error against the spread of the estimates.

    Their ratio has a standard error of about 4 % + 1 %, and the delta method is short by 2 % at
    this size in Laplace logs (heavier than those of K): ±0.3 has a false-alarm rate below 1e-6.
    A missing factor 2 or √n, or the normal law's error, is off by more (0.5, 8, 0.63).
    """
    rng = np.random.default_rng(0)
    found = [log_spread_by_moments(np.exp(rng.laplace(size=64))) for _ in range(300)]
    spread = np.std([value for value, _ in found], ddof=1)
    stated = np.sqrt(np.mean([error**2 for _, error in found]))
    assert stated / spread == pytest.approx(1, abs=0.3)


@pytest.mark.parametrize("size", [2, 3, 8, 64])
def test_both_formulas_give_the_standard_deviation(size: int) -> None:
    values = np.random.default_rng(size).lognormal(size=size)
    for by in (log_spread_by_moments, log_spread_by_jackknife):
        assert by(values)[0] == pytest.approx(np.log(values).std(ddof=1), rel=1e-14)


def test_equal_values_have_neither_spread_nor_error() -> None:
    for by in (log_spread_by_moments, log_spread_by_jackknife):
        assert by(np.full(5, 3.0)) == (0.0, 0.0)
