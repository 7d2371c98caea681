"""Quantiles of a sample of any size in constant memory: integer counts in logarithmic bins."""

from dataclasses import dataclass, field
from math import log

import numpy as np

from finitewidth._shapes import Float, Int

BINS_PER_OCTAVE = 1024
"""A bin spans a factor 2^(1/1024): 0.068 %."""


@dataclass
class LogHistogram:
    """Counts of positive numbers by log2; the dead, whose K is the smallest there is, apart.

    The bins are fixed (bin k holds 2^(k/1024) … 2^((k+1)/1024)), so histograms of parts of a sample
    add up exactly.
    """

    first: int = 0
    counts: Int[np.ndarray, " bins"] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    dead: int = 0

    @property
    def size(self) -> int:
        """Numbers counted."""
        return int(self.counts.sum()) + self.dead

    def add(self, log2: Float[np.ndarray, " n"], dead: int) -> None:
        """Count living networks by the log2 of their K, and dead ones."""
        self.dead += dead
        if not len(log2):
            return
        bins = np.floor(log2 * BINS_PER_OCTAVE).astype(np.int64)
        self._make_room(int(bins.min()), int(bins.max()))
        self.counts += np.bincount(bins - self.first, minlength=len(self.counts))

    def _make_room(self, low: int, high: int) -> None:
        if not len(self.counts):
            self.first = low
        low, end = min(low, self.first), max(high + 1, self.first + len(self.counts))
        if (low, end - low) != (self.first, len(self.counts)):
            grown = np.zeros(end - low, dtype=np.int64)
            grown[self.first - low : self.first - low + len(self.counts)] = self.counts
            self.first, self.counts = low, grown

    def log2_at(self, rank: float) -> float:
        """log2 of the number at a rank (0 … size), interpolated in its bin; −inf for the dead."""
        below = rank - self.dead
        if below <= 0:
            return -np.inf
        cumulated = np.cumsum(self.counts)
        place = min(int(np.searchsorted(cumulated, below, side="left")), len(self.counts) - 1)
        before = cumulated[place] - self.counts[place]
        inside = (below - before) / self.counts[place]
        return (self.first + place + min(max(inside, 0.0), 1.0)) / BINS_PER_OCTAVE

    def coarse(
        self, bins: int, tail: float = 1e-3
    ) -> tuple[Float[np.ndarray, " edges"], Int[np.ndarray, " bins"]]:
        """Edges (natural log of K) and counts of a few equal bins that hold all but the tails.

        Parameters
        ----------
        bins : int
            At most so many bins.
        tail : float
            Fraction of living networks left out on either side.
        """
        cumulated = np.cumsum(self.counts)
        low, high = np.searchsorted(cumulated, [tail * cumulated[-1], (1 - tail) * cumulated[-1]])
        width = max(1, -(-(int(high) + 1 - int(low)) // bins))
        count = -(-(int(high) + 1 - int(low)) // width)
        cut = np.zeros(count * width, dtype=np.int64)
        inside = self.counts[int(low) : int(low) + len(cut)]
        cut[: len(inside)] = inside
        edges = (self.first + int(low) + width * np.arange(count + 1)) / BINS_PER_OCTAVE * log(2.0)
        return edges, cut.reshape(count, width).sum(axis=1)
