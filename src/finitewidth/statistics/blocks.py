"""A sample in blocks with a random stream each, drawn by any number of threads, in order.

A block owns one child of ``SeedSequence(seed)`` and always holds the same networks, so numbers
depend on the seed alone. Samples of one seed are told apart by what their children's keys begin
with.
"""

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from os import cpu_count
from typing import TypeVar

import numpy as np

from finitewidth._whole_number import whole_number

Result = TypeVar("Result")

Progress = Callable[[int, int], None]
"""Called with (done, in all)."""


def checked_size(size: object) -> int:
    """`size` as an int; raises unless it is a whole number from 1 to 10¹²."""
    return whole_number(size, "size", 1, 10**12)


def checked_seed(seed: object) -> int:
    """`seed` as an int; raises unless it is a whole number from 0 to 2⁶⁴ − 1."""
    return whole_number(seed, "seed", 0, 2**64 - 1)


def stream(seed: int, *key: int) -> np.random.Generator:
    """The random numbers of the child of a seed with this key."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=key)))


def in_blocks(
    draw: Callable[[np.random.Generator, int], Result],
    size: int,
    seed: int,
    block: int,
    workers: int | None,
    progress: Progress | None,
    key: tuple[int, ...] = (),
) -> Generator[Result, None, None]:
    """``draw(rng, count)`` for every block of a sample, in order.

    Parameters
    ----------
    draw : callable
        Draws `count` networks from `rng`.
    size, seed, block : int
        Networks, seed, and networks in a block.
    workers : int, optional
        Threads; all cores if not given. NumPy draws without the interpreter's lock.
    progress : callable, optional
        Called after each block.
    key : tuple of int
        What the blocks' keys begin with: block b owns child (*key, b).

    Raises
    ------
    ValueError, TypeError
        For workers that are not 1 to 1024.
    """
    threads = cpu_count() or 1 if workers is None else whole_number(workers, "workers", 1, 1024)
    count = -(-size // block)

    def one(number: int) -> Result:
        return draw(stream(seed, *key, number), min(block, size - number * block))

    alone = min(threads, count) == 1
    results = (one(number) for number in range(count)) if alone else _ahead(one, count, threads)
    with closing(results):
        for number, result in enumerate(results):
            yield result
            if progress is not None:
                progress(min((number + 1) * block, size), size)


def _ahead(one: Callable[[int], Result], count: int, threads: int) -> Generator[Result, None, None]:
    """``one(0)`` to ``one(count − 1)`` in order; at most four for every thread are waiting."""
    with ThreadPoolExecutor(threads) as pool:
        jobs = (pool.submit(one, number) for number in range(count))
        waiting = deque(islice(jobs, 4 * threads))
        try:
            while waiting:
                yield waiting.popleft().result()
                waiting.extend(islice(jobs, 1))
        finally:
            for job in waiting:
                job.cancel()
