"""Going through, and counting, the even multisets of the edges of four paths."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations, permutations
from math import comb

from finitewidth.paths.multiset import Edges, Multiset, Neurons
from finitewidth.paths.path import Edge
from finitewidth.paths.scheme import Scheme


def even_multisets(
    sizes: Sequence[int], from_input: int, starts: Sequence[tuple[int, int]] = ()
) -> Iterator[Multiset]:
    """Every even multiset of edges of paths that start at the input or in pairs at `starts`.

    Parameters
    ----------
    sizes : sequence of int
        n_0 … n_d; n_d = 1.
    from_input : int
        How many paths start at the input: 0, 2 or 4.
    starts : sequence of (layer, neuron)
        Where pairs of paths start above it.
    """
    places: list[Neurons] = [()] * len(sizes)
    for layer, neuron in starts:
        places[layer] = tuple(sorted((*places[layer], neuron, neuron)))
    for first in _even_neurons(sizes[0], from_input):
        places[0] = first
        for edges in _upwards(sizes, 1, first, places):
            yield Multiset(edges, tuple(places))


def _even_neurons(n: int, count: int) -> Iterator[Neurons]:
    """The ways to put an even number (0, 2 or 4) of paths on neurons, in pairs."""
    if count == 0:
        yield ()
        return
    for z in range(n):
        yield (z,) * count
    if count == 4:
        for a, b in combinations(range(n), 2):
            yield (a, a, b, b)


def _upwards(
    sizes: Sequence[int], layer: int, below: Neurons, starts: Sequence[Neurons]
) -> Iterator[tuple[Edges, ...]]:
    """The edges of layers `layer` … d above paths at the neurons `below`."""
    if layer == len(sizes):
        yield ()
        return
    for edges in _steps(layer, Counter(below), sizes[layer]):
        above = tuple(sorted((*(edge.right for edge in edges), *starts[layer])))
        for rest in _upwards(sizes, layer + 1, above, starts):
            yield (edges, *rest)


def _steps(layer: int, below: Counter[int], n: int) -> Iterator[Edges]:
    """The even multisets of edges from occupied neurons to a layer of `n`."""
    occupied = sorted(below)
    if not occupied:
        yield ()
        return
    for w in range(n):  # all to one neuron
        yield tuple(Edge(layer, z, w) for z in occupied for _ in range(below[z]))
    if len(occupied) == 2:  # two strands that stay apart
        for a, b in permutations(range(n), 2):
            yield tuple(
                Edge(layer, z, w) for z, w in zip(occupied, (a, b), strict=True) for _ in range(2)
            )
    elif below[occupied[0]] == 4:  # one neuron, left in two pairs
        for a, b in combinations(range(n), 2):
            yield tuple(Edge(layer, occupied[0], w) for w in (a, b) for _ in range(2))


def how_many(sizes: Sequence[int], plan: Scheme) -> int:
    """The number of even multisets of a quantity, over all places of its bias starts."""
    depth = len(sizes) - 1
    pairs = len(plan.from_input) // 2
    # number of multisets so far by (pairs present, neurons they are at, bias pairs started)
    now = {(pairs, min(pairs, 1), 0): sizes[0] if pairs else 1}
    if pairs == 2:
        now[2, 2, 0] = comb(sizes[0], 2)
    for layer in range(1, depth + 1):
        n, moved = sizes[layer], Counter[tuple[int, int, int]]()
        for (present, at, started), number in now.items():
            for ends, ways in _ways(present, at, n):
                moved[present, ends, started] += number * ways
        now = Counter()
        for state, number in moved.items():
            for after, ways in _joins(state, n, len(plan.biases)):
                now[after] += number * ways
    return sum(number for state, number in now.items() if state[1:] == (1, len(plan.biases)))


def _ways(present: int, at: int, n: int) -> tuple[tuple[int, int], ...]:
    """(neurons reached, number of ways) of one step of `present` pairs at `at` neurons."""
    if present == 0:
        return ((0, 1),)
    if present == 1:
        return ((1, n),)
    return ((1, n), (2, comb(n, 2) if at == 1 else n * (n - 1)))


def _joins(
    state: tuple[int, int, int], n: int, biases: int
) -> Iterator[tuple[tuple[int, int, int], int]]:
    """What a layer's bias starts make of a state, with the number of ways."""
    present, _, started = state
    yield state, 1
    left = biases - started
    if left == 0:
        return
    if present == 1:
        yield (2, 1, started + 1), 1 * left
        yield (2, 2, started + 1), (n - 1) * left
        return
    yield (1, 1, started + 1), n * left
    if left == 2:
        yield (2, 1, started + 2), n
        yield (2, 2, started + 2), n * (n - 1)
