"""The transition counts of the recursion: integers that depend on the scheme alone.

A layer takes a state of *neurons* (which paths share a neuron of layer ℓ−1) to one of *edges*
(which paths share a weight of layer ℓ, are marked on it, or start at a bias of layer ℓ), and that
to a state of neurons of layer ℓ:

- neurons → edges: inside every neuron block, choose the open slots marked here, group the other
  paths into even blocks with a cumulant each, and let absent slots start as blocks of their own;
- edges → neurons: any merging of the edge blocks, since different edges may end in one neuron.

At the input all paths sit in one block and an edge block of m paths carries Σ_i x_i^m.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain, combinations, product

import numpy as np

from finitewidth._shapes import Int
from finitewidth.law.partitions import even_partitions, set_partitions
from finitewidth.law.schemes import PATHS, SLOTS, Scheme, Status
from finitewidth.law.states import Placed, State, block_sizes, canonical, present_paths


@dataclass(frozen=True)
class Table:
    """Everything about a scheme that does not depend on the network.

    Attributes
    ----------
    neurons, edges : tuple of State
        The states, neurons sorted by their number of paths.
    to_edges : array [m, 7]
        Rows (neuron state, edge state, count, blocks of 4, 6 and 8 paths with a cumulant, bias
        starts).
    to_neurons : array [k, 3]
        Rows (edge state, neuron state, count).
    from_input : array [i, 10]
        Rows (edge state, count, cumulants of 4, 6, 8, bias starts, and the numbers of edge blocks
        of 2, 4, 6, 8 paths that end at the input).
    neuron_sizes : array [S, 4]
        Numbers of blocks of 2, 4, 6, 8 paths in each neuron state.
    paths, open_slots : array [S]
        Started paths and open slots of each neuron state.
    edge_open, edge_done : array [R]
        Open and settled slots of each edge state.
    waiting : int
        Index of the neuron state in which no path has started, −1 if there is none.
    """

    neurons: tuple[State, ...]
    edges: tuple[State, ...]
    to_edges: Int[np.ndarray, "m 7"]
    to_neurons: Int[np.ndarray, "k 3"]
    from_input: Int[np.ndarray, "i 10"]
    neuron_sizes: Int[np.ndarray, "S 4"]
    paths: Int[np.ndarray, " S"]
    open_slots: Int[np.ndarray, " S"]
    edge_open: Int[np.ndarray, " R"]
    edge_done: Int[np.ndarray, " R"]
    waiting: int


def _layout(state: State) -> tuple[list[int], list[int], list[tuple[int, tuple[int, ...]]]]:
    """Flat lists: block of every path, status of every slot, (slot, its paths)."""
    blocks: list[int] = []
    statuses: list[int] = []
    slots: list[tuple[int, tuple[int, ...]]] = []
    for shape, factor_statuses, factor_blocks in state:
        for paths in SLOTS[shape]:
            slots.append((len(slots), tuple(len(blocks) + path for path in paths)))
        blocks.extend(factor_blocks)
        statuses.extend(factor_statuses)
    return blocks, statuses, slots


def _assemble(state: State, blocks: list[int], statuses: list[int]) -> State:
    """A state of the same factors with other blocks and statuses."""
    found: list[Placed] = []
    path = slot = 0
    for shape, _, _ in state:
        n_paths, n_slots = PATHS[shape], len(SLOTS[shape])
        found.append(
            (shape, tuple(statuses[slot : slot + n_slots]), tuple(blocks[path : path + n_paths]))
        )
        path, slot = path + n_paths, slot + n_slots
    return tuple(found)


def _subsets(items: list[tuple[int, tuple[int, ...]]]) -> Iterator[tuple]:
    return chain.from_iterable(combinations(items, size) for size in range(len(items) + 1))


def _edges_above(
    state: State, only_pairs: bool
) -> Iterator[tuple[State, tuple[int, int, int, int], tuple[int, int, int, int]]]:
    """Edge states one layer above a neuron state.

    Yields the state (not canonical), (cumulants of 4, 6, 8, bias starts), and the numbers of edge
    blocks of 2, 4, 6, 8 paths that come from below.
    """
    blocks, statuses, slots = _layout(state)
    markable = [
        (slot, paths)
        for slot, paths in slots
        if statuses[slot] == Status.OPEN and blocks[paths[0]] == blocks[paths[1]] >= 0
    ]
    startable = [(slot, paths) for slot, paths in slots if statuses[slot] == Status.ABSENT]
    members: dict[int, list[int]] = {}
    for path, block in enumerate(blocks):
        if block >= 0:
            members.setdefault(block, []).append(path)
    for marks in _subsets(markable):
        marked = [path for _, paths in marks for path in paths]
        if len(set(marked)) < len(marked):
            continue  # two derivatives of one second derivative are never in one layer
        free = [[p for p in paths if p not in marked] for paths in members.values()]
        for starting in _subsets(startable):
            after = list(statuses)
            for slot, _ in (*marks, *starting):
                after[slot] = Status.DONE
            tied = [paths for _, paths in (*marks, *starting)]
            for split in product(*(even_partitions(len(paths), only_pairs) for paths in free)):
                new = [-1] * len(blocks)
                for number, paths in enumerate(tied):
                    for path in paths:
                        new[path] = number
                number = len(tied)
                sizes = [0] * 4
                for paths, parts in zip(free, split, strict=True):
                    for part in parts:
                        for i in part:
                            new[paths[i]] = number
                        sizes[len(part) // 2 - 1] += 1
                        number += 1
                cumulants = (sizes[1], sizes[2], sizes[3], len(starting))
                below = (sizes[0] + len(marks), sizes[1], sizes[2], sizes[3])
                yield _assemble(state, new, after), cumulants, below


def _neurons_above(state: State) -> Iterator[State]:
    """Neuron states in which the edges of an edge state can end (not canonical)."""
    blocks, statuses, _ = _layout(state)
    for parts in set_partitions(max(blocks) + 1):
        neuron = {edge: number for number, part in enumerate(parts) for edge in part} | {-1: -1}
        yield _assemble(state, [neuron[block] for block in blocks], statuses)


class _Numbering:
    """States in order of discovery, with a memory of canonical forms."""

    def __init__(self) -> None:
        self.index: dict[State, int] = {}
        self._known: dict[State, int] = {}

    def __call__(self, state: State) -> int:
        number = self._known.get(state)
        if number is None:
            number = self.index.setdefault(canonical(state), len(self.index))
            self._known[state] = number
        return number


def _count(rows: Iterator[tuple[int, ...]]) -> dict[tuple[int, ...], int]:
    counts: dict[tuple[int, ...], int] = {}
    for row in rows:
        counts[row] = counts.get(row, 0) + 1
    return counts


def _array(rows: list[tuple[int, ...]], columns: int) -> Int[np.ndarray, "n columns"]:
    return np.array(rows, dtype=np.int64).reshape(len(rows), columns)


@cache
def table(scheme: Scheme, only_pairs: bool) -> Table:
    """The transition counts of a scheme, built once.

    Parameters
    ----------
    scheme : Scheme
        The product of factors.
    only_pairs : bool
        True for Gaussian weights, whose cumulants above the second vanish.
    """
    neurons, edges = _Numbering(), _Numbering()
    from_input: dict[tuple[int, ...], int] = {}
    for statuses in product(*(factor.starts() for factor in scheme.factors)):
        start = tuple(
            (int(factor.shape), tuple(map(int, status)), _at_input(factor.shape, status))
            for factor, status in zip(scheme.factors, statuses, strict=True)
        )
        rows = ((edges(e), *kappa, *below) for e, kappa, below in _edges_above(start, only_pairs))
        for row, count in _count(rows).items():
            from_input[row] = from_input.get(row, 0) + count
    to_edges: list[tuple[int, ...]] = []
    to_neurons: list[tuple[int, ...]] = []
    done_neurons = done_edges = 0
    while done_edges < len(edges.index):
        for number, state in list(enumerate(edges.index))[done_edges:]:
            rows = ((neurons(n),) for n in _neurons_above(state))
            to_neurons += [(number, row[0], count) for row, count in _count(rows).items()]
            done_edges += 1
        for number, state in list(enumerate(neurons.index))[done_neurons:]:
            rows = ((edges(e), *kappa) for e, kappa, _ in _edges_above(state, only_pairs))
            to_edges += [(number, r[0], c, *r[1:]) for r, c in _count(rows).items()]
            done_neurons += 1
    return _packed(list(neurons.index), list(edges.index), to_edges, to_neurons, from_input)


def _at_input(shape: int, statuses: tuple[int, ...]) -> tuple[int, ...]:
    """All paths in one block, except those that wait for a bias."""
    waiting = {
        path
        for paths, status in zip(SLOTS[shape], statuses, strict=True)
        if status == Status.ABSENT
        for path in paths
    }
    return tuple(-1 if path in waiting else 0 for path in range(PATHS[shape]))


def _packed(
    neurons: list[State],
    edges: list[State],
    to_edges: list[tuple[int, ...]],
    to_neurons: list[tuple[int, ...]],
    from_input: dict[tuple[int, ...], int],
) -> Table:
    def slots(state: State, status: Status) -> int:
        return sum(statuses.count(status) for _, statuses, _ in state)

    paths = np.array([present_paths(state) for state in neurons], dtype=np.int64)
    order = np.argsort(paths, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    neurons = [neurons[i] for i in order]
    edge_rows, neuron_rows = _array(to_edges, 7), _array(to_neurons, 3)
    edge_rows[:, 0] = place[edge_rows[:, 0]]
    neuron_rows[:, 1] = place[neuron_rows[:, 1]]
    paths = paths[order]
    return Table(
        neurons=tuple(neurons),
        edges=tuple(edges),
        to_edges=edge_rows,
        to_neurons=neuron_rows,
        from_input=_array([(r[0], c, *r[1:]) for r, c in from_input.items()], 10),
        neuron_sizes=_array([block_sizes(state) for state in neurons], 4),
        paths=paths,
        open_slots=np.array([slots(state, Status.OPEN) for state in neurons], dtype=np.int64),
        edge_open=np.array([slots(state, Status.OPEN) for state in edges], dtype=np.int64),
        edge_done=np.array([slots(state, Status.DONE) for state in edges], dtype=np.int64),
        waiting=0 if len(paths) and paths[0] == 0 else -1,
    )
