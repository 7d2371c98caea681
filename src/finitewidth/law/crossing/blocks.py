"""Blocks of networks with a random stream each, drawn by any number of threads, in order.

Block b owns child (2, stream, b) of ``SeedSequence(seed)`` and always holds the same networks, so
numbers depend on the seed alone. The 2 keeps these streams apart from those of the kernel's
sampler.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from os import cpu_count
from typing import TypeVar

import numpy as np

from finitewidth.law.sampler.streams import Progress

Result = TypeVar("Result")


def in_blocks(
    draw: Callable[[np.random.Generator, int], Result],
    size: int,
    seed: int,
    block: int,
    workers: int | None,
    progress: Progress | None,
    stream: int = 0,
) -> Iterator[Result]:
    """``draw(rng, count)`` for every block of a sample, in order.

    Parameters
    ----------
    draw : callable
        Draws `count` networks from `rng`.
    size, seed, block : int
        Networks, seed, and networks in a block.
    workers : int, optional
        Threads; all cores if not given.
    progress : callable, optional
        Called with (networks done, networks in all) after each block.
    stream : int
        A number that tells several samples of one seed apart.

    Raises
    ------
    ValueError, TypeError
        For workers that are not 1 to 1024.
    """
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int)):
        raise TypeError(f"workers is {workers!r}, expected a whole number; write it as an int.")
    if workers is not None and not 1 <= workers <= 1024:
        raise ValueError(f"workers is {workers}, expected a whole number from 1 to 1024.")
    threads = workers or cpu_count() or 1
    starts = range(0, size, block)

    def one(start: int) -> Result:
        child = np.random.SeedSequence(seed, spawn_key=(2, stream, start // block))
        return draw(np.random.Generator(np.random.SFC64(child)), min(block, size - start))

    def report(start: int) -> None:
        if progress is not None:
            progress(min(start + block, size), size)

    if threads == 1 or len(starts) == 1:
        for start in starts:
            yield one(start)
            report(start)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[tuple[int, Future[Result]]] = deque()
        try:
            for start in starts:
                waiting.append((start, pool.submit(one, start)))
                if len(waiting) >= 4 * threads:
                    done, future = waiting.popleft()
                    yield future.result()
                    report(done)
            while waiting:
                done, future = waiting.popleft()
                yield future.result()
                report(done)
        finally:
            for _, future in waiting:
                future.cancel()
