"""The same recursion in any arithmetic: Fractions for equality, long Decimals against cancellation.

Walks every layer and every count in plain Python: for small networks, and for the few quantities
(skewness, a variance at enormous width) whose digits doubles would lose.
"""

from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction
from math import perm
from typing import Any

from finitewidth.law.inputs import PowerSums
from finitewidth.law.layerwise import activation_moment
from finitewidth.law.partitions import even_cumulant
from finitewidth.law.schemes import Scheme
from finitewidth.law.transitions import table
from finitewidth.network import MLP
from finitewidth.network.exact import fraction_of
from finitewidth.network.parametrizations import scaling

Number = Any
Convert = Callable[[Fraction], Number]


def exactly(net: MLP, sums: PowerSums, scheme: Scheme) -> Fraction:
    """The expectation as a Fraction: no rounding at all, for small networks."""
    return _Walk(net, sums, scheme, lambda value: value).expectation()


def to_digits(net: MLP, sums: PowerSums, scheme: Scheme, digits: int) -> Fraction:
    """The expectation computed with so many decimal digits, as a Fraction."""
    with localcontext() as context:
        context.prec, context.Emax, context.Emin = digits, 10**15, -(10**15)
        convert = lambda value: Decimal(value.numerator) / Decimal(value.denominator)  # noqa: E731
        return Fraction(_Walk(net, sums, scheme, convert).expectation())


def cost(net: MLP, scheme: Scheme) -> float:
    """Rough number of operations of a walk (2·10⁶ a second)."""
    counts = table(scheme, net.law.is_gaussian)
    return float(net.depth) * (len(counts.to_edges) + len(counts.to_neurons))


class _Walk:
    def __init__(self, net: MLP, sums: PowerSums, scheme: Scheme, convert: Convert) -> None:
        self.net, self.sums, self.scheme, self.convert = net, sums, scheme, convert
        counts = table(scheme, net.law.is_gaussian)
        self.table = counts
        self.edge_done: list[int] = counts.edge_done.tolist()
        self.edge_open: list[int] = counts.edge_open.tolist()
        self.states: list[tuple[int, int]] = list(
            zip(counts.paths.tolist(), counts.open_slots.tolist(), strict=True)
        )
        self.sizes: list[list[int]] = counts.neuron_sizes.tolist()
        self.means = [activation_moment(net, order) for order in (2, 4, 6, 8)]
        self.bias_lr = fraction_of(net.bias_lr)

    def scale(self, index: int, fan_in: int) -> tuple[Fraction, Fraction]:
        """c of a layer and λ/c, without the rounding of the floats in `Layer`."""
        is_output = index == self.net.depth
        gain = self.net.output_gain if is_output else self.net.hidden_gain
        fan_out = self.net.n_out if is_output else self.net.widths[index - 1]
        variance, rate = scaling(self.net.parametrization).scale(
            fan_in, fan_out, fraction_of(gain), is_first=index == 1, is_output=is_output
        )
        return variance, rate / variance

    def weight(self, row: list[int], column: int) -> Fraction:
        """count · κ_4^· κ_6^· κ_8^· · (bias learning rate)^starts."""
        value = row[column - 1] * self.bias_lr ** row[column + 3]
        for place, order in enumerate((4, 6, 8)):
            if row[column + place]:
                value *= even_cumulant(order, self.net.law.moment) ** row[column + place]
        return value

    def from_input(self) -> list[Number]:
        """Edge states of the first layer."""
        variance, mark = self.scale(1, self.net.n_in)
        edges = [self.convert(Fraction(0))] * len(self.edge_done)
        for row in self.table.from_input.tolist():
            below, marks = row[6:], self.edge_done[row[0]] - row[5]
            if self.net.depth == 1 and not sum(below):
                continue  # every path starts at the output bias: added at the end
            value = self.weight(row, 2) * mark**marks
            for half, count in enumerate(below, start=1):
                if count:
                    value *= (variance**half * self.sums(2 * half)) ** count
            edges[row[0]] += self.convert(value)
        return edges

    def to_neurons(self, edges: list[Number], width: int) -> list[Number]:
        """Neuron states of a layer of that width."""
        neurons = [self.convert(Fraction(0))] * len(self.states)
        for edge, neuron, count in self.table.to_neurons.tolist():
            neurons[neuron] += edges[edge] * count
        falling = [perm(width, blocks) for blocks in range(5)]
        for state, sizes in enumerate(self.sizes):
            factor = Fraction(falling[sum(sizes)])
            for mean, size in zip(self.means, sizes, strict=True):
                factor *= mean**size
            if state == self.table.waiting and self.net.act.slope == 0.0:
                factor = 1 - Fraction(1, 2**width) if width < 4096 else Fraction(1)
            neurons[state] *= self.convert(factor)
        return neurons

    def expectation(self) -> Number:
        """Layer by layer to the output."""
        edges, last = self.from_input(), self.net.depth
        to_edges = [
            (row[0], row[1], self.convert(self.weight(row, 3)))
            for row in self.table.to_edges.tolist()
        ]
        for index, width in enumerate(self.net.widths, start=2):
            neurons = self.to_neurons(edges, width)
            variance, mark = self.scale(index, width)
            for state, (paths, slots) in enumerate(self.states):
                neurons[state] *= self.convert(variance ** (paths // 2) * mark**slots)
            if index == last and self.table.waiting >= 0:
                neurons[self.table.waiting] = self.convert(Fraction(0))  # it meant a hidden layer
            edges = [self.convert(Fraction(0))] * len(self.edge_done)
            for source, target, weight in to_edges:
                edges[target] += neurons[source] * weight
            left = self.convert(mark)
            edges = [
                value / left**still if still else value
                for value, still in zip(edges, self.edge_open, strict=True)
            ]
        total = sum(
            (v for v, done in zip(edges, self.edge_done, strict=True) if done == self.scheme.slots),
            self.convert(Fraction(0)),
        )
        if self.scheme.can_be_all_biases:
            total += self.convert(self.bias_lr**self.scheme.slots)
        return total
