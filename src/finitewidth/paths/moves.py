"""The path quadruple as a Markov chain in the layer: its states and moves (Lemmas 7 to 9 summed).

What Lemma 7 and Lemma 8 say of a multiset of edges depends on |Γ(i)|, the number of neurons that
the paths are at in layer i, and on where the marks are. Summing over the neurons leaves a chain on
|Γ(i)| ∈ {1, 2}. In a step from layer j − 1 to layer j of n neurons, c² = c_j² for four paths:

    1 → 1   c² n A_4 μ_4 (1 for μ_4 if a mark is on the edge)     n edges
    1 → 2   c² C(n, 2) A_2²                                        C(n, 2) pairs of edges
    2 → 2   c² n(n−1) A_2²                                         C(n, 2) pairs, two matchings
    2 → 1   c² n A_4 · (quadruples of the stretch that closes)     n pairs of edges

A mark replaces c_j by λ_j once. The stretch that closes counts 6 quadruples, 2 if it has marks
that ask for one pairing, 0 if they disagree, and 1 if a bias start fixed the pairing (6 choices of
who runs on which strand, see `finitewidth.paths.multiplicity`; a mark in a stretch may be on
either strand). A step 1 → 2 opens a loop.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from finitewidth._shapes import Float
from finitewidth.network import MLP
from finitewidth.paths.scheme import Pair, Scheme

Pairing = frozenset[frozenset[int]]
Factor = Float[np.ndarray, " layers"]

TWO = ("loop", "input", "bias")
"""Kinds of a stretch with the four paths at two neurons, by what opened it."""


class State(NamedTuple):
    """Where the paths stand in a layer.

    Attributes
    ----------
    kind : str
        ``"none"``: no path has started, one will in a hidden layer; ``"output"``: all will at
        the output bias; ``"pair"``: two paths, at one neuron; ``"one"``: four paths at one
        neuron, a collision; ``"loop"``, ``"input"``, ``"bias"``: four paths at two neurons, in a
        stretch that a collision, the input or a bias start opened.
    pairing : frozenset or None
        Which paths run together in this stretch, as far as its marks or its start say.
    placed, started : frozenset of int
        Marks that lie below, and bias pairs that have started.
    """

    kind: str
    pairing: Pairing | None
    placed: frozenset[int]
    started: frozenset[int]


@dataclass(frozen=True)
class Layers:
    """Numbers of weight layers j = 1 … d (or of the kinds of them), as arrays.

    Attributes
    ----------
    scale, ratio : c_j and λ_j/c_j
    width : n_j
    open2, open4 : A_2 and A_4; 1 at the output
    alive : 1 − 2^(−n_j) where a layer can be dead, else 1
    hidden : 1 for a hidden layer, 0 for the output
    fourth : float
        μ_4.
    bias_lr : float
    """

    scale: Factor
    ratio: Factor
    width: Factor
    open2: Factor
    open4: Factor
    alive: Factor
    hidden: Factor
    fourth: float
    bias_lr: float


def kinds_of_layers(net: MLP) -> tuple[Layers, np.ndarray]:
    """The different weight layers of a network, and which of them each layer 1 … d is."""
    slope = net.act.slope
    assert slope is not None
    numbers: dict[tuple[float, ...], int] = {}
    which = np.empty(net.depth, dtype=np.intp)
    for layer in net.layers():
        key = (
            layer.weight_variance,
            layer.weight_lr / layer.weight_variance,
            float(layer.fan_out),
            float(not layer.is_output),
        )
        which[layer.index - 1] = numbers.setdefault(key, len(numbers))
    scale, ratio, width, hidden = np.array(list(numbers)).T
    dead = 0.5**width if slope == 0.0 else np.zeros_like(width)
    found = Layers(
        scale,
        ratio,
        width,
        np.where(hidden > 0, (1.0 + slope**2) / 2.0, 1.0),
        np.where(hidden > 0, (1.0 + slope**4) / 2.0, 1.0),
        1.0 - dead,
        hidden,
        float(net.law.moment(4)),
        net.bias_lr if net.trains_biases else 0.0,
    )
    return found, which


class Move(NamedTuple):
    """A move over one weight layer and the bias starts of the layer it reaches.

    Attributes
    ----------
    to : State
    factor : array
        For every kind of layer.
    opens : bool
        Whether a loop opens.
    closed : frozenset or None
        The pairing of the stretch that closes, None without one or if it is free.
    """

    to: State
    factor: Factor
    opens: bool = False
    closed: Pairing | None = None


def pairing_of(pair: Pair | frozenset[int]) -> Pairing:
    """{pair, the two other paths}."""
    together = frozenset(pair)
    return frozenset({together, frozenset(range(4)) - together})


def moves(state: State, plan: Scheme, of: Layers) -> Iterator[Move]:
    """Every move from a state, over the weight layer and then the bias starts."""
    for step in _steps(state, plan, of):
        for to, factor in _starts(step.to, plan, of):
            yield step._replace(to=to, factor=step.factor * factor)


def _marks(state: State, plan: Scheme) -> Iterator[frozenset[int]]:
    """The sets of marks that can lie in one layer above a state."""
    present = _present(state, plan)
    able = [
        number
        for number, pair in enumerate(plan.marks)
        if number not in state.placed and set(pair) <= present
    ]
    for count in range(len(able) + 1):
        if count < 2 or not plan.apart:
            yield from (frozenset(some) for some in combinations(able, count))


def _present(state: State, plan: Scheme) -> set[int]:
    if state.kind in ("none", "output"):
        return set()
    return {*plan.from_input, *(path for number in state.started for path in plan.biases[number])}


def _steps(state: State, plan: Scheme, of: Layers) -> Iterator[Move]:
    """Moves over the weight layer alone."""
    n = of.width
    if state.kind in ("none", "output"):
        yield Move(state, np.ones_like(n))
        return
    for marks in _marks(state, plan):
        placed = state.placed | marks
        ratio = of.ratio ** len(marks)
        if state.kind == "pair":
            yield Move(state._replace(placed=placed), of.scale * n * of.open2 * ratio)
            continue
        base = of.scale**2 * ratio
        together, apart = base * n * of.open4, base * n * (n - 1.0) * of.open2**2
        asked = {pairing_of(plan.marks[number]) for number in marks}
        if state.kind == "one":
            met = State("one", None, placed, state.started)
            yield Move(met, together * (1.0 if marks else of.fourth))
            if len(asked) < 2:
                pairing = next(iter(asked), None)
                yield Move(State("loop", pairing, placed, state.started), apart / 2.0, opens=True)
            continue
        if state.pairing is not None:
            asked.add(state.pairing)
        if len(asked) < 2:
            pairing = next(iter(asked), None)
            yield Move(State(state.kind, pairing, placed, state.started), apart)
            quadruples = 6.0 if pairing is None else 1.0 if state.kind == "bias" else 2.0
            met = State("one", None, placed, state.started)
            yield Move(met, together * quadruples, closed=pairing)


def _starts(state: State, plan: Scheme, of: Layers) -> Iterator[tuple[State, Factor]]:
    """What the biases of a layer make of a state."""
    n, lr, one = of.width, of.bias_lr, np.ones_like(of.width)
    last = 1.0 - of.hidden
    here = {"none": of.hidden, "output": last}.get(state.kind, one)
    yield state, {"none": of.alive * of.hidden, "output": of.hidden}.get(state.kind, one)
    left = [number for number in range(len(plan.biases)) if number not in state.started]
    if not left or state.kind not in ("none", "output", "pair"):
        return
    for number in left:
        started = state.started | {number}
        if state.kind == "pair":  # where the other pair is, or elsewhere
            pairing = pairing_of(plan.biases[number])
            yield State("one", None, state.placed, started), lr * of.open4 / of.open2
            apart = lr * (n - 1.0) * of.open2
            yield State("bias", pairing, state.placed, started), apart
        else:
            yield State("pair", None, state.placed, started), here * lr * n * of.open2
    if len(left) == 2 and state.kind != "pair":  # both in this layer
        started, pairing = frozenset(left), pairing_of(plan.biases[0])
        yield State("one", None, state.placed, started), here * lr**2 * n * of.open4
        apart = here * lr**2 * n * (n - 1.0) * of.open2**2
        yield State("bias", pairing, state.placed, started), apart


def at_the_input(plan: Scheme, square: float, fourth: float) -> dict[State, float]:
    """The states of layer 0 with their sums over inputs, from |x|_2² and |x|_4⁴."""
    nothing: frozenset[int] = frozenset()
    paths = len(plan.from_input)
    if paths == 0:
        return {State(kind, None, nothing, nothing): 1.0 for kind in ("none", "output")}
    if paths == 2:
        return {State("pair", None, nothing, nothing): square}
    return {
        State("one", None, nothing, nothing): fourth,
        State("input", None, nothing, nothing): max(square**2 - fourth, 0.0) / 2.0,
    }
