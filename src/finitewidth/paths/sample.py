"""Quadruples of paths drawn in proportion to what they contribute to E K² or E ΔK.

The chain of `finitewidth.paths.chain` is run backwards: a state of the output, then the state
below it with probability (sum over everything below) × (factor of the move), and so on. Neurons
are uniform given the states (the input's in proportion to its squares), and which paths run on
which strand is uniform among the choices that Lemma 8 counts.
"""

from dataclasses import dataclass
from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike

from finitewidth._shapes import Float, Int
from finitewidth._whole_number import whole_number
from finitewidth.network import MLP
from finitewidth.paths.chain import Chain, chain
from finitewidth.paths.field import checked_input, checked_network, power_sums_of
from finitewidth.paths.moves import TWO, Pairing
from finitewidth.paths.scheme import scheme

ASSIGNMENTS = np.array(
    [[0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0], [1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 1]]
)
"""The strand of each path, for the 6 ways to put two paths on either of two strands."""


@dataclass(frozen=True)
class PathSample:
    """Quadruples of paths.

    Attributes
    ----------
    quantity : str
        In proportion to whose contributions they were drawn.
    neurons : array of int [size, 4, d + 1]
        γ₁ … γ₄ of each quadruple, −1 below the start of a path.
    marks : array of int [size, number of marks]
        The layer of each marked edge.
    visited : array of int [size, d + 1]
        |Γ(i)| where all four paths are present, else 0.
    loops : array of int [size]
        The number of loops.
    """

    quantity: str
    neurons: Int[np.ndarray, "size 4 layers"]
    marks: Int[np.ndarray, "size marks"]
    visited: Int[np.ndarray, "size layers"]
    loops: Int[np.ndarray, " size"]


def sample(
    net: MLP, x: ArrayLike, quantity: str, size: SupportsIndex, seed: SupportsIndex = 0
) -> PathSample:
    """Draw quadruples with probabilities proportional to their contributions.

    Parameters
    ----------
    net : MLP
        As in `finitewidth.paths.loops`, of any size.
    x : array of shape [n_in]
        The input.
    quantity : str
        ``"weights_squared"``, ``"cross"``, ``"biases_squared"``, ``"update_ww"``, ``"update_wb"``.
    size : int
        How many.
    seed : int
        Of the random numbers.

    Returns
    -------
    PathSample
        Independent quadruples.

    Raises
    ------
    ValueError
        As `finitewidth.paths.loops`, and for a size below 1 or a seed below 0.
    """
    net = checked_network(net)
    array = checked_input(net, x)
    plan = scheme(quantity)
    if plan.paths != 4:
        raise ValueError(f"quantity is {quantity!r}, a sum over two paths; ask for one over four.")
    size, seed = whole_number(size, "size", 1), whole_number(seed, "seed", 0)
    found = chain(net, plan, *power_sums_of(net, array, None))
    if found.log_total == -np.inf:
        raise ValueError(f"the {quantity} of this network is 0, so that no path contributes.")
    generator = np.random.default_rng(np.random.SeedSequence(seed))
    states = _backwards(found, size, generator)
    sizes = (net.n_in, *net.widths, 1)
    strands = _strands(found, states, generator)
    places = _places(found, states, sizes, array, generator)
    neurons = np.take_along_axis(places, strands, axis=1)
    present = _present(found, states)
    neurons[~present] = -1
    kinds = np.array([state.kind for state in found.states])[states]
    apart = np.isin(kinds, TWO)
    visited = np.where(kinds == "one", 1, np.where(apart, 2, 0))
    loop = kinds == "loop"
    return PathSample(
        quantity,
        neurons,
        _marks(found, states),
        visited,
        (loop[:, 1:] & ~loop[:, :-1]).sum(axis=1),
    )


def _backwards(
    found: Chain, size: int, generator: np.random.Generator
) -> Int[np.ndarray, "size layers"]:
    """The state of every layer, from the output down."""
    states = np.empty((size, found.depth + 1), dtype=np.intp)
    states[:, -1] = _choose(found.below[-1] * found.final, size, generator)
    for layer in range(found.depth, 0, -1):
        factors = found.below[layer - 1][:, None] * found.both[found.which[layer - 1]]
        for after in np.unique(states[:, layer]):
            rows = np.flatnonzero(states[:, layer] == after)
            states[rows, layer - 1] = _choose(factors[:, after], len(rows), generator)
    return states


