"""`CrossingTerm` and `StepVariance`: estimates with their parts named."""

from dataclasses import dataclass, field

import numpy as np

from finitewidth._shapes import Float
from finitewidth.estimate import Estimate


@dataclass(frozen=True)
class CrossingTerm(Estimate):
    """The mean change of K by the neurons that one step carries across zero.

    Attributes
    ----------
    layers : array [L]
        The hidden layers' contributions, which sum to `value`.
    largest_rate : float
        Up to this learning rate the term is linear in it to about a tenth; inf where it is 0.
    """

    layers: Float[np.ndarray, " L"] = field(default_factory=lambda: np.zeros(0))
    largest_rate: float = float("inf")

    def with_frozen(self, frozen: float) -> Estimate:
        """E ΔK of the real step, given the exact mean with the pattern frozen."""
        method = f"exact frozen mean + {self.method}"
        value = float(self.value) + frozen
        return Estimate(
            value, self.std_error, self.size, method, self.exact, self.trusted, self.note
        )


@dataclass(frozen=True)
class StepVariance(Estimate):
    """Var ΔK of one real step over seeds, as the sum of four parts.

    Attributes
    ----------
    jumps : float
        Noise of the rare single crossings; proportional to the learning rate.
    drift : float
        The spread of the mean of all crossings, which goes with the size of the error N − t.
    frozen : float
        Var ΔK with the activation pattern frozen (`KernelLaw.update_variance`).
    shared : float
        Twice the covariance of drift and frozen change; the last three go with the square of the
        learning rate.
    """

    jumps: float = 0.0
    drift: float = 0.0
    frozen: float = 0.0
    shared: float = 0.0
