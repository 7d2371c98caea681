"""The chain of `finitewidth.paths.moves` as matrices, and its sums over all layers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from finitewidth._shapes import Bool, Float, Int
from finitewidth.network import MLP
from finitewidth.paths.moves import (
    Pairing,
    State,
    at_the_input,
    kinds_of_layers,
    moves,
)
from finitewidth.paths.scheme import Scheme


@dataclass(frozen=True, eq=False)
class Chain:
    """The chain of one quantity in one network.

    Attributes
    ----------
    plan : Scheme
    states : tuple of State
        The S states that can be reached.
    first : array [S]
        Sums over the input layer.
    stay, opens : arrays [kinds of layers, S, S]
        Factors of the moves that open no loop, and of those that open one.
    which : array [d]
        The kind of each weight layer.
    final : array of bool [S]
        The states in which a contribution ends: together at the output, everything placed.
    closed : dict
        The pairing of the stretch that a move (from, to) closes, None if it is free.
    """

    plan: Scheme
    states: tuple[State, ...]
    first: Float[np.ndarray, " S"]
    stay: Float[np.ndarray, "kinds S S"]
    opens: Float[np.ndarray, "kinds S S"]
    which: Int[np.ndarray, " d"]
    final: Bool[np.ndarray, " S"]
    closed: dict[tuple[int, int], Pairing | None]

    @property
    def depth(self) -> int:
        """d, the number of weight layers."""
        return len(self.which)

    def of_kind(self, *kinds: str) -> Bool[np.ndarray, " S"]:
        """Which states are of these kinds."""
        return np.array([state.kind in kinds for state in self.states])

    @cached_property
    def both(self) -> Float[np.ndarray, "kinds S S"]:
        """All moves."""
        return self.stay + self.opens

    @cached_property
    def _forward(self) -> tuple[Float[np.ndarray, "layers S"], Float[np.ndarray, " layers"]]:
        """Sums over everything below each layer, each scaled to largest entry 1, and logs."""
        messages, logs = np.zeros((self.depth + 1, len(self.states))), np.zeros(self.depth + 1)
        now, log = _scaled(self.first)
        messages[0], logs[0] = now, log
        for layer, kind in enumerate(self.which, start=1):
            now, grown = _scaled(now @ self.both[kind])
            log += grown
            messages[layer], logs[layer] = now, log
        return messages, logs

    @property
    def below(self) -> Float[np.ndarray, "layers S"]:
        """Sums over everything up to each layer, up to a factor a layer."""
        return self._forward[0]

    @cached_property
    def above(self) -> Float[np.ndarray, "layers S"]:
        """Sums over everything above each layer, up to a factor a layer."""
        messages = np.zeros((self.depth + 1, len(self.states)))
        now = self.final.astype(float)
        messages[self.depth] = now
        for layer in range(self.depth, 0, -1):
            now, _ = _scaled(self.both[self.which[layer - 1]] @ now)
            messages[layer - 1] = now
        return messages

    @property
    def log_total(self) -> float:
        """The log of the whole sum; −∞ if nothing contributes."""
        ends = float(self.below[-1] @ self.final)
        return float(np.log(ends) + self._forward[1][-1]) if ends > 0 else -np.inf

    @cached_property
    def marginals(self) -> Float[np.ndarray, "layers S"]:
        """The share of the sum that passes through each state of each layer."""
        joint = self.below * self.above
        return joint / joint.sum(axis=1, keepdims=True)

    @cached_property
    def mean_loops(self) -> float:
        """The number of loops, averaged with the contributions as weights."""
        expected = 0.0
        for layer, kind in enumerate(self.which, start=1):
            through = self.below[layer - 1] @ self.both[kind] @ self.above[layer]
            expected += float(
                self.below[layer - 1] @ self.opens[kind] @ self.above[layer] / through
            )
        return expected

    def shares(self, most: int) -> Float[np.ndarray, " loops"]:
        """The shares of the sum with 0, 1, …, `most` loops, one number a loop and state."""
        now, log = _scaled(np.outer(self.first, np.eye(most + 1)[0]))
        for kind in self.which:
            moved = self.stay[kind].T @ now
            moved[:, 1:] += (self.opens[kind].T @ now)[:, :-1]
            now, grown = _scaled(moved)
            log += grown
        return (self.final @ now) * np.exp(log - self.log_total)


def _scaled(values: np.ndarray) -> tuple[np.ndarray, float]:
    largest = float(values.max(initial=0.0))
    return (values / largest, float(np.log(largest))) if largest > 0 else (values, 0.0)


def chain(net: MLP, plan: Scheme, square: float, fourth: float) -> Chain:
    """The chain of a quantity at an input with |x|_2² = `square` and |x|_4⁴ = `fourth`."""
    layers, which = kinds_of_layers(net)
    start = at_the_input(plan, square, fourth)
    states: list[State] = list(start)
    found: list[tuple[int, int, np.ndarray, bool]] = []
    closed: dict[tuple[int, int], Pairing | None] = {}
    numbers = {state: number for number, state in enumerate(states)}
    for number, state in enumerate(states):  # grows while new states are found
        for move in moves(state, plan, layers):
            if move.to not in numbers:
                numbers[move.to] = len(states)
                states.append(move.to)
            found.append((number, numbers[move.to], move.factor, move.opens))
            closed[number, numbers[move.to]] = move.closed
    stay, opens = np.zeros((2, len(layers.width), len(states), len(states)))
    for before, after, factor, opening in found:
        (opens if opening else stay)[:, before, after] += factor
    return Chain(
        plan,
        tuple(states),
        np.array([start.get(state, 0.0) for state in states]),
        stay,
        opens,
        which,
        np.array([_is_final(state, plan) for state in states]),
        closed,
    )


def _is_final(state: State, plan: Scheme) -> bool:
    together = "one" if plan.paths == 4 else "pair"
    return (
        state.kind == together
        and len(state.placed) == len(plan.marks)
        and len(state.started) == len(plan.biases)
    )


def log_sum(logs: Sequence[float]) -> float:
    """log Σ exp, with −∞ for nothing."""
    largest = max(logs)
    if largest == -np.inf:
        return largest
    return largest + float(np.log(sum(np.exp(one - largest) for one in logs)))
