"""Integer counts of positive numbers in fixed logarithmic bins, and quantiles from them."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from finitewidth._shapes import Float, Int

BINS_PER_OCTAVE = 64
"""A bin spans a factor 2^(1/64): 1.1 %; quantiles are interpolated within one."""


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts by log2, those of 0 apart. Bin k holds 2^(k/64) … 2^((k+1)/64).

    Attributes
    ----------
    first : int
        The bin of the first count.
    counts : array of int [bins]
    zeros : int
        How many numbers are 0.
    """

    first: int
    counts: Int[np.ndarray, " bins"]
    zeros: int

    @classmethod
    def of(cls, log2: Float[np.ndarray, " n"], zeros: int) -> "Histogram":
        """Counts of positive numbers by their log2, and of zeros."""
        if not len(log2):
            return cls(0, np.zeros(0, dtype=np.int64), zeros)
        bins = np.floor(log2 * BINS_PER_OCTAVE).astype(np.int64)
        first = int(bins.min())
        return cls(first, np.bincount(bins - first).astype(np.int64), zeros)

    def __add__(self, later: "Histogram") -> "Histogram":
        parts = [part for part in (self, later) if len(part.counts)]
        zeros = self.zeros + later.zeros
        if not parts:
            return Histogram(0, self.counts, zeros)
        first = min(part.first for part in parts)
        end = max(part.first + len(part.counts) for part in parts)
        counts = np.zeros(end - first, dtype=np.int64)
        for part in parts:
            counts[part.first - first : part.first - first + len(part.counts)] += part.counts
        return Histogram(first, counts, zeros)

    @property
    def size(self) -> int:
        """Numbers counted."""
        return int(self.counts.sum()) + self.zeros

    def at(self, rank: float) -> float:
        """The number at a rank from 0 to size, interpolated in its bin."""
        below = rank - self.zeros
        if below <= 0 or not len(self.counts):
            return 0.0
        cumulated = np.cumsum(self.counts)
        place = min(int(np.searchsorted(cumulated, below)), len(self.counts) - 1)
        inside = (below - cumulated[place] + self.counts[place]) / self.counts[place]
        return float(2.0 ** ((self.first + place + min(inside, 1.0)) / BINS_PER_OCTAVE))

    def quantile(self, level: float) -> tuple[float, float] | None:
        """A quantile and its standard error; None where its interval leaves the sample.

        Notes
        -----
        The number of values below the true quantile q is binomial, so the values at the ranks
        q n ± √(q(1−q) n) enclose it at one standard error, whatever the law. The error is half
        their distance, and at least a bin's width over √12.
        """
        spread = sqrt(level * (1 - level) * self.size)
        low, high = level * self.size - 2 * spread, level * self.size + 2 * spread
        if low < 1 or high > self.size - 1:
            return None
        value = self.at(level * self.size)
        half = (self.at(level * self.size + spread) - self.at(level * self.size - spread)) / 2
        return value, max(half, value * (2.0 ** (1 / BINS_PER_OCTAVE) - 1) / sqrt(12))
