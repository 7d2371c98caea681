"""Blocks: order, progress, threads; and the bits of every user against a plain loop over seeds."""

import threading

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.law.crossing import conditional, leading, several
from finitewidth.law.sampler import one_pass
from finitewidth.law.sampler.sample import parts
from finitewidth.statistics.blocks import checked_seed, checked_size, in_blocks


def streams(seed: int, size: int, block: int, *key: int) -> list[tuple[np.random.Generator, int]]:
    """The slow twin: a generator and a number of networks for every block."""
    found = []
    for number, start in enumerate(range(0, size, block)):
        child = np.random.SeedSequence(seed, spawn_key=(*key, number))
        found.append((np.random.Generator(np.random.SFC64(child)), min(block, size - start)))
    return found


@pytest.mark.parametrize("workers", [1, 2, 7, None])
@pytest.mark.parametrize("size", [1, 10, 11, 95])
def test_blocks_are_those_of_a_loop_over_seeds(size: int, workers: int | None) -> None:
    expected = [rng.random(count) for rng, count in streams(5, size, 10, 2, 3)]
    seen: list[tuple[int, int]] = []
    found = list(
        in_blocks(
            lambda rng, count: rng.random(count), size, 5, 10, workers,
            lambda done, of: seen.append((done, of)), (2, 3),
        )
    )  # fmt: skip
    assert [part.tobytes() for part in found] == [part.tobytes() for part in expected]
    assert seen == [(min(start + 10, size), size) for start in range(0, size, 10)]


def test_a_consumer_that_leaves_ends_the_threads() -> None:
    before, drawn = threading.active_count(), []
    results = in_blocks(lambda rng, count: drawn.append(count), 10_000, 0, 10, 2, None)
    next(results)
    results.close()
    assert threading.active_count() == before
    assert len(drawn) < 100


def test_the_sampler_draws_child_b_of_the_seed_for_block_b() -> None:
    net, size = fw.MLP(3, [4, 3]), 2 * 4096 + 5
    drawn = fw.KernelLaw(net).log_sample(size, 9, workers=2)
    twin = [
        parts(net, one_pass.draw_block(net, 3.0, rng, count))[3].log()
        for rng, count in streams(9, size, 4096)
    ]
    assert drawn.kernel.tobytes() == np.concatenate(twin).tobytes()


def test_the_crossing_term_draws_children_that_begin_with_2_and_0() -> None:
    """Sums of products of the regression, block after block, to the last bit."""
    net, norm, size = fw.MLP(3, [40, 40]), 3.0, 4096 + 7
    guide = leading.leading(net, norm, 0.3)
    chances = conditional._chances(guide)
    products = np.zeros((6, 6))
    for rng, count in streams(7, size, 4096, 2, 0):
        products += conditional._block(net, norm, 0.3, guide, chances, rng, count)[0]
    means = np.array([1.0, conditional._control_mean(guide, 0.3), 0.0])
    value, error = conditional._controlled(products, means)
    found = conditional.conditional(net, norm, 0.3, size, 7, 2)
    assert found.value.tobytes() == value.tobytes()
    assert found.std_error.tobytes() == error.tobytes()


def test_the_batch_draws_children_that_begin_with_2_and_its_streams() -> None:
    net, size = fw.MLP(2, [30]), 2 * 256 + 3
    X, y = np.array([[1.0, 0.5], [0.3, -1.0]]), np.array([0.2, -0.1])
    found = fw.law.crossing_matrix(net, X, y, size=size, seed=4, workers=2)
    mean = np.zeros((2, 2))
    for at in range(2):
        total = np.zeros(2)
        for rng, count in streams(4, size, 256, 2, at + 1):
            total += several.changes(net, X @ X.T, y, np.ones(2), 1, at, count, rng).sum(axis=0)
        mean[at] += total / size
        mean[1 - at, at] += (total / size)[1 - at]
    assert found.value.tobytes() == mean.tobytes()


@pytest.mark.parametrize(
    ("check", "value", "kind", "words"),
    [
        (checked_size, 0, ValueError, "size is 0, expected a whole number from 1 to 1000000000000"),
        (checked_size, 10**12 + 1, ValueError, "size is 1000000000001"),
        (checked_size, 2.0, TypeError, "size is 2.0, expected a whole number"),
        (checked_seed, -1, ValueError, "seed is -1, expected a whole number from 0"),
        (checked_seed, True, TypeError, "seed is True, expected a whole number"),
    ],
)
def test_sizes_and_seeds_are_whole_numbers(check, value, kind, words) -> None:
    with pytest.raises(kind, match=words):
        check(value)
    assert (checked_size(np.int64(10**12)), checked_seed(2**64 - 1)) == (10**12, 2**64 - 1)
