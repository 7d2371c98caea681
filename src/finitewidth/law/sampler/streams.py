"""Blocks of networks with a random stream each, drawn by any number of threads.

Block b of a sample owns child b of ``SeedSequence(seed)`` and always holds the same networks, so
numbers depend on the seed alone. Results are handed on in the order of the blocks.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from operator import index
from os import cpu_count
from typing import Any

import numpy as np

from finitewidth.law.sampler.one_pass import Block, draw_block
from finitewidth.network import MLP

BLOCK = 4096
"""Networks in a block. Part of the definition of a sample: another value gives other numbers."""

MAX_SIZE = 10**12

Progress = Callable[[int, int], None]
"""Called with (networks done, networks in all)."""


def checked_size(size: object) -> int:
    """`size` as an int.

    Raises
    ------
    TypeError, ValueError
        Unless it is a whole number from 1 to 10¹².
    """
    return _checked("size", size, 1, MAX_SIZE)


def checked_seed(seed: object) -> int:
    """`seed` as an int; raises unless it is a whole number from 0 to 2⁶⁴ − 1."""
    return _checked("seed", seed, 0, 2**64 - 1)


def _checked(name: str, value: Any, low: int, high: int) -> int:
    try:
        number = index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}, expected a whole number; write it as an int.")
    if not low <= number <= high:
        raise ValueError(f"{name} is {number}, expected a whole number from {low} to {high}.")
    return number


def blocks(
    net: MLP,
    squared_norm: float,
    size: int,
    seed: int,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[int, Block]]:
    """The blocks of a sample in order, each with the number of networks before it.

    Parameters
    ----------
    net, squared_norm
        As `draw_block` takes them.
    size, seed : int
        Networks and seed, checked.
    workers : int, optional
        Threads; all cores if not given. NumPy draws without the interpreter's lock.
    progress : callable, optional
        Called after each block.
    """
    threads = cpu_count() or 1 if workers is None else _checked("workers", workers, 1, 1024)
    starts = range(0, size, BLOCK)

    def draw(start: int) -> Block:
        child = np.random.SeedSequence(seed, spawn_key=(start // BLOCK,))
        rng = np.random.Generator(np.random.SFC64(child))
        return draw_block(net, squared_norm, rng, min(BLOCK, size - start))

    if threads == 1 or len(starts) == 1:
        for start in starts:
            yield start, draw(start)
            if progress is not None:
                progress(min(start + BLOCK, size), size)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[tuple[int, Future[Block]]] = deque()
        try:
            for start in starts:
                waiting.append((start, pool.submit(draw, start)))
                if len(waiting) >= 4 * threads:
                    yield from _next(waiting, size, progress)
            while waiting:
                yield from _next(waiting, size, progress)
        finally:
            for _, future in waiting:
                future.cancel()


def _next(
    waiting: "deque[tuple[int, Future[Block]]]", size: int, progress: Progress | None
) -> Iterator[tuple[int, Block]]:
    start, future = waiting.popleft()
    yield start, future.result()
    if progress is not None:
        progress(min(start + BLOCK, size), size)
