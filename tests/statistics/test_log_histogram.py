"""Histograms of parts add up, their bins hold what lies in them, and so do their quantiles."""

import numpy as np
import pytest

from finitewidth.statistics.log_histogram import LogHistogram
from finitewidth.statistics.quantiles import one_error


def counted(log2: np.ndarray, lowest: int) -> LogHistogram:
    histogram = LogHistogram(64)
    histogram.add(log2, lowest)
    return histogram


def test_histograms_of_parts_add_up_and_quantiles_are_right() -> None:
    rng = np.random.default_rng(1)
    log2 = 2.0 * rng.standard_normal(40_000)
    whole = counted(log2, 0)
    parts = counted(log2[:10], 0) + counted(np.zeros(0), 3) + counted(log2[10:], 0)
    assert (parts.first, parts.lowest, parts.size) == (whole.first, 3, 40_003)
    assert (parts.counts == whole.counts).all()
    values = 2.0**log2
    for level in (0.05, 0.5, 0.95):
        found = one_error(whole, level)
        assert found is not None
        assert found[0] == pytest.approx(np.quantile(values, level), rel=0.011)
    assert one_error(counted(log2[:20], 0), 0.05) is None
    assert counted(log2[:50], 50).log2_around(20)[1] == -np.inf


def test_errors_of_quantiles_cover() -> None:
    """400 samples of 500: 68.3 % ± 2.3 % lie within one error; 4.9 of those: 57 to 80 %."""
    rng = np.random.default_rng(2)
    inside = 0
    for _ in range(400):
        found = one_error(counted(rng.standard_normal(500), 0), 0.5)
        assert found is not None
        inside += abs(found[0] - 1.0) <= found[1]
    assert 0.57 <= inside / 400 <= 0.80


def test_counting_in_parts_adds_up() -> None:
    values = np.log2(np.random.default_rng(1).lognormal(size=5000))
    whole, first, second = LogHistogram(1024), LogHistogram(1024), LogHistogram(1024)
    whole.add(values, 7)
    for part, histogram in ((values[:1234], first), (values[1234:], second)):
        histogram.add(part, 0)
    first.add(np.zeros(0), 7)
    counts: dict[int, int] = {}
    for histogram in (first, second):
        for place, count in enumerate(histogram.counts):
            counts[histogram.first + place] = counts.get(histogram.first + place, 0) + int(count)
    assert [counts[whole.first + k] for k in range(len(whole.counts))] == whole.counts.tolist()
    assert (whole.size, whole.lowest) == (5007, 7)
    assert np.all(np.floor(values * 1024) >= whole.first)
    # And a bin holds what lies in it.
    place = 900
    low = (whole.first + place) / 1024
    inside = (values >= low) & (values < low + 1 / 1024)
    assert whole.counts[place] == inside.sum()


def test_the_histogram_ends_where_the_sample_ends() -> None:
    histogram = LogHistogram(1024)
    histogram.add(np.array([-1.0, 3.0, 3.0, 10.25]), 2)
    assert histogram.log2_around(0) == histogram.log2_around(2) == (-np.inf,) * 3
    step = 1 / 1024
    assert histogram.log2_around(3) == (-1, -1 + step, -1 + step)
    assert histogram.log2_around(4) == (3, 3 + step / 2, 3 + step)
    assert histogram.log2_around(5) == (3, 3 + step, 3 + step)
    assert (
        histogram.log2_around(6)
        == histogram.log2_around(100)
        == (10.25, 10.25 + step, 10.25 + step)
    )


@pytest.mark.parametrize("level", [0.05, 0.5, 0.95])
def test_an_error_holds_the_bin(level: float) -> None:
    """Numbers that differ by far less than a bin of 1.1 %: the truth is within two errors."""
    for place in (0.001, 0.3, 0.999):
        log2 = (5 + place) / 64 + 1e-9 * np.random.default_rng(1).standard_normal(10_000)
        found = one_error(counted(log2, 0), level)
        assert found is not None
        assert abs(found[0] - 2 ** ((5 + place) / 64)) < 2.01 * found[1]


def test_histograms_of_other_bins_add_up_to_the_wider_ones() -> None:
    log2 = 3.0 * np.random.default_rng(3).standard_normal(1000)
    fine = LogHistogram(256)
    fine.add(log2[:600], 1)
    for total in (fine + counted(log2[600:], 2), counted(log2[600:], 2) + fine):
        whole = counted(log2, 3)
        assert (total.bins_per_octave, total.lowest, total.size) == (64, 3, 1003)
        first = whole.first - total.first  # the padding of the wider bins
        assert total.counts[first : first + len(whole.counts)].tolist() == whole.counts.tolist()
        assert total.counts.sum() == 1000
