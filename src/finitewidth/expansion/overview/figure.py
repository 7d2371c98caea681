"""The figure of an expansion: the variance over seeds against the depth."""

import numpy as np

from finitewidth.expansion.depth import SEARCHED, TRUSTED, variance_by_depth
from finitewidth.expansion.overview.exact import exact_variances
from finitewidth.expansion.overview.numbers import Numbers
from finitewidth.network.words import in_words
from finitewidth.report import Curve, Plot

LEAST = 20


def depth_plot(numbers: Numbers) -> Plot:
    """Var Θ/Θ² of networks of this width with more and with fewer hidden layers.

    Parameters
    ----------
    numbers : Numbers
        Of a network of one hidden width; at several inputs, the one whose kernel varies most is
        drawn.
    """
    net, x = numbers.net, numbers.noisiest
    layers = min(max(2 * len(net.widths), LEAST), SEARCHED)
    first = []
    try:
        for value in variance_by_depth(net, x, layers):
            first.append(value)
    except RuntimeError:  # the kernel leaves the range of float64: what is known is drawn
        if not first:
            raise
    depth = np.arange(1.0, len(first) + 1)
    series = [Curve("first order in 1/n", depth, first)]
    law = numbers.law
    exact = [] if law is None else list(exact_variances(law, net, x, len(first)))
    if exact:
        series.append(Curve("exact law", depth[: len(exact)], exact))
    series.append(Curve("trusted below", depth[[0, -1]], [TRUSTED, TRUSTED]))
    here = len(net.widths)
    if here <= len(first):
        series.append(Curve("this network", [here], [first[here - 1]], marked=True))
    return Plot(
        title="Spread of the kernel over seeds against the depth",
        sentence=f"Networks of the width and input of {in_words(net)}, with other depths.",
        x_label="hidden layers L",
        y_label="Var Θ / Θ²",
        series=series,
        from_zero=True,
        x_ticks=[float(n) for n in range(0, len(first) + 1, max(1, len(first) // 5))],
    )
