"""`Strands`: what a drawing of paths through a network shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from finitewidth._shapes import Int

MOST = 31
"""Layers of neurons that are still told apart in one drawing."""

Mark = tuple[int, tuple[int, ...]]
"""A marked edge: its weight layer, counted from 1, and the paths (from 0) that share it."""


@dataclass(frozen=True, eq=False)
class Strands:
    """Paths drawn as strands, with collisions, loops and marked edges.

    Parameters
    ----------
    neurons : array-like of int [paths, d + 1]
        The neuron of each path in each layer, counted from 0; −1 below the start of a path. Up
        to four paths that end in one output.
    sizes : sequence of int
        n_0 … n_d.
    marks : sequence of (layer, paths)
        Marked edges: the weight layer (from 1) and which paths (from 0) share the edge.
    title : str
        Stands above the drawing.
    layers : (int, int), optional
        First and last layer of neurons to draw; all by default, at most 31 of them.
    sentence : str
        What it shows, beside it on a page.

    Raises
    ------
    ValueError
        If neurons, sizes and marks do not fit together, or for too many layers.
    """

    neurons: Any
    sizes: Sequence[int]
    marks: Sequence[Mark] = ()
    title: str = "Paths through a network"
    layers: tuple[int, int] | None = None
    sentence: str = "Shaded: loops. Yellow: marked edges."

    def __post_init__(self) -> None:
        array = np.asarray(self.neurons)
        if array.ndim != 2 or array.dtype.kind not in "iu" or not 1 <= len(array) <= 4:
            raise ValueError(
                f"neurons is an array of shape {list(array.shape)} and type {array.dtype}, "
                "expected whole numbers of shape [paths, layers], of 1 to 4 paths."
            )
        if array.shape[1] != len(self.sizes) or array.shape[1] < 2:
            raise ValueError(
                f"the paths pass {array.shape[1]} layers but sizes lists {len(self.sizes)}; give "
                "one size for each layer n_0 … n_d."
            )
        self._check_neurons(array)
        self._check_marks(array)
        first, last = self.layers or (0, array.shape[1] - 1)
        if not 0 <= first < last < array.shape[1]:
            raise ValueError(
                f"layers is {(first, last)}, expected a first and a later last layer out of 0 … "
                f"{array.shape[1] - 1}."
            )
        if last - first + 1 > MOST:
            raise ValueError(
                f"{last - first + 1} layers are too many for one drawing; give layers=(first, "
                f"last) with at most {MOST} of them, for example (0, {MOST - 1})."
            )
        object.__setattr__(self, "neurons", array.astype(np.int64))
        object.__setattr__(self, "layers", (first, last))

    def _check_neurons(self, array: Int[np.ndarray, "paths layers"]) -> None:
        for path, line in enumerate(array):
            start = int((line < 0).sum())
            if (line[start:] < 0).any() or start == len(line):
                raise ValueError(
                    f"path {path + 1} passes neurons {line.tolist()}; −1 may only stand below its "
                    "start."
                )
            for layer in range(start, len(line)):
                if line[layer] >= self.sizes[layer]:
                    raise ValueError(
                        f"path {path + 1} is at neuron {line[layer]} of layer {layer}, which has "
                        f"{self.sizes[layer]} (counted from 0)."
                    )

    def _check_marks(self, array: Int[np.ndarray, "paths layers"]) -> None:
        for layer, paths in self.marks:
            if not 1 <= layer < array.shape[1] or not set(paths) <= set(range(len(array))):
                raise ValueError(
                    f"the mark {(layer, tuple(paths))} was given for {len(array)} paths and weight "
                    f"layers 1 … {array.shape[1] - 1}; name one of these layers and paths from 0."
                )
            edges = {tuple(array[path, layer - 1 : layer + 1].tolist()) for path in paths}
            if len(edges) != 1 or min(edges.pop()) < 0:
                raise ValueError(
                    f"the paths {[path + 1 for path in paths]} share no edge in layer {layer}, so "
                    "that none can be marked there."
                )

    @property
    def collisions(self) -> list[int]:
        """The layers in which all paths are at one neuron; a single path has none."""
        together = (self.neurons == self.neurons[0]).all(axis=0) & (self.neurons >= 0).all(axis=0)
        return np.flatnonzero(together).tolist() if len(self.neurons) == 4 else []

    @property
    def loops(self) -> list[tuple[int, int]]:
        """Pairs of collisions with none between them, not in adjacent layers."""
        meets = self.collisions
        return [(a, b) for a, b in pairwise(meets) if b - a > 1]
