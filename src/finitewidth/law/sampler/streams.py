"""The blocks of a sample of the kernel's law: block b owns child b of ``SeedSequence(seed)``."""

from collections.abc import Iterator

import numpy as np

from finitewidth.law.sampler.one_pass import Block, draw_block
from finitewidth.network import MLP
from finitewidth.statistics.blocks import Progress, in_blocks

BLOCK = 4096
"""Networks in a block. Part of the definition of a sample: another value gives other numbers."""


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
    workers, progress
        As in `in_blocks`.
    """

    def draw(rng: np.random.Generator, count: int) -> Block:
        return draw_block(net, squared_norm, rng, count)

    for number, block in enumerate(in_blocks(draw, size, seed, BLOCK, workers, progress)):
        yield number * BLOCK, block
