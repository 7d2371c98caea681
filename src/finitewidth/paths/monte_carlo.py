"""E K² and E ΔK by drawing pairs of paths, at sizes where no enumeration ends.

An even multiset of the edges of four paths is a pair of paths with every edge doubled (Lemma 9:
2^(stretches) ordered pairs give the same one). So

    E Σ_Γ Π wt(γ_k) = Σ_(v₁, v₂) 2^(−stretches) Σ_marks (weight, Lemma 7) × (quadruples, Lemma 8)

and a uniform pair of paths with uniform places of marks and bias starts, weighed by that term over
its probability, has this mean. Nothing is shared with the chain: each draw is weighed layer by
layer from its own neurons.
"""

from dataclasses import dataclass
from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike

from finitewidth._shapes import Bool, Float, Int
from finitewidth._whole_number import whole_number
from finitewidth.estimate import Estimate
from finitewidth.network import MLP
from finitewidth.paths.field import checked_input, checked_network
from finitewidth.paths.scheme import Pair, Scheme, scheme
from finitewidth.paths.weight import Constants, constants

CARRIERS = 1000
"""Draws that must carry the sum, by (Σw)²/Σw², for its standard error to be trusted."""

BLOCK = 65_536
"""Draws held at once; a block owns one stream of random numbers."""


