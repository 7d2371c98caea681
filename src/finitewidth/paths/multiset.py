"""Unordered multisets of edges, and where four paths meet (Hanin & Nica 2020, Definition 3)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from finitewidth.paths.path import Edge, Path

Neurons = tuple[int, ...]
Edges = tuple[Edge, ...]


def left_ends(edges: Edges) -> Neurons:
    """L(E): the left endpoints of a multiset of edges, an unordered multiset (kept sorted)."""
    return tuple(sorted(edge.left for edge in edges))


def right_ends(edges: Edges) -> Neurons:
    """R(E): the right endpoints, an unordered multiset (kept sorted)."""
    return tuple(sorted(edge.right for edge in edges))


def even(edges: Edges) -> bool:
    """Whether every edge occurs an even number of times."""
    return all(times % 2 == 0 for times in Counter(edges).values())


@dataclass(frozen=True)
class Multiset:
    """E^Γ of several paths: for each weight layer the edges present, in no order.

    Attributes
    ----------
    edges : tuple of tuples of Edge
        E^Γ(1), …, E^Γ(d), each sorted, with repetitions.
    starts : tuple of tuples of int
        For each layer 0 … d the neurons at which paths start, sorted, with repetitions.

    Raises
    ------
    ValueError
        If the layers do not fit together: the left ends of a layer must be the right ends of
        the layer below and the paths that start between them.
    """

    edges: tuple[Edges, ...]
    starts: tuple[Neurons, ...]

    def __post_init__(self) -> None:
        if len(self.starts) != len(self.edges) + 1:
            raise ValueError(
                f"{len(self.edges)} layers of edges came with the starts of {len(self.starts)} "
                "layers of neurons, expected one layer of neurons more than of edges."
            )
        for layer, edges in enumerate(self.edges, start=1):
            if any(edge.layer != layer for edge in edges):
                raise ValueError(
                    f"the edges {edges} were given for layer {layer}, expected edges of that "
                    "layer alone."
                )
            if left_ends(edges) != self.neurons(layer - 1):
                raise ValueError(
                    f"the edges of layer {layer} leave neurons {left_ends(edges)}, but the paths "
                    f"are at {self.neurons(layer - 1)} of layer {layer - 1}; give layers that "
                    "fit together, or build the multiset from its paths with Multiset.of."
                )

    @classmethod
    def of(cls, gamma: Sequence[Path]) -> "Multiset":
        """E^Γ of the paths Γ.

        Raises
        ------
        ValueError
            Without paths, or if they do not end in one layer.
        """
        ends = {path.end for path in gamma}
        if len(ends) != 1:
            raise ValueError(
                f"the paths end in layers {sorted(ends)}, expected paths that all end in the "
                "output layer."
            )
        depth = ends.pop()
        return cls(
            tuple(
                tuple(sorted(path.edge(layer) for path in gamma if path.start < layer))
                for layer in range(1, depth + 1)
            ),
            tuple(
                tuple(sorted(path(layer) for path in gamma if path.start == layer))
                for layer in range(depth + 1)
            ),
        )

    @property
    def depth(self) -> int:
        """d, the number of weight layers."""
        return len(self.edges)

    @cached_property
    def _neurons(self) -> tuple[Neurons, ...]:
        arrived = [(), *(right_ends(edges) for edges in self.edges)]
        return tuple(
            tuple(sorted(a + s)) if s else a for a, s in zip(arrived, self.starts, strict=True)
        )

    def neurons(self, layer: int) -> Neurons:
        """The neurons of a layer that the paths are at, once for each path, sorted."""
        return self._neurons[layer]

    def visited(self, layer: int) -> int:
        """|Γ(layer)|: the number of different neurons visited in a layer."""
        return len(set(self.neurons(layer)))

    @cached_property
    def even(self) -> bool:
        """Whether every edge occurs an even number of times: the others have mean zero."""
        return all(even(edges) for edges in self.edges)

    @property
    def collisions(self) -> tuple[int, ...]:
        """The layers in which all four paths are at one neuron."""
        return tuple(
            layer
            for layer in range(self.depth + 1)
            if len(self.neurons(layer)) == 4 and self.visited(layer) == 1
        )

    @property
    def loops(self) -> tuple[tuple[int, int], ...]:
        """The loops (a, b): collisions in layers a and b, and two neurons in each between them."""
        meets = self.collisions
        return tuple((a, b) for a, b in pairwise(meets) if b - a > 1)
