"""Chunks: every block once, in order, whatever the cost; and histograms and power sums add up."""

import numpy as np
import pytest

from finitewidth.statistics.grouped_sums import Sums
from finitewidth.sweep.histogram import Histogram
from finitewidth.sweep.plan import Plan


@pytest.mark.parametrize("seconds", [1e-7, 1e-4, 1e-2, 0.3, 40.0])
@pytest.mark.parametrize("block", [64, 4096])
def test_chunks_hold_every_block_once_in_order(block: int, seconds: float) -> None:
    plan = Plan.of(block, seconds)
    blocks = [b for chunk in range(12) for b in plan.blocks(chunk)]
    assert blocks == list(range(len(blocks)))
    lengths = [len(plan.blocks(chunk)) for chunk in range(12)]
    assert lengths == sorted(lengths)
    assert max(lengths) <= plan.most
    each = plan.block * seconds
    assert plan.block == 1 or each <= 15.0
    assert plan.most == 1 or plan.most * each <= 10.0
    assert plan.most * plan.block <= 2**20
    assert lengths[0] == 1


@pytest.mark.parametrize("networks", [1, 64, 65, 1000, 10**6])
def test_the_fewest_chunks_that_hold_so_many(networks: int) -> None:
    plan = Plan(64, 8)
    chunks = plan.chunks(networks)
    assert plan.networks(chunks) >= networks
    assert chunks == 1 or plan.networks(chunks - 1) < networks


def test_sums_of_parts_are_those_of_the_whole() -> None:
    rng = np.random.default_rng(0)
    values = 3.0 + 1e-4 * rng.standard_normal(5000) ** 3
    index = np.arange(5000)
    whole = Sums.of(values, index)
    parts = Sums.of(values[:1], index[:1]) + Sums.of(values[1:2000], index[1:2000])
    parts += Sums.of(values[2000:], index[2000:])
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
    with pytest.raises(ValueError, match="fourth powers beyond the range"):
        Sums.of(np.array([1e90, -1e90]), np.arange(2))


def test_a_single_network_has_no_error() -> None:
    with pytest.raises(ValueError, match="a single network"):
        Sums.of(np.array([1.0]), np.arange(1)).estimate(lambda m: m[0])


def test_histograms_of_parts_add_up_and_quantiles_are_right() -> None:
    rng = np.random.default_rng(1)
    log2 = 2.0 * rng.standard_normal(40_000)
    whole = Histogram.of(log2, 0)
    parts = Histogram.of(log2[:10], 0) + Histogram.of(np.zeros(0), 3) + Histogram.of(log2[10:], 0)
    assert (parts.first, parts.zeros, parts.size) == (whole.first, 3, 40_003)
    assert (parts.counts == whole.counts).all()
    values = 2.0**log2
    for level in (0.05, 0.5, 0.95):
        found = whole.quantile(level)
        assert found is not None
        assert found[0] == pytest.approx(np.quantile(values, level), rel=0.011)
    assert Histogram.of(log2[:20], 0).quantile(0.05) is None
    assert Histogram.of(log2[:50], 50).at(20) == 0.0


def test_errors_of_quantiles_cover() -> None:
    """400 samples of 500: 68.3 % ± 2.3 % lie within one error; 4.9 of those: 57 to 80 %."""
    rng = np.random.default_rng(2)
    inside = 0
    for _ in range(400):
        found = Histogram.of(rng.standard_normal(500), 0).quantile(0.5)
        assert found is not None
        inside += abs(found[0] - 1.0) <= found[1]
    assert 0.57 <= inside / 400 <= 0.80
