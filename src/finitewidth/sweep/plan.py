"""`Plan`: which networks a chunk holds, decided by the cell's inputs alone."""

from dataclasses import dataclass
from math import log2

LARGEST = 10.0
"""Estimated seconds of the largest chunks."""

NETWORKS = 2**20
"""Most networks of a chunk, since their numbers are in memory together."""

BLOCK_SECONDS = 15.0
"""Longest estimated time of one block."""


@dataclass(frozen=True)
class Plan:
    """Networks in blocks with a stream each, blocks in chunks that double until they are long.

    Chunks 0, 1, 2, 3, … hold 1, 1, 2, 4, … blocks, at most `most`. Small experiments finish in
    small chunks and large ones in few, and a chunk's networks depend on its number alone: asking
    for more networks later adds chunks and changes none.

    Attributes
    ----------
    block : int
        Networks in a block.
    most : int
        Blocks in the largest chunks, a power of two.
    """

    block: int
    most: int

    @classmethod
    def of(cls, block: int, seconds: float) -> "Plan":
        """The plan of networks that take so many seconds each, in blocks of at most `block`."""
        if block * seconds > BLOCK_SECONDS:
            block = _power_of_two(BLOCK_SECONDS / seconds)
        each = block * seconds
        return cls(block, _power_of_two(min(LARGEST / each, NETWORKS / block)))

    def blocks(self, chunk: int) -> range:
        """The blocks of a chunk."""
        return range(self._start(chunk), self._start(chunk + 1))

    def networks(self, chunks: int) -> int:
        """Networks in the first so many chunks."""
        return self._start(chunks) * self.block

    def chunks(self, networks: float) -> int:
        """The fewest chunks that hold so many networks, at least 1."""
        high = 1
        while self.networks(high) < networks:
            high *= 2
        low = high // 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.networks(middle) < networks else (low, middle)
        return high

    def _start(self, chunk: int) -> int:
        """Blocks before a chunk: 0, 1, 2, 4, … while they double, then steps of `most`."""
        if chunk == 0:
            return 0
        doubling = self.most.bit_length()
        if chunk <= doubling:
            return 1 << (chunk - 1)
        return self.most + (chunk - doubling) * self.most


def _power_of_two(number: float) -> int:
    """The largest power of two up to a number, at least 1."""
    return 1 << max(int(log2(max(number, 1.0))), 0)
