"""Integer counts of positive numbers in fixed logarithmic bins: a law in constant memory."""

from dataclasses import dataclass, field

import numpy as np

from finitewidth._shapes import Float, Int


@dataclass(eq=False)
class LogHistogram:
    """Counts of positive numbers by log2; those equal to the smallest there is, apart.

    The bins are fixed (bin k holds 2^(k/m) … 2^((k+1)/m) with m of them an octave, m a power of
    two), so histograms of parts of a sample add up exactly.

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
        """The counts of both, in the wider of their bins."""
        bins = min(self.bins_per_octave, later.bins_per_octave)
        total = LogHistogram(bins, lowest=self.lowest + later.lowest)
        for one in (self, later):
            if len(one.counts):
                merged = one.bins_per_octave // bins
                first = one.first // merged
                before = one.first % merged
                padded = np.zeros(-(-(before + len(one.counts)) // merged) * merged, dtype=np.int64)
                padded[before : before + len(one.counts)] = one.counts
                total._count(first, padded.reshape(-1, merged).sum(axis=1))
        return total

    def log2_around(self, rank: float) -> tuple[float, float, float]:
        """log2 of the number at a rank (0 … size): its bin's start, interpolated, the bin's end.

        All three are −inf for the lowest.
        """
        below = rank - self.lowest
        if below <= 0 or not len(self.counts):
            return -np.inf, -np.inf, -np.inf
        cumulated = np.cumsum(self.counts)
        place = min(int(np.searchsorted(cumulated, below)), len(self.counts) - 1)
        inside = (below - (cumulated[place] - self.counts[place])) / self.counts[place]
        start = self.first + place
        low, middle, high = (
            (start + part) / self.bins_per_octave for part in (0, min(inside, 1.0), 1)
        )
        return low, middle, high
