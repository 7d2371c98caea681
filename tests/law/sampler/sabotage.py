"""Samplers that are wrong in one respect, for the tests that must notice.

`pass_layer` is a layer of neurons written plainly, from the formula in the docstring of
`finitewidth.law.sampler.neurons`, with switches that break it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from finitewidth.law.sampler import streams
from finitewidth.law.sampler.neurons import Neurons, active_neurons
from finitewidth.law.sampler.one_pass import Block, draw_block

Sabotage = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Layer:
    """How a layer of neurons is drawn; the defaults are right.

    Attributes
    ----------
    pinned : int
        Directions of the gradient that are not free: χ² has so many degrees less than neurons.
    cross : float
        Factor of the cross term of (α − √q g β)² + a² (β + √q g α)².
    notices_death : bool
        Whether a layer without an active neuron counts as dead.
    """

    pinned: int = 1
    cross: float = 1.0
    notices_death: bool = True

    def install(self, patch: pytest.MonkeyPatch) -> None:
        def draw(neurons: Neurons, rng: np.random.Generator, width: int, q: Any, alive: Any) -> Any:
            return self.pass_layer(rng, neurons.slope, width, q, alive)

        patch.setattr(Neurons, "draw", draw)

    def pass_layer(
        self,
        rng: np.random.Generator,
        slope: float,
        width: int,
        q: np.ndarray,
        alive: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """t and Y."""

        def chi_square(degrees: np.ndarray) -> np.ndarray:
            return 2 * rng.standard_gamma(np.maximum(degrees, 0) / 2)

        square = slope**2
        active = active_neurons(rng, width, len(q))
        if slope == 0:
            if self.notices_death:
                alive[active == 0] = False
            active = np.maximum(active, 1)
        rest, none = width - active, np.zeros(len(q))
        on = chi_square(active)
        off = square * chi_square(rest) if slope else none
        total = on + off
        alpha, beta = on / total, off / total  # their squares
        t = alpha + square * beta + q * chi_square(active - self.pinned)
        if slope:
            t += q * square * chi_square(rest - self.pinned)
            g = np.where((active == 0) | (rest == 0), 0.0, rng.standard_normal(len(q)))
            t += q * g * g * (beta + square * alpha)
            t -= self.cross * 2 * (1 - square) * np.sqrt(q * alpha * beta) * g
        return t, total


def _after(patch: pytest.MonkeyPatch, change: Callable[[Block, np.random.Generator], Block]):
    def changed(net: Any, squared_norm: float, rng: np.random.Generator, count: int) -> Block:
        return change(draw_block(net, squared_norm, rng, count), rng)

    patch.setattr(streams, "draw_block", changed)


def dead_by_size(patch: pytest.MonkeyPatch) -> None:
    """A network counts as dead where N² is small, not where a layer has no active neuron."""

    def change(block: Block, rng: np.random.Generator) -> Block:
        return replace(block, alive=np.ldexp(block.norm, block.norm_power) > 1e-3)

    _after(patch, change)


def output_apart(patch: pytest.MonkeyPatch) -> None:
    """N of another network of the block beside K_w and K_b: right laws, wrong joint law."""

    def change(block: Block, rng: np.random.Generator) -> Block:
        order = np.arange(len(block.norm))
        living = np.flatnonzero(block.alive)
        order[living] = rng.permutation(living)
        norm, power = block.norm[order], block.norm_power[order]
        shares = block.shares * np.ldexp(block.norm / norm, block.norm_power - power)
        return replace(
            block, output=block.output[order], norm=norm, norm_power=power, shares=shares
        )

    _after(patch, change)


def biases_apart(patch: pytest.MonkeyPatch) -> None:
    """K_b of another network of the block beside N and K_w."""

    def change(block: Block, rng: np.random.Generator) -> Block:
        order = np.arange(len(block.norm))
        living = np.flatnonzero(block.alive)
        order[living] = rng.permutation(living)
        biases, power = block.biases[order], block.biases_power[order]
        return replace(block, biases=biases, biases_power=power)

    _after(patch, change)


def signless(patch: pytest.MonkeyPatch) -> None:
    """N ≥ 0."""
    _after(patch, lambda block, rng: replace(block, output=np.abs(block.output)))
