"""The figure of a sample: the density of ln K."""

from collections.abc import Mapping
from math import pi, sqrt

import numpy as np

from finitewidth.report import Curve, Plot, Points, Steps
from finitewidth.statistics.ordered import Ordered


def density(
    ordered: Ordered,
    normal: tuple[float, float],
    marks: Mapping[str, float],
    sentence: str,
) -> Plot:
    """The density of ln K, a normal law of given mean and variance, and vertical lines.

    Parameters
    ----------
    ordered : Ordered
    normal : (float, float)
        Mean and variance; a variance of 0 has no curve.
    marks : mapping
        Places of the vertical lines by their labels.
    sentence : str
        What stands below the figure.
    """
    edges, counts = ordered.coarse(80)
    heights = counts / (ordered.size * np.diff(edges))
    top = 1.1 * float(heights.max())
    middle, variance = normal
    series: list[Steps | Curve | Points] = [
        Steps("density of the sampled law", edges, heights),
        _with_errors(ordered),
    ]
    if variance > 0:
        grid = np.linspace(edges[0], edges[-1], 300)
        curve = np.exp(-((grid - middle) ** 2) / (2 * variance)) / sqrt(2 * pi * variance)
        series.append(Curve("log-normal with the exact mean and dispersion", grid, curve))
    for label, place in marks.items():
        if edges[0] <= place <= edges[-1]:
            series.append(Curve(label, [place, place], [0.0, top]))
    return Plot(
        title="The law of K over random initialisations",
        sentence=sentence,
        x_label="ln K(x, x)",
        y_label="density",
        series=series,
    )


def _with_errors(ordered: Ordered) -> Points:
    """The density in a few wide bins, with the binomial standard errors of their counts."""
    edges, counts = ordered.coarse(16)
    size, width = ordered.size, np.diff(edges)
    share = counts / size
    errors = np.sqrt(share * (1 - share) / size) / width
    middle = (edges[:-1] + edges[1:]) / 2
    return Points("the same in wide bins, one standard error", middle, share / width, errors)