def monte_carlo(
    net: MLP, x: ArrayLike, quantity: str, size: SupportsIndex, seed: SupportsIndex = 0
) -> Estimate:
    """One of E K_w², E K_b K_w, E K_b², E Δ_ww, E Δ_wb from random pairs of paths.

    Parameters
    ----------
    net, x, quantity
        As in `finitewidth.paths.expectation`; any size.
    size : int
        Number of draws.
    seed : int
        Of the random numbers; the first blocks of a longer run are those of a shorter one.

    Returns
    -------
    Estimate
        Unbiased; not trusted where few draws carry the sum, as in deep networks, where
        `finitewidth.paths.loops` has the exact value.

    Raises
    ------
    ValueError
        As `finitewidth.paths.expectation`, and for fewer than 2 draws or a seed below 0.
    """
    net = checked_network(net)
    of = constants(net, checked_input(net, x))
    plan = scheme(quantity)
    if plan.paths != 4:
        raise ValueError(f"quantity is {quantity!r}, a sum over two paths; ask for one over four.")
    size, seed = whole_number(size, "size", 2), whole_number(seed, "seed", 0)
    blocks = -(-size // BLOCK)
    values = np.concatenate(
        [
            _Draw(
                plan, of, min(BLOCK, size - number * BLOCK), np.random.default_rng(child)
            ).weights()
            for number, child in enumerate(np.random.SeedSequence(seed).spawn(blocks))
        ]
    )
    squares = float((values**2).sum())
    carriers = float(values.sum()) ** 2 / squares if squares > 0 else 0.0
    note = (
        ""
        if carriers >= CARRIERS
        else f"{carriers:.0f} of {size} draws carry this sum and it takes {CARRIERS}, so that its "
        "standard error is likely too small; use finitewidth.paths.loops, which is exact."
    )
    return Estimate(
        float(values.mean()),
        float(values.std(ddof=1)) / size**0.5,
        size,
        "pairs of paths",
        exact=True,
        trusted=not note,
        note=note,
    )


@dataclass
class _Draw:
    """Uniform pairs of paths, marks and bias starts, and their terms over their probabilities."""

    plan: Scheme
    of: Constants
    size: int
    generator: np.random.Generator

    def weights(self) -> Float[np.ndarray, " size"]:
        """The weighed draws."""
        of, plan, size = self.of, self.plan, self.size
        depth, below = of.depth, set(plan.from_input)
        marks = self.generator.integers(1, depth + 1, size=(len(plan.marks), size))
        starts = self.generator.integers(1, depth + 1, size=(len(plan.biases), size))
        value = np.full(size, float(depth) ** (len(plan.marks) + len(plan.biases)))
        if plan.apart:
            value *= marks[0] != marks[1]
        value *= of.bias_lr ** len(plan.biases)
        # strand 0 carries the paths that start first; strand 1 the other pair
        first, second = self._starts(starts)
        strands = np.stack([self._inputs(), self._inputs()])
        value *= np.where(first == 0, float(of.x @ of.x), 1.0)
        value *= np.where(second == 0, float(of.x @ of.x), 1.0)
        value *= self._alive(first)
        fixed = _code(plan.biases[0]) if plan.biases else 0  # the pairing of a bias's stretch
        pairing = np.zeros(size, dtype=np.int64)  # of the stretch: 0 free, 1 (12|34), 2 (23|14)
        apart = np.zeros(size, dtype=bool)
        opened_free = np.zeros(size, dtype=bool)
        begins = second == 0
        apart[begins] = (strands[0] != strands[1])[begins]
        opened_free |= apart
        for layer in range(1, depth + 1):
            n = of.sizes[layer]
            hidden = layer < depth
            a2, a4 = (of.open(2), of.open(4)) if hidden else (1.0, 1.0)
            before = strands
            strands = self.generator.integers(n, size=(2, size))
            here = [layer > first, layer > second]  # whose edge ends in this layer
            full = here[1]
            were, are = apart.copy(), strands[0] != strands[1]
            edge = full & ~were & ~are & (before[0] == before[1])
            on = marks == layer
            count = on.sum(axis=0) if len(plan.marks) else np.zeros(size, dtype=np.int64)
            value *= np.where(here[0], of.scale[layer - 1] * n, 1.0)
            value *= np.where(here[1], of.scale[layer - 1] * n, 1.0)
            value *= (of.rate[layer - 1] / of.scale[layer - 1]) ** count
            for number, pair in enumerate(plan.marks):
                placed = on[number]
                value *= ~placed | (here[0] if set(pair) <= below else full)  # both paths are there
            value *= np.where(edge & (count == 0), of.fourth, 1.0)
            opening = full & ~were & are
            opened_free |= opening
            pairing[opening] = 0
            two = full & (were | are)
            for number, pair in enumerate(plan.marks):
                value *= self._demand(pairing, on[number] & two, _code(pair))
            closing = full & were & ~are
            free = closing & opened_free
            value *= np.where(free & (pairing == 0), 6.0, 1.0)
            value *= np.where(free & (pairing > 0), 2.0, 1.0)
            value *= np.where(free, 0.5, 1.0)  # the two orders of the pair of paths
            opened_free &= ~closing
            apart = np.where(full, are, apart)
            pairing[closing] = 0
            # a pair that starts in this layer
            arrives = layer == second
            both = arrives & (first == layer)
            value *= np.where(arrives, float(n), 1.0) * np.where(
                both | (layer == first), float(n), 1.0
            )
            apart = np.where(arrives, are, apart)
            pairing = np.where(arrives & are, fixed, pairing)
            opened_free &= ~arrives
            alone = (layer >= first) & (layer < second)
            value *= np.where(alone, a2, 1.0)
            value *= np.where(layer >= second, np.where(apart, a2 * a2, a4), 1.0)
        return value

    def _inputs(self) -> Int[np.ndarray, " size"]:
        """Neurons of the input in proportion to the squares of its entries."""
        sums = np.cumsum(self.of.x**2)
        drawn = np.searchsorted(sums, self.generator.random(self.size) * sums[-1], side="right")
        return np.minimum(drawn, int(np.flatnonzero(self.of.x)[-1]))

    def _starts(
        self, starts: Int[np.ndarray, "biases size"]
    ) -> tuple[Int[np.ndarray, " size"], Int[np.ndarray, " size"]]:
        """The layers where the first pair and the second pair start."""
        zero = np.zeros(self.size, dtype=np.int64)
        layers = [zero] * (2 - len(self.plan.biases)) + list(starts)
        both = np.sort(np.stack(layers), axis=0)
        return both[0], both[1]

    def _alive(self, first: Int[np.ndarray, " size"]) -> Float[np.ndarray, " size"]:
        table = np.array([self.of.alive(layer) for layer in range(self.of.depth)] + [1.0])
        return table[first]

    @staticmethod
    def _demand(
        pairing: Int[np.ndarray, " size"], where: Bool[np.ndarray, " size"], code: int
    ) -> Bool[np.ndarray, " size"]:
        """Ask a stretch for a pairing; False where it has another one."""
        good = ~where | (pairing == 0) | (pairing == code)
        pairing[where & (pairing == 0)] = code
        return good


def _code(pair: Pair) -> int:
    return {frozenset({0, 1}): 1, frozenset({2, 3}): 1}.get(frozenset(pair), 2)
