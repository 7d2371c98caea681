"""A sample depends on its seed alone: not on threads, not on how much of it is asked for."""

import sys
import threading
import tracemalloc
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.law.sampler import streams
from finitewidth.law.sampler.streams import BLOCK
from finitewidth.statistics import ordered

NETS = {
    "relu": fw.MLP(3, [4, 3]),
    "leaky": fw.MLP(3, [4, 3], "leaky_relu", 0.3, parametrization="standard"),
    "no hidden layer": fw.MLP(3, []),
}
SIZE = 5 * BLOCK + 17  # five whole blocks and a part of one


def same(first: Any, second: Any, rows: slice = slice(None)) -> bool:
    """Bit by bit, for every array of a sample."""
    return all(
        np.array_equal(getattr(first, f.name)[rows], getattr(second, f.name)[rows])
        for f in fields(first)
    )


@pytest.mark.parametrize("name", NETS)
def test_threads_do_not_change_the_numbers(name: str) -> None:
    law = fw.KernelLaw(NETS[name])
    for draw in (law.sample, law.log_sample):
        one = draw(SIZE, 1, workers=1)
        for workers in (2, 5, None):
            assert same(one, draw(SIZE, 1, workers=workers))


def test_threads_do_not_change_summaries_and_quantiles() -> None:
    law = fw.KernelLaw(NETS["relu"])
    one, levels = law.summary(SIZE, 1, workers=1), [0.1, 0.5, 0.9]
    quantiles = law.quantile(levels, SIZE, 1, workers=1)
    for workers in (2, 5):
        other = law.summary(SIZE, 1, workers=workers)
        assert repr(replace(one, ordered=other.ordered)) == repr(other)
        for mine, its in zip(one.ordered.coarse(80), other.ordered.coarse(80), strict=True):
            assert np.array_equal(mine, its)
        found = law.quantile(levels, SIZE, 1, workers=workers)
        assert np.array_equal(quantiles.value, found.value)
        assert np.array_equal(quantiles.low, found.low)
        assert np.array_equal(quantiles.high, found.high)


@pytest.mark.parametrize("name", NETS)
def test_whole_blocks_are_a_prefix_of_a_larger_sample(name: str) -> None:
    law = fw.KernelLaw(NETS[name])
    large = law.sample(SIZE, 1)
    for count in (1, 2, 5):
        assert same(law.sample(count * BLOCK, 1), large, slice(count * BLOCK))


def test_no_block_repeats_another() -> None:
    draws = fw.KernelLaw(NETS["leaky"]).sample(4 * BLOCK, 1)
    assert len(np.unique(draws.kernel)) == 4 * BLOCK


def test_a_seed_decides_and_different_seeds_differ() -> None:
    law = fw.KernelLaw(NETS["leaky"])
    first = law.sample(1000, 1)
    assert same(first, law.sample(1000, 1))
    for seed in (0, 2, 2**64 - 1):
        assert not np.isin(law.sample(1000, seed).kernel, first.kernel).any()


@pytest.mark.parametrize("name", NETS)
def test_logs_are_the_logs_of_the_same_draws(name: str) -> None:
    """To a few roundings of the log; K_w is a product of two, N² of three."""
    law = fw.KernelLaw(NETS[name])
    plain, logs = law.sample(BLOCK, 1), law.log_sample(BLOCK, 1)
    assert np.array_equal(plain.alive, logs.alive)
    with np.errstate(divide="ignore"):
        for part in ("weights", "biases", "kernel"):
            np.testing.assert_allclose(
                getattr(logs, part), np.log(getattr(plain, part)), rtol=1e-14, atol=1e-14
            )
        np.testing.assert_allclose(
            logs.output, np.log(np.abs(plain.output)), rtol=1e-14, atol=1e-14
        )
    np.testing.assert_allclose(plain.kernel, plain.weights + plain.biases, rtol=4e-16)