def _choose(
    weights: Float[np.ndarray, " n"], size: int, generator: np.random.Generator
) -> Int[np.ndarray, " size"]:
    sums = np.cumsum(weights)
    drawn = np.searchsorted(sums, generator.random(size) * sums[-1], side="right")
    return np.minimum(drawn, int(np.flatnonzero(weights)[-1]))


def _strands(
    found: Chain, states: Int[np.ndarray, "size layers"], generator: np.random.Generator
) -> Int[np.ndarray, "size 4 layers"]:
    """Which strand, 0 or 1, each path runs on; 0 where there is only one neuron."""
    size, layers = states.shape
    strands = np.zeros((size, 4, layers), dtype=np.intp)
    apart = np.isin(np.array([state.kind for state in found.states]), TWO)
    now = np.zeros((size, 4), dtype=np.intp)
    for layer in range(layers - 1, 0, -1):
        closing = apart[states[:, layer - 1]] & ~apart[states[:, layer]]
        moves = states[closing, layer - 1 : layer + 1]
        rows = np.flatnonzero(closing)
        for before, after in np.unique(moves, axis=0):
            able = _allowed(found.closed[int(before), int(after)])
            here = rows[(moves == (before, after)).all(axis=1)]
            now[here] = able[generator.integers(len(able), size=len(here))]
        together = ~apart[states[:, layer - 1]]
        strands[:, :, layer - 1] = np.where(together[:, None], 0, now)
    return strands


def _allowed(pairing: Pairing | None) -> Int[np.ndarray, "ways 4"]:
    """The assignments that keep the pairs of a pairing together."""
    if pairing is None:
        return ASSIGNMENTS
    pair = sorted(next(iter(pairing)))
    return ASSIGNMENTS[ASSIGNMENTS[:, pair[0]] == ASSIGNMENTS[:, pair[1]]]


def _places(
    found: Chain,
    states: Int[np.ndarray, "size layers"],
    sizes: tuple[int, ...],
    x: Float[np.ndarray, " n_in"],
    generator: np.random.Generator,
) -> Int[np.ndarray, "size 2 layers"]:
    """The neuron of either strand in every layer; two different ones."""
    size, layers = states.shape
    places = np.empty((size, 2, layers), dtype=np.int64)
    for layer in range(1, layers):
        first = generator.integers(sizes[layer], size=size)
        second = generator.integers(max(sizes[layer] - 1, 1), size=size)
        places[:, 0, layer], places[:, 1, layer] = first, second + (second >= first)
    squares = x**2
    met = np.array([state.kind == "one" for state in found.states])[states[:, 0]]
    single = np.array([state.kind == "pair" for state in found.states])[states[:, 0]]
    rest = squares.sum() - squares
    first = np.where(
        met,
        _choose(squares**2, size, generator),
        np.where(
            single,
            _choose(squares, size, generator),
            _choose(squares * rest, size, generator) if (squares > 0).sum() > 1 else 0,
        ),
    )
    sums = np.cumsum(squares)
    below = sums[first] - squares[first]
    u = generator.random(size) * rest[first]
    u = np.where(u >= below, u + squares[first], u)  # leaves out the first one's interval
    second = np.minimum(np.searchsorted(sums, u, side="right"), int(np.flatnonzero(x)[-1]))
    places[:, 0, 0], places[:, 1, 0] = first, second
    return places


def _present(found: Chain, states: Int[np.ndarray, "size layers"]) -> np.ndarray:
    """[size, 4, d + 1]: whether each path has started."""
    table = np.zeros((len(found.states), 4), dtype=bool)
    for number, state in enumerate(found.states):
        paths = set(found.plan.from_input)
        paths |= {path for one in state.started for path in found.plan.biases[one]}
        table[number, sorted(paths)] = True
    return np.moveaxis(table[states], 1, 2)


def _marks(found: Chain, states: Int[np.ndarray, "size layers"]) -> Int[np.ndarray, "size marks"]:
    """The layer in which each mark was placed: the first whose state has it."""
    count = len(found.plan.marks)
    table = np.array([[mark in state.placed for mark in range(count)] for state in found.states])
    return table.reshape(len(found.states), count)[states].argmax(axis=1)
