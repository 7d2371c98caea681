"""The exact law beside first order: another theory, which is given as an argument."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from finitewidth._shapes import Float
from finitewidth.network import MLP, Widths


class Moments(Protocol):
    """What is asked of an exact law at one input."""

    def mean(self) -> float:
        """E Θ."""
        ...

    def dispersion(self) -> float:
        """E Θ²/(E Θ)²."""
        ...

    def update_mean(self, learning_rate: float) -> float:
        """E ΔΘ of one step with the activation pattern frozen."""
        ...


ExactLaw = Callable[[MLP, Float[np.ndarray, " n_in"]], Moments]
"""Network and input to its law, with a ValueError where there is none: `fw.KernelLaw`."""


@dataclass(frozen=True)
class Exact:
    """The exact law at one input.

    Attributes
    ----------
    mean, relative_variance, step : float
        E Θ, Var Θ/(E Θ)², and E ΔΘ of one step with the activation pattern frozen.
    """

    mean: float
    relative_variance: float
    step: float


def exact_numbers(
    exact: ExactLaw, net: MLP, x: Float[np.ndarray, " n_in"], learning_rate: float
) -> Exact | None:
    """Those of the network, or None where there is no exact law."""
    try:
        law = exact(net, x)
        return Exact(law.mean(), law.dispersion() - 1, law.update_mean(learning_rate))
    except ValueError:
        return None


def exact_variances(
    exact: ExactLaw, net: MLP, x: Float[np.ndarray, " n_in"], most: int
) -> Iterator[float]:
    """Var Θ/Θ² with 1, 2, … `most` hidden layers of this width, as far as the law reaches."""
    try:
        for count in range(1, most + 1):
            deep = replace(net, widths=Widths([(net.runs[0][0], count)]))
            yield exact(deep, x).dispersion() - 1
    except ValueError:
        return
