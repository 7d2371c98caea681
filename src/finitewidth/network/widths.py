"""Hidden widths, stored as runs of equal values so that a million layers cost nothing."""

import operator
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import groupby
from typing import overload

from finitewidth._whole_number import whole_number

WIDEST = 10**60
"""Largest width and dimension: the fourth power of one is far inside the doubles."""

DEEPEST = 2**62
"""Largest number of layers: sequences have no more entries."""


class Widths(Sequence[int]):
    """The hidden widths n_1, …, n_{d−1} of a network, as runs ``((width, count), …)``.

    Behaves as an immutable sequence of ints; `runs` is the stored form, with neighbouring runs
    of the same width merged.

    Parameters
    ----------
    runs : iterable of (int, int)
        Width and number of layers of each run, from the input side. Checked by the callers.
    """

    __slots__ = ("_length", "runs")

    def __init__(self, runs: Iterable[tuple[int, int]]) -> None:
        merged = (
            (width, sum(count for _, count in group))
            for width, group in groupby((run for run in runs if run[1] > 0), lambda run: run[0])
        )
        self.runs: tuple[tuple[int, int], ...] = tuple(merged)
        self._length = sum(count for _, count in self.runs)

    @classmethod
    def from_list(cls, widths: Iterable[int]) -> "Widths":
        """Widths given one by one; raises as `whole_number` does, naming the layer."""
        if isinstance(widths, Widths):
            return widths
        if isinstance(widths, str) or not isinstance(widths, Iterable):
            raise TypeError(
                f"widths is {widths!r}, expected a list of hidden widths such as [256, 256]; "
                "for equal widths use MLP.equal_width."
            )
        return cls(
            (whole_number(width, f"width of hidden layer {layer}", 1, WIDEST), 1)
            for layer, width in enumerate(widths, start=1)
        )

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[int]:
        for width, count in self.runs:
            for _ in range(count):
                yield width

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> "Widths": ...
    def __getitem__(self, index: int | slice) -> "int | Widths":
        if isinstance(index, slice):
            return Widths((self[i], 1) for i in range(*index.indices(len(self))))
        position = operator.index(index)
        if position < 0:
            position += self._length
        if 0 <= position < self._length:
            for width, count in self.runs:
                if position < count:
                    return width
                position -= count
        raise IndexError(f"hidden layer index {index} is out of range for {self._length} layers")

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Widths):
            return self.runs == other.runs
        if isinstance(other, list | tuple):
            return len(other) == len(self) and all(a == b for a, b in zip(self, other, strict=True))
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.runs)

    def __repr__(self) -> str:
        terms = [f"[{w}]" if count == 1 else f"[{w}]*{count}" for w, count in self.runs]
        return " + ".join(terms) or "[]"

    @property
    def inverse_sum(self) -> float:
        """β = Σ 1/n over the hidden layers (Hanin & Nica 2020, §1)."""
        if len(self.runs) < 1000:
            return float(sum((Fraction(count, w) for w, count in self.runs), Fraction(0)))
        from math import fsum

        return fsum(count / w for w, count in self.runs)
