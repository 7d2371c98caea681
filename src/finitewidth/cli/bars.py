"""A histogram for the terminal."""

from math import exp, log

import numpy as np

from finitewidth.statistics.log_histogram import LogHistogram

EIGHTHS = " ▏▎▍▌▋▊▉"


def coarse(histogram: LogHistogram, bins: int, tail: float = 1e-3) -> tuple[np.ndarray, np.ndarray]:
    """Edges (natural log of K) and counts of a few equal bins that hold all but the tails.

    Parameters
    ----------
    histogram : LogHistogram
    bins : int
        At most so many bins.
    tail : float
        Fraction of living networks left out on either side.
    """
    cumulated = np.cumsum(histogram.counts)
    low, high = np.searchsorted(cumulated, [tail * cumulated[-1], (1 - tail) * cumulated[-1]])
    width = max(1, -(-(int(high) + 1 - int(low)) // bins))
    count = -(-(int(high) + 1 - int(low)) // width)
    cut = np.zeros(count * width, dtype=np.int64)
    inside = histogram.counts[int(low) : int(low) + len(cut)]
    cut[: len(inside)] = inside
    edges = (
        (histogram.first + int(low) + width * np.arange(count + 1))
        / histogram.bins_per_octave
        * log(2.0)
    )
    return edges, cut.reshape(count, width).sum(axis=1)


def lines(histogram: LogHistogram, width: int, bins: int = 20) -> list[str]:
    """Lines of a histogram of K on a logarithmic axis, `width` characters wide."""
    if not len(histogram.counts):
        return ["every network has a dead layer"]
    edges, counts = coarse(histogram, bins)
    room = max(width - 30, 10)
    found = []
    for left, right, count in zip(edges[:-1], edges[1:], counts, strict=True):
        eighths = round(8 * room * count / counts.max())
        bar = "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()
        share = 100 * count / histogram.size
        found.append(f"{_shown(left):>9} – {_shown(right):<9} {share:5.2f} % {bar}")
    return found


def _shown(log_value: float) -> str:
    return f"{exp(log_value):.4g}" if abs(log_value) < 20 else f"e^{log_value:.2f}"
