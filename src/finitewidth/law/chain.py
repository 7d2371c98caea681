"""Running the recursion in doubles of any size: an expectation at any depth.

Three ways through the same layers, chosen by cost: pairwise products of the transfer matrices of
unequal layers (few states, many layers), repeated squaring (long runs of one width), and a vector
that walks layer by layer through the sparse counts (many states).
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import log2

import numpy as np

from finitewidth._shapes import Float
from finitewidth.law.inputs import PowerSums
from finitewidth.law.layerwise import Segment, hidden_segments, neuron_factor
from finitewidth.law.magnitude import Magnitude
from finitewidth.law.partitions import even_cumulant
from finitewidth.law.scaled import Groups, Scaled, members, powers_of_two
from finitewidth.law.schemes import Scheme
from finitewidth.law.transitions import Table, table
from finitewidth.network import MLP, Layer

_FEW_STATES = 24
"""Up to this many states, matrices beat a walking vector."""

_POWERS = 1000.0
"""Powers of two that the factors of one layer may take together."""

_NARROW = -300
"""Groups whose sizes differ by fewer powers of two share a scale while the vector walks."""

_STACK = 2048
"""Unequal layers whose factors or matrices are held at once."""


def _filled(array: np.ndarray) -> np.ndarray:
    """Its largest entry everywhere."""
    return np.full_like(array, array.max())


@dataclass(frozen=True)
class Chain:
    """The recursion of one scheme in one network.

    Attributes
    ----------
    net : MLP
    sums : PowerSums
        Of the input.
    scheme : Scheme
        The product whose expectation is wanted.
    """

    net: MLP
    sums: PowerSums
    scheme: Scheme

    @cached_property
    def table(self) -> Table:
        """The counts of the scheme."""
        return table(self.scheme, self.net.law.is_gaussian)

    @cached_property
    def groups(self) -> Groups:
        """Ranges of neuron states with equal numbers of paths (the table is sorted by them)."""
        paths = self.table.paths
        bounds = [0, *(np.flatnonzero(np.diff(paths)) + 1).tolist(), len(paths)]
        return tuple(pairwise(bounds))

    def expectation(self) -> Magnitude:
        """The expectation, in doubles of any size.

        Raises
        ------
        ValueError
            If the powers of one layer's scale, or of |x|², already leave the range of a double.
        """
        self._check_range()
        if self.net.depth == 1:
            found = Magnitude(self.input_output())
        else:
            found = self._closed(self._through(self.after_first_layer()))
        if self.scheme.can_be_all_biases:
            found = found + self.all_biases_at_output()
        return found

    def _check_range(self) -> None:
        half, norm = self.scheme.paths / 2, abs(log2(self.sums(2)))
        layers = [
            self.net.layer(0, self.net.n_in, 1),
            *(self.net.layer(0, width, 1) for width, _ in self.net.runs),
            self.net.layer(self.net.depth, self.net.runs[-1][0] if self.net.runs else 1, 1),
        ]
        powers = {"|x|²": half * norm, "bias_lr": 0.0}
        if self.net.trains_biases:
            powers["bias_lr"] = self.scheme.slots * abs(log2(self.net.bias_lr))
        for layer in layers:
            name = "output_gain" if layer.is_output else "hidden_gain"
            scale = abs(log2(layer.weight_variance))
            mark = abs(log2(layer.weight_lr / layer.weight_variance))
            here = half * scale + self.scheme.slots * mark
            powers[name] = max(powers.get(name, 0.0), here)
        worst = max(powers, key=lambda name: powers[name])
        if sum(powers.values()) > _POWERS:
            value = float(self.sums(2)) if worst == "|x|²" else getattr(self.net, worst)
            raise ValueError(
                f"{worst} is {value:g}, whose powers leave the range of a double within one layer; "
                "use a number nearer to 1."
            )

    def all_biases_at_output(self) -> Magnitude:
        """The term in which every slot is the output bias; no layer need be alive."""
        return Magnitude(self.net.bias_lr) ** self.scheme.slots

    # -- factors ----------------------------------------------------------------------------------

    def _kappa(self, order: int) -> Fraction:
        return even_cumulant(order, self.net.law.moment)

    def _weights(self, rows: np.ndarray, column: int) -> Float[np.ndarray, " m"]:
        """count · κ_4^· κ_6^· κ_8^· · (bias learning rate)^starts; the exponents from `column`."""
        weight = rows[:, column - 1].astype(float)
        for place, order in enumerate((4, 6, 8)):
            exponent = rows[:, column + place]
            if exponent.any():
                weight *= float(self._kappa(order)) ** exponent
        return weight * self.net.bias_lr ** rows[:, column + 3]

    @cached_property
    def edge_weights(self) -> Float[np.ndarray, " m"]:
        """Of the rows of ``table.to_edges``."""
        return self._weights(self.table.to_edges, 3)

    def enter(self, variance: np.ndarray, mark: np.ndarray) -> Float[np.ndarray, "L S"]:
        """c^k for every neuron state, times λ/c for every mark still to come."""
        table = self.table
        return variance[:, None] ** (table.paths // 2) * mark[:, None] ** table.open_slots

    def _factors(self, layers: list[Segment]) -> tuple[np.ndarray, np.ndarray]:
        """The factors of every neuron state below and above hidden layers, [L, S] each.

        The marks still to come are counted below and taken out again above.
        """
        scales = [self.net.layer(0, layer.fan_in, layer.width) for layer in layers]
        variance = np.array([scale.weight_variance for scale in scales])
        mark = np.array([scale.weight_lr for scale in scales]) / variance
        width = np.array([float(layer.width) for layer in layers])
        leave = neuron_factor(self.net, self.table, width)
        return self.enter(variance, mark), leave / mark[:, None] ** self.table.open_slots

    def _input_rows(self, layer: Layer, rows: np.ndarray) -> Float[np.ndarray, " m"]:
        """Weights of ``table.from_input`` rows in the first layer."""
        below, starts = rows[:, 6:], rows[:, 5]
        variance = layer.weight_variance
        weight = self._weights(rows, 2) * variance ** (below @ np.arange(1, 5))
        for place, order in enumerate((2, 4, 6, 8)):
            if below[:, place].any():
                weight *= float(self.sums(order)) ** below[:, place]
        marks = self.table.edge_done[rows[:, 0]] - starts
        return weight * (layer.weight_lr / variance) ** marks

    def input_output(self) -> float:
        """The expectation without hidden layers, paths that come from the input only."""
        rows = self.table.from_input
        finished = self.table.edge_done[rows[:, 0]] == self.scheme.slots
        rows = rows[finished & (rows[:, 6:].sum(axis=1) > 0)]
        return float(self._input_rows(next(self.net.layers()), rows).sum())

    # -- layers -----------------------------------------------------------------------------------

    def after_first_layer(self) -> Scaled:
        """Row vector of the neuron states of the first hidden layer."""
        first = hidden_segments(self.net)[0]
        rows, onward = self.table.from_input, self.table.to_neurons
        layer = self.net.layer(1, first.fan_in, first.width)
        edges = np.bincount(
            rows[:, 0], self._input_rows(layer, rows), minlength=len(self.table.edges)
        )
        state = np.bincount(
            onward[:, 1], edges[onward[:, 0]] * onward[:, 2], minlength=len(self.table.paths)
        )
        state = state * neuron_factor(self.net, self.table, np.array([float(first.width)]))[0]
        return Scaled.from_array(state[None, None, :], ((0, 1),), self.groups)

    @cached_property
    def fused(self) -> Float[np.ndarray, "S S"]:
        """Neuron-to-neuron weights of one layer, without its width; ≥ 0, summed exactly.

        Cumulants have both signs; the sums are polynomials in the moments and do not.
        """
        size, edges = len(self.table.neurons), len(self.table.edges)
        first = np.zeros((size, edges))
        np.add.at(first, tuple(self.table.to_edges[:, :2].T), self.edge_weights)
        onward = self.table.to_neurons
        second = np.zeros((edges, size))
        second[onward[:, 0], onward[:, 1]] = onward[:, 2]
        fused = first @ second
        if self.net.law.is_gaussian:
            return fused
        assert (fused > -1e-9 * np.abs(fused).max()).all()
        return np.maximum(fused, 0.0)

    def matrices(self, segments: list[Segment]) -> Scaled:
        """Transfer matrices of one hidden layer of each segment."""
        enter, leave = self._factors(segments)
        values = enter[:, :, None] * self.fused * leave[:, None, :]
        return Scaled.from_array(values, self.groups, self.groups)

    def _through(self, state: Scaled) -> Scaled:
        """The row vector taken through the hidden layers after the first."""
        size = len(self.table.paths)
        walk = 2e-5 + 4e-9 * len(self.table.to_edges)  # seconds a layer, measured
        square = 5e-5 + 3e-7 * size**2  # a squaring, measured
        single: list[Segment] = []
        for segment in hidden_segments(self.net)[1:]:
            if segment.count * walk < 50 * walk + square * log2(segment.count):
                single += [Segment(segment.fan_in, segment.width, 1)] * segment.count
                continue
            state = self._one_by_one(state, single).times_power(
                self.matrices([segment]), segment.count
            )
            single = []
        return self._one_by_one(state, single)

    def _one_by_one(self, state: Scaled, layers: list[Segment]) -> Scaled:
        if len(self.table.paths) > _FEW_STATES or len(layers) < 50:
            for start in range(0, len(layers), _STACK):
                state = self._walked(state, layers[start : start + _STACK])
            return state
        for start in range(0, len(layers), _STACK):
            state = state.times_all(self.matrices(layers[start : start + _STACK]))
        return state

    def _walked(self, state: Scaled, layers: list[Segment]) -> Scaled:
        """The row vector taken through layers one by one, by the sparse counts."""
        rows, onward = self.table.to_edges, self.table.to_neurons
        source, edge = rows[:, 0].copy(), rows[:, 1].copy()
        below, above, merged = onward[:, 0].copy(), onward[:, 1].copy(), onward[:, 2].astype(float)
        group = members(self.groups)
        starts = [start for start, _ in self.groups]
        edge_group = np.zeros(len(self.table.edges), dtype=np.int64)
        edge_group[below] = group[above]
        pair = group[source] * len(starts) + edge_group[edge]
        values, power = state.values[0, 0], state.exponents[0, 0]
        if (power > power.max() + _NARROW).all():  # one scale is enough, and cheaper
            values, power = values * np.exp2(power - power.max())[group], _filled(power)
        for enter, leave in zip(*self._factors(layers), strict=True):
            weight = (values * enter)[source] * self.edge_weights
            if (power != power[0]).any():
                # group h gathers from the groups g ≤ h, each in units of the largest of them
                top = np.maximum.accumulate(power)
                top[top == -np.inf] = 0.0
                weight *= np.exp2(np.minimum(power[:, None] - top, 0.0)).ravel()[pair]
                power = top
            edges = np.bincount(edge, weight, minlength=len(edge_group))
            values = leave * np.bincount(above, edges[below] * merged, minlength=len(values))
            size = np.maximum.reduceat(values, starts)
            if (power == power[0]).all() and (size > 2.0**_NARROW * size.max()).all():
                size = _filled(size)
            scale, shift = powers_of_two(size)
            values = values / scale[group]
            power = power + shift
        return Scaled(values[None, None, :], power[None, None, :], state.rows, state.columns)

    def _closed(self, state: Scaled) -> Magnitude:
        """The sum over the ways through the output layer with every slot settled."""
        values = state.values[0, 0] * self.closing()
        found = Magnitude(0.0)
        for (start, stop), power in zip(self.groups, state.exponents[0, 0], strict=True):
            if power > -np.inf:
                found = found + Magnitude(float(values[start:stop].sum()), int(power))
        return found

    def closing(self) -> Float[np.ndarray, " S"]:
        """The weight of the output layer for every neuron state below it."""
        layer = self.net.layer(self.net.depth, self.net.runs[-1][0], 1)
        variance = np.array([layer.weight_variance])
        rows = self.table.to_edges
        ends = self.table.edge_done[rows[:, 1]] == self.scheme.slots
        ends &= rows[:, 0] != self.table.waiting  # the waiting state meant a hidden layer
        weights = np.bincount(
            rows[ends, 0], self.edge_weights[ends], minlength=len(self.table.paths)
        )
        return weights * self.enter(variance, layer.weight_lr / variance)[0]
