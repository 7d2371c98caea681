"""Quantiles of the kernel at initialisation, sampled from its exact law."""

from collections.abc import Sequence

import numpy as np

from finitewidth._shapes import Float
from finitewidth.law.kernel_law import KernelLaw
from finitewidth.law.sampler.quantile import Quantile, from_sorted
from finitewidth.network import MLP

SIZE = 2**17
"""Networks that are drawn: quantiles to 0.5 %."""


def start_quantiles(net: MLP, x: Float[np.ndarray, " n_in"], levels: Sequence[float]) -> Quantile:
    """Quantiles of K(x, x) with their errors, as `finitewidth.simulate.along_line` takes them.

    Parameters
    ----------
    net : MLP
    x : array [n_in]
    levels : sequence of float
        Strictly between 0 and 1.

    Raises
    ------
    ValueError
        Where there is no exact law of this network to draw from.
    """
    drawn = KernelLaw(net, x).sample(SIZE, seed=0)
    return from_sorted(np.sort(drawn.kernel), np.array(levels))
