"""The number of active neurons is Binomial(n, ½), whichever way it is drawn.

2·10⁵ draws at each width against the exact binomial law: the χ² of the counts, in cells that
expect at least 50, and the dead. 16 comparisons, each of level 10⁻⁶/16.
"""

import numpy as np
import pytest
from scipy import stats

from finitewidth.law.sampler.neurons import active_neurons

SIZE = 200_000
LEVEL = 1e-6 / 16
WIDTHS = (1, 2, 7, 63, 64, 65, 128, 130, 1000, 1024, 1025, 5000)


def p_value(active: np.ndarray, width: int) -> float:
    expected = SIZE * stats.binom.pmf(np.arange(width + 1), width, 0.5)
    common = np.flatnonzero(expected >= 50)
    low, high = common[0], common[-1]
    cells = np.clip(active, low, high) - low
    inside = expected[low : high + 1].copy()
    inside[0], inside[-1] = expected[: low + 1].sum(), expected[high:].sum()
    counts = np.bincount(cells, minlength=len(inside))
    return float(stats.chisquare(counts, inside).pvalue)


@pytest.mark.parametrize("width", WIDTHS)
def test_active_neurons_are_binomial(width: int) -> None:
    active = active_neurons(np.random.default_rng(width), width, SIZE)
    assert active.min() >= 0
    assert active.max() <= width
    assert p_value(active, width) > LEVEL


@pytest.mark.parametrize("width", [64, 128])
def test_other_laws_are_rejected(width: int) -> None:
    """One neuron too few, and a probability of 0.505: twice 10⁻²·√n standard deviations or more."""
    rng = np.random.default_rng(0)
    assert p_value(rng.binomial(width - 1, 0.5, SIZE), width) < LEVEL
    assert p_value(rng.binomial(width, 0.505, SIZE), width) < LEVEL


def test_a_width_of_a_billion() -> None:
    """Mean and variance of 2·10⁵ draws; |z| < 5.4 for each, so 0.024 σ is always seen."""
    active = active_neurons(np.random.default_rng(3), 10**9, SIZE)
    z = (active - 5e8) / np.sqrt(2.5e8)
    assert abs(z.mean()) < 5.4 / np.sqrt(SIZE)
    assert abs(z.var() - 1) < 5.4 * np.sqrt(2 / SIZE)
