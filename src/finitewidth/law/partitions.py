"""Set partitions of paths, and the cumulants that turn products of weights into them.

For a symmetric law E Π W_e = Σ over partitions into even blocks, every block on one edge, of
Π κ_{|B|} (moment–cumulant formula, Rota 1964). Written with cumulants the layer step asks only
that a block of edges lies inside a block of neurons below and above; written with moments
(docs, "The exact law") it asks for the exact meet of the two partitions. Both are the same sum.
"""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import combinations
from math import comb
from typing import TypeVar

Number = TypeVar("Number")
Block = tuple[int, ...]


@cache
def set_partitions(n: int) -> tuple[tuple[Block, ...], ...]:
    """All partitions of {0, …, n−1}; Bell(n) of them."""
    if n == 0:
        return ((),)
    found = []
    for smaller in set_partitions(n - 1):
        found.append((*smaller, (n - 1,)))
        found.extend(
            (*smaller[:i], (*smaller[i], n - 1), *smaller[i + 1 :]) for i in range(len(smaller))
        )
    return tuple(found)


@cache
def even_partitions(n: int, only_pairs: bool) -> tuple[tuple[Block, ...], ...]:
    """Partitions of {0, …, n−1} into blocks of even size; pairings if `only_pairs`.

    1, 1, 4, 31, 379 of them for n = 0, 2, 4, 6, 8; pairings (n−1)!!.
    """
    if n % 2:
        return ()
    return tuple(_even_partitions(tuple(range(n)), only_pairs))


def _even_partitions(items: Block, only_pairs: bool) -> Iterator[tuple[Block, ...]]:
    if not items:
        yield ()
        return
    first, rest = items[0], items[1:]
    sizes = (2,) if only_pairs else range(2, len(items) + 1, 2)
    for size in sizes:
        for others in combinations(rest, size - 1):
            left = tuple(i for i in rest if i not in others)
            for tail in _even_partitions(left, only_pairs):
                yield ((first, *others), *tail)


def even_cumulant(order: int, moment: Callable[[int], Number]) -> Number:
    """κ_order of a symmetric law of variance 1 from its even moments.

    κ_n = μ_n − Σ_{0<m<n, m even} C(n−1, m−1) κ_m μ_{n−m}; exact when `moment` returns Fractions.
    """
    value = moment(order)
    for m in range(2, order, 2):
        value = value - comb(order - 1, m - 1) * even_cumulant(m, moment) * moment(order - m)  # type: ignore[operator]
    return value
