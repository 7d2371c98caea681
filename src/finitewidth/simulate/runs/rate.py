"""The learning rate of a run that was not given one."""

from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike

from finitewidth.network import MLP
from finitewidth.simulate.training.train import train

SHARE = 0.99
"""Share of the networks whose kernels the learning rate is chosen for: kernels have heavy tails,
and a step that suits the mean makes the largest diverge."""


def default_rate(
    net: MLP,
    X: ArrayLike | Any,
    y: ArrayLike | Any,
    size: SupportsIndex = 1,
    seed: SupportsIndex = 0,
    method: str = "auto",
) -> float:
    """½ over the largest eigenvalue of the kernel at the start, that of 99 % of the networks.

    Gradient flow on ½ Σ (N − y)² with a constant kernel decays at its eigenvalues; steps above 2
    over the largest one diverge.

    Parameters
    ----------
    net, X, y, size, seed, method
        As in `train`; with the same seed the networks are those it starts from.

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As `train`.
    """
    start = train(net, X, y, 1.0, 0, size, seed, method, record=("kernels",)).kernels[:, 0]
    return 0.5 / float(np.quantile(np.linalg.eigvalsh(start)[:, -1], SHARE))


def in_words(size: int) -> str:
    """The rule, for the networks of a run."""
    who = "" if size == 1 else f" of {100 * SHARE:g} % of the networks"
    return f"½ over the largest eigenvalue of the kernel at step 0{who}"
