"""Order statistics of positive numbers: kept, or counted between those of the first of them."""

from math import log

import numpy as np

from finitewidth._shapes import Float, Int

SORTED_UP_TO = 2**22
"""Numbers that are kept and sorted; of more, these first ones say where the counts are made."""

CELLS = 2**20
"""Counts of a larger sample. They hold equal shares of it, so that a quantile is off by less than
10⁻⁶ in its rank, wherever the numbers lie."""


class Ordered:
    """Positive numbers by log2, in order; those equal to the smallest there is, apart.

    The first `SORTED_UP_TO` of them are kept. If more come, `CELLS` of those, evenly spaced in
    their order, cut the line into cells, and the numbers in each are counted: a rank is then known
    to lie between two neighbours. Nothing depends on how many numbers are added at a time.

    Attributes
    ----------
    lowest : int
        How many are the smallest number, which has no log2: 0, or K of a dead network.
    """

    def __init__(self) -> None:
        self.lowest = 0
        self._most = SORTED_UP_TO
        self._waiting: list[np.ndarray] = []
        self._held = 0
        self._in_order = False
        self._edges: np.ndarray | None = None
        self._below = np.zeros(0, dtype=np.int64)

    @property
    def size(self) -> int:
        """Numbers added."""
        counted = 0 if self._edges is None else int(self._below[-1])
        return self.lowest + self._held + counted

    @property
    def method(self) -> str:
        """How a quantile is found."""
        if self._edges is None and self._held <= self._most:
            return "order statistics"
        return f"counts between {min(CELLS, self._most)} order statistics"

    def add(self, log2: Float[np.ndarray, " n"], lowest: int = 0) -> None:
        """Take in positive numbers by their log2, and smallest ones."""
        self.lowest += lowest
        self._waiting.append(log2)
        self._held += len(log2)
        self._in_order = False
        if self._held > 2 * self._most:
            self._count()

    def _count(self) -> None:
        """Count what waits; the first time its first numbers become the edges."""
        values = np.concatenate(self._waiting)
        self._waiting, self._held = [], 0
        if self._edges is None:
            first = np.sort(values[: self._most])
            inner = first[:: max(1, self._most // CELLS)]
            self._edges = np.concatenate([[np.inf], inner, [-np.inf]])
            self._below = np.zeros(len(self._edges), dtype=np.int64)
        values.sort()
        self._edges[0] = min(self._edges[0], values[0])
        self._edges[-1] = max(self._edges[-1], values[-1])
        self._below[1:-1] += np.searchsorted(values, self._edges[1:-1])
        self._below[-1] += len(values)

    def _sorted(self) -> np.ndarray | None:
        """All living numbers in order, or None where they are counted."""
        if self._edges is None and self._held <= self._most:
            if not self._in_order:
                self._waiting = [np.sort(np.concatenate([*self._waiting, np.zeros(0)]))]
                self._in_order = True
            return self._waiting[0]
        if self._held:
            self._count()
        return None

    def log2_around(self, rank: float) -> tuple[float, float, float]:
        """log2 of the number at a rank (0 … size): no less than, about, no more than.

        All three are −inf for the smallest there is, and one number where the values are kept.
        """
        living = self.size - self.lowest
        place = min(int(np.ceil(rank)) - self.lowest, living)
        if place < 1:
            return -np.inf, -np.inf, -np.inf
        kept = self._sorted()
        if kept is not None:
            value = float(kept[place - 1])
            return value, value, value
        assert self._edges is not None
        cell = int(np.searchsorted(self._below, place)) - 1  # below[cell] < place ≤ below[cell + 1]
        low, high = float(self._edges[cell]), float(self._edges[cell + 1])
        before, after = self._below[cell : cell + 2].tolist()
        share = min((rank - self.lowest - before) / (after - before), 1.0)
        return low, low + share * (high - low), high

    def coarse(
        self, bins: int, tail: float = 1e-3
    ) -> tuple[Float[np.ndarray, " edges"], Int[np.ndarray, " bins"]]:
        """Edges (natural log) and counts of equal logarithmic bins that hold all but the tails.

        Parameters
        ----------
        bins : int
            How many; one for numbers that are all the same.
        tail : float
            Fraction of the living left out on either side.
        """
        living = self.size - self.lowest
        low, high = (
            self.log2_around(self.lowest + share * living)[place]
            for share, place in ((tail, 0), (1 - tail, 2))
        )
        if high - low < 1e-12 * max(1.0, abs(low), abs(high)):
            bins, low, high = 1, low - 2.0**-11, high + 2.0**-11
        edges = np.linspace(low, high, bins + 1)
        kept = self._sorted()
        if kept is not None:
            below = np.append(
                np.searchsorted(kept, edges[:-1]), np.searchsorted(kept, high, "right")
            )
        else:
            assert self._edges is not None
            below = np.round(np.interp(edges, self._edges, self._below)).astype(np.int64)
        return edges * log(2.0), np.diff(below)
