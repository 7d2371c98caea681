"""Integer counts of positive numbers in fixed logarithmic bins: a law in constant memory."""

from dataclasses import dataclass, field
from math import log

import numpy as np

from finitewidth._shapes import Float, Int


@dataclass(eq=False)
class LogHistogram:
    """Counts of positive numbers by log2; those equal to the smallest there is, apart.

    The bins are fixed (bin k holds 2^(k/m) … 2^((k+1)/m) with m of them an octave), so histograms
    of parts of a sample add up exactly.

    Attributes
    ----------
    bins_per_octave : int
        1024 of them span 0.068 % each, 64 of them 1.1 %.
    first : int
        The bin of the first count.
    counts : array of int [bins]
    lowest : int
        How many are the smallest number, which no bin holds: 0, or K of a dead network.
    """

    bins_per_octave: int
    first: int = 0
    counts: Int[np.ndarray, " bins"] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    lowest: int = 0

    @property
    def size(self) -> int:
        """Numbers counted."""
        return int(self.counts.sum()) + self.lowest

    def add(self, log2: Float[np.ndarray, " n"], lowest: int) -> None:
        """Count positive numbers by their log2, and smallest ones."""
        self.lowest += lowest
        if len(log2):
            bins = np.floor(log2 * self.bins_per_octave).astype(np.int64)
            low = int(bins.min())
            self._count(low, np.bincount(bins - low))

    def _count(self, low: int, counts: Int[np.ndarray, " some"]) -> None:
        if not len(self.counts):
            self.first = low
        first = min(low, self.first)
        end = max(low + len(counts), self.first + len(self.counts))
        if (first, end - first) != (self.first, len(self.counts)):
            grown = np.zeros(end - first, dtype=np.int64)
            grown[self.first - first : self.first - first + len(self.counts)] = self.counts
            self.first, self.counts = first, grown
        self.counts[low - self.first : low - self.first + len(counts)] += counts

    def __add__(self, later: "LogHistogram") -> "LogHistogram":
        total = LogHistogram(
            self.bins_per_octave, self.first, self.counts.copy(), self.lowest + later.lowest
        )
        if len(later.counts):
            total._count(later.first, later.counts)
        return total

    def log2_at(self, rank: float) -> float:
        """log2 of the number at a rank (0 … size), interpolated in its bin; −inf for the lowest."""
        below = rank - self.lowest
        if below <= 0 or not len(self.counts):
            return -np.inf
        cumulated = np.cumsum(self.counts)
        place = min(int(np.searchsorted(cumulated, below)), len(self.counts) - 1)
        inside = (below - (cumulated[place] - self.counts[place])) / self.counts[place]
        return (self.first + place + min(inside, 1.0)) / self.bins_per_octave

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
        edges = (
            (self.first + int(low) + width * np.arange(count + 1)) / self.bins_per_octave * log(2.0)
        )
        return edges, cut.reshape(count, width).sum(axis=1)
