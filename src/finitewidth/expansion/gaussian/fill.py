"""Filling the arrays over four inputs from one computation for each of their symmetries."""

from collections.abc import Callable
from functools import lru_cache
from itertools import combinations_with_replacement, permutations

import numpy as np

from finitewidth.expansion.gaussian.averages import Quadruples

# The derivative orders of the four slots in S4, S22, T4 and U.
PATTERNS = {"values": (0, 0, 0, 0), "mixed": (0, 0, 1, 1), "slopes": (1, 1, 1, 1),
            "curved": (2, 1, 1, 0)}  # fmt: skip

Product = Callable[[np.ndarray, tuple[int, ...]], np.ndarray]


@lru_cache(maxsize=8)
def multisets(size: int) -> np.ndarray:
    """All a ≤ b ≤ c ≤ d, an array of shape [C(size + 3, 4), 4]."""
    return np.array(list(combinations_with_replacement(range(size), 4)))


@lru_cache(maxsize=8)
def arrangements(orders: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The different assignments of these orders to four slots."""
    return sorted(set(permutations(orders)))


@lru_cache(maxsize=8)
def _sources(size: int, orders: tuple[int, ...]) -> np.ndarray:
    """For every entry [B, B, B, B], its place in the averages [arrangement, multiset]."""
    index = multisets(size)
    place = np.empty((size,) * 4, dtype=np.int64)
    for number, arranged in enumerate(arrangements(orders)):
        for positions in permutations(range(4)):
            # Slots with equal orders may be exchanged: all positions that match are one average.
            if tuple(arranged[slot] for slot in positions) == orders:
                row = number * len(index) + np.arange(len(index))
                place[tuple(index[:, slot] for slot in positions)] = row
    return place


def assemble(size: int, product: Product) -> Quadruples:
    """Compute every average once and copy it to the entries that are equal to it.

    Parameters
    ----------
    size : int
        B.
    product : callable
        (index of shape [Q, 4], orders) -> ⟨Π_i σ^(orders_i)(z_{index_i})⟩ of shape [Q].
    """
    index = multisets(size)
    tensors = {}
    for name, orders in PATTERNS.items():
        found = [product(index, arranged) for arranged in arrangements(orders)]
        tensors[name] = np.concatenate(found)[_sources(size, orders)]
    return Quadruples(**tensors)