def test_shared_streams_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """If all blocks drew from one stream, threads would matter, or blocks would repeat."""
    with monkeypatch.context() as patch:
        shared = np.random.default_rng(0)
        patch.setattr(
            streams, "draw_block", lambda net, norm, rng, count: original(net, norm, shared, count)
        )
        law = fw.KernelLaw(NETS["relu"])
        assert not same(law.sample(2 * BLOCK, 1), law.sample(2 * BLOCK, 1))
    with monkeypatch.context() as patch:
        patch.setattr(
            streams,
            "draw_block",
            lambda net, norm, rng, count: original(net, norm, np.random.default_rng(0), count),
        )
        with pytest.raises(AssertionError):
            test_no_block_repeats_another()


original = streams.draw_block


# -- memory -------------------------------------------------------------------------------------


def peak(size: int, workers: int) -> int:
    """Bytes at the peak of a summary."""
    law = fw.KernelLaw(fw.MLP(3, [4]))
    law.summary(100, 1)  # imports and tables of the exact law are not the sample's
    tracemalloc.start()
    try:
        law.summary(size, 1, workers=workers)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_summary_takes_constant_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """2·10⁶ networks in less than 8 MB, where a sample of them takes 66 MB, if 2¹⁶ are kept.

    A block of 4096 networks has 7 arrays of 32 KiB and some 25 temporaries: below 1.1 MB. Threads
    hold 4 finished blocks each (0.23 MB a block); 2¹⁷ numbers that wait, their copy, and 2¹⁶ cells
    with their edges are 3.6 MB.
    """
    monkeypatch.setattr(ordered, "SORTED_UP_TO", 2**16)
    assert peak(2_000_000, workers=2) < 8e6


def test_storing_the_sample_would_be_noticed() -> None:
    tracemalloc.start()
    try:
        fw.KernelLaw(fw.MLP(3, [4])).sample(500_000, 1)
        assert tracemalloc.get_traced_memory()[1] > 33 * 500_000
    finally:
        tracemalloc.stop()


# -- progress and interruption -------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_progress_counts_networks(workers: int) -> None:
    law, seen = fw.KernelLaw(NETS["relu"]), []
    law.summary(SIZE, 1, workers=workers, progress=lambda done, size: seen.append((done, size)))
    assert seen == [(min((k + 1) * BLOCK, SIZE), SIZE) for k in range(6)]


class Stop(Exception):
    """Raised by the caller's own progress function."""


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("kind", [Stop, KeyboardInterrupt])
def test_an_interrupt_ends_the_work(workers: int, kind: type[BaseException]) -> None:
    before, called = threading.active_count(), []

    def stop(done: int, size: int) -> None:
        called.append(done)
        if len(called) == 3:
            raise kind

    law = fw.KernelLaw(NETS["relu"])
    for ask in (law.sample, law.log_sample, law.summary):
        called.clear()
        with pytest.raises(kind):
            ask(400 * BLOCK, 1, workers=workers, progress=stop)
        assert called == [BLOCK, 2 * BLOCK, 3 * BLOCK]
        assert threading.active_count() == before
    assert same(law.sample(100, 1), law.sample(100, 1, workers=workers))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failing_block_ends_the_work(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before, count = threading.active_count(), []

    def fail(net: Any, norm: float, rng: np.random.Generator, size: int) -> Any:
        count.append(size)
        if len(count) == 2:
            raise Stop
        return original(net, norm, rng, size)

    monkeypatch.setattr(streams, "draw_block", fail)
    with pytest.raises(Stop):
        fw.KernelLaw(NETS["relu"]).summary(400 * BLOCK, 1, workers=workers)
    assert threading.active_count() == before
    assert len(count) < 40, "the blocks behind the failure are not drawn"


def test_values_beyond_a_double_end_the_work() -> None:
    before = threading.active_count()
    law = fw.KernelLaw(fw.MLP(3, [4, 4], hidden_gain=1e160, output_gain=1e5))
    with pytest.raises(ValueError, match=r"above the range of a double; use law\.log_sample"):
        law.sample(100 * BLOCK, 1, workers=2)
    assert threading.active_count() == before
    assert sys.exc_info() == (None, None, None)
