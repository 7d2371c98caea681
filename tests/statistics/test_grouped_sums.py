"""Power sums of parts are those of the whole, and give moments and jackknife errors."""

import numpy as np
import pytest

from finitewidth.statistics.grouped_sums import GroupedSums


def test_sums_of_parts_are_those_of_the_whole() -> None:
    rng = np.random.default_rng(0)
    values = 3.0 + 1e-4 * rng.standard_normal(5000) ** 3
    index = np.arange(5000)
    whole = GroupedSums.of(values, index)
    parts = GroupedSums.of(values[:1], index[:1]) + GroupedSums.of(values[1:2000], index[1:2000])
    parts += GroupedSums.of(values[2000:], index[2000:])
    centred = values - values.mean()
    truth = [values.mean(), *(float((centred**p).mean()) for p in (2, 3, 4))]
    for found in (whole.central(), parts.central()):
        assert found == pytest.approx(truth, rel=1e-9)
    raw = [float((values**p).sum()) for p in range(5)]
    assert parts.raw() == pytest.approx(raw, rel=1e-12)
    value, error = parts.estimate(lambda m: m[0])
    assert value == pytest.approx(values.mean(), rel=1e-14)
    # A jackknife over 32 groups: its relative error is about 1/√62; 5 of these.
    assert error == pytest.approx(values.std() / np.sqrt(5000), rel=5 / np.sqrt(62))


def test_a_value_beyond_a_double_is_refused() -> None:
    with pytest.raises(ValueError, match="powers of order 4 beyond the range"):
        GroupedSums.of(np.array([1e90, -1e90]), np.arange(2))


def test_a_single_network_has_no_error() -> None:
    with pytest.raises(ValueError, match="a single network"):
        GroupedSums.of(np.array([1.0]), np.arange(1)).estimate(lambda m: m[0])


def test_lower_orders_about_a_given_shift_give_the_same_moments() -> None:
    values, index = np.random.default_rng(3).lognormal(size=500), np.arange(500)
    full = GroupedSums.of(values, index)
    for order in (1, 2, 3):
        lower = GroupedSums.of(values, index, order, 1.0)
        assert lower.central() == pytest.approx(full.central()[:order], rel=1e-9)
        assert lower.raw() == pytest.approx(full.raw()[: order + 1], rel=1e-9)


def test_groups_without_networks_count_where_asked_for() -> None:
    """16 of 32 groups hold one number each; with the others the error is √(31·15/32 /(15²/16))."""
    sums = GroupedSums.of(np.random.default_rng(4).normal(size=16), np.arange(16))
    _, error = sums.estimate(lambda m: m[0])
    _, wider = sums.estimate(lambda m: m[0], empty_groups=True)
    assert sums.groups_held == 16
    assert wider / error == pytest.approx(np.sqrt(31 / 32 * 16 / 15), rel=1e-9)
