"""Paths through the computational graph and their edges (Hanin & Nica 2020, Definition 1)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import NamedTuple


class Edge(NamedTuple):
    """An edge from neuron `left` of layer `layer` − 1 to neuron `right` of layer `layer`.

    Neurons are counted from 0 in their layer, layers of neurons from 0 (the input) to d, and
    layers of edges, ℓ(e) in the paper, from 1 to d.
    """

    layer: int
    left: int
    right: int


@dataclass(frozen=True)
class Path:
    """A path γ = (γ(ℓ), …, γ(d)) from layer ℓ to the output (Definition 1).

    Attributes
    ----------
    start : int
        ℓ, the layer of its first neuron: 0 at the input, j for a path that starts at a bias of
        layer j.
    neurons : tuple of int
        One neuron of each layer ℓ … d. A path that starts at the output bias has one.

    Raises
    ------
    ValueError
        For a negative start or neuron, and for a path without neurons.
    """

    start: int
    neurons: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.start < 0 or not self.neurons or min(self.neurons) < 0:
            raise ValueError(
                f"a path from layer {self.start} through neurons {self.neurons} was given, "
                "expected a layer of 0 or more and at least one neuron, each of 0 or more."
            )

    @property
    def end(self) -> int:
        """The layer of its last neuron, d."""
        return self.start + len(self.neurons) - 1

    def __call__(self, layer: int) -> int:
        """γ(layer), the neuron in that layer.

        Raises
        ------
        ValueError
            If the path does not reach that layer.
        """
        if not self.start <= layer <= self.end:
            raise ValueError(
                f"layer {layer} was asked of a path through layers {self.start} … {self.end}; "
                "ask for one of those."
            )
        return self.neurons[layer - self.start]

    def edge(self, layer: int) -> Edge:
        """The path's edge between neurons of layers `layer` − 1 and `layer`."""
        return Edge(layer, self(layer - 1), self(layer))

    @property
    def edges(self) -> tuple[Edge, ...]:
        """All edges, from the lowest."""
        return tuple(self.edge(layer) for layer in range(self.start + 1, self.end + 1))

    def __contains__(self, edge: Edge) -> bool:
        """e ∈ γ."""
        return self.start < edge.layer <= self.end and self.edge(edge.layer) == edge


def count(sizes: Sequence[int], start: int = 0) -> int:
    """The number of paths from any neuron of layer `start` to the output.

    Parameters
    ----------
    sizes : sequence of int
        n_0 … n_d, the input dimension, the hidden widths and the number of outputs.
    start : int
        The layer of the first neuron.
    """
    return prod(sizes[start:])


def paths(sizes: Sequence[int], start: int = 0, neuron: int | None = None) -> Iterator[Path]:
    """Every path from layer `start` (from one `neuron` of it, if given) to the output."""
    first = range(sizes[start]) if neuron is None else (neuron,)
    for neurons in product(first, *(range(n) for n in sizes[start + 1 :])):
        yield Path(start, neurons)
