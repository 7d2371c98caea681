"""The mean change of K of one step, by crossings and with the pattern frozen, on drawn networks."""

import numpy as np

from finitewidth._shapes import Float
from finitewidth.estimate import Estimate
from finitewidth.network import MLP
from finitewidth.simulate.chooser import first_step


def step_means(
    net: MLP,
    x: Float[np.ndarray, " n_in"],
    target: float,
    learning_rate: float,
    size: int,
    seed: int = 0,
) -> tuple[Estimate, Estimate]:
    """Mean change of K(x, x) per unit of learning rate in steps of `size` dense networks.

    What `KernelLaw.step(..., simulated=fw.simulate.step_means)` draws its points with.

    Parameters
    ----------
    net : MLP
        Of a piecewise-linear activation.
    x : array of shape [n_in]
        The input, the only one that is trained on.
    target, learning_rate : float
        t and λ of the step on ½(N − t)².
    size, seed : int
        Networks, 2 or more, and their seed.

    Returns
    -------
    (Estimate, Estimate)
        By crossings: the real step less the one with the activation pattern frozen, on the same
        networks. And the frozen one, to first order in the learning rate.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As `first_step`.
    """
    real, kept = (
        first_step(net, x, target, learning_rate, size=size, seed=seed, pattern=pattern)
        for pattern in ("real", "frozen")
    )
    crossing, frozen = (
        np.ravel(change) / learning_rate for change in (real.after - kept.after, real.first_order)
    )
    return _mean(crossing), _mean(frozen)


def _mean(values: Float[np.ndarray, " size"]) -> Estimate:
    error = float(values.std(ddof=1)) / len(values) ** 0.5
    return Estimate(float(values.mean()), error, len(values), "dense")
