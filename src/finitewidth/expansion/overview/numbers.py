"""The numbers of `finitewidth expansion`."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from finitewidth.expansion import Criticality, Expansion, kernel
from finitewidth.expansion.depth import (
    diagonal_share,
    inner_scale,
    susceptibilities,
    variance_by_depth,
)
from finitewidth.expansion.first_order import Share
from finitewidth.law import KernelLaw
from finitewidth.network import MLP

TRUSTED = 0.1
"""First order is called trustworthy while its Var Θ/Θ² is at most this."""

SEARCHED = 1000
"""Hidden layers that are tried for it, and that contributions by layer are computed for."""

AGREES = 1e-6

ROUNDING = 1e-13
"""Relative shifts below this are 0."""


@dataclass(frozen=True)
class Exact:
    """The exact law at one input of a 1-homogeneous network.

    Attributes
    ----------
    mean, relative_variance, step : float
        E Θ, Var Θ/(E Θ)², and E ΔΘ of one step with the activation pattern frozen.
    """

    mean: float
    relative_variance: float
    step: float


@dataclass(frozen=True)
class Trust:
    """How deep the network may be.

    Attributes
    ----------
    layers : int
        Hidden layers with Var Θ/Θ² of at most `TRUSTED`.
    end : str
        ``"variance"``: the next one is beyond it; ``"searched"``: `SEARCHED` are not;
        ``"range"``: the kernel leaves the range of float64 in the next one.
    """

    layers: int
    end: str


@dataclass(frozen=True, eq=False)
class Numbers:
    """Everything that is shown, computed when it is asked for.

    T is the mean of the kernel's diagonal, at one input Θ itself.

    Attributes
    ----------
    net : MLP
    X : array [B, n_in]
    critical : Criticality
        Of the activation.
    asked : float or None
        The learning rate, if it was given.
    """

    net: MLP
    X: np.ndarray
    critical: Criticality
    asked: float | None

    @cached_property
    def expansion(self) -> Expansion:
        """The kernel at first order."""
        return kernel(self.net, self.X)

    @property
    def single(self) -> bool:
        """Whether there is one input."""
        return len(self.X) == 1

    @cached_property
    def rate(self) -> float:
        """η."""
        if self.asked is not None:
            return self.asked
        return 0.5 / float(np.linalg.eigvalsh(self.expansion.infinite)[-1])

    @property
    def is_critical(self) -> bool:
        """Whether the hidden layers' gains are the critical ones."""
        gain, biases = self.critical.hidden_gain, self.critical.bias_variance
        if gain is None or biases is None:
            return False
        given = inner_scale(self.net).gain
        close = abs(given - gain) <= AGREES * gain
        return close and abs(self.net.bias_variance - biases) <= AGREES * max(biases, 1.0)

    @cached_property
    def tangent(self) -> float:
        """T at infinite width."""
        return _diagonal(self.expansion.infinite)

    @cached_property
    def shift(self) -> float:
        """E T minus that, relative, at first order."""
        return self._relative(self.expansion.correction)

    @cached_property
    def relative_variance(self) -> float:
        """Var T/T² at first order."""
        return diagonal_share(self.expansion.covariance, self.expansion.infinite)

    @cached_property
    def change(self) -> np.ndarray:
        """E ΔΘ of one step, [B, B]."""
        return self.expansion.first_step(np.zeros(len(self.X)), self.rate)

    @cached_property
    def shares(self) -> tuple[Share, ...]:
        """The contribution of each hidden layer, or none of very deep networks."""
        return self.expansion.layers if self.net.depth - 1 <= SEARCHED else ()

    def share(self, one: Share) -> tuple[float, float, float]:
        """What a layer adds to the shift, to Var T/T² and to E ΔT/T."""
        loss = np.ones(len(self.X))
        return (
            self._relative(one.correction),
            diagonal_share(one.covariance, self.expansion.infinite),
            self.rate * _diagonal(one.change @ loss) / self.tangent,
        )

    def _relative(self, correction: np.ndarray) -> float:
        found = _diagonal(correction) / self.tangent
        return found if abs(found) > ROUNDING else 0.0

    @cached_property
    def quadrature_error(self) -> dict[str, float]:
        """Largest error of an entry, of Θ, its shift, its covariance and its step, over Θ or Θ²."""
        errors = self.expansion.quadrature_error
        return {
            "Θ": errors["infinite"] / self.tangent,
            "shift": errors["correction"] / self.tangent,
            "covariance": errors["covariance"] / self.tangent**2,
            "step": abs(self.rate) * len(self.X) * errors["first_step"] / self.tangent,
        }

    @cached_property
    def exact(self) -> Exact | None:
        """The exact law beside first order, where there is one."""
        if not self.single or self.net.act.slope is None:
            return None
        try:
            law = KernelLaw(self.net, self.X[0])
            return Exact(law.mean(), law.dispersion() - 1, law.update_mean(self.rate))
        except ValueError:
            return None

    @cached_property
    def susceptibilities(self) -> dict[int, tuple[float, float]]:
        """(χ_∥, χ_⊥) at the mean K of the first and the last hidden layer."""
        hidden = self.expansion.limits[:-1]
        return {
            limit.scale.index: susceptibilities(self.net, _diagonal(limit.kernel))
            for limit in (hidden[0], hidden[-1])
        }

    @cached_property
    def noisiest(self) -> np.ndarray:
        """The input whose kernel varies most over seeds, relative to its mean."""
        spread = np.diagonal(self.expansion.variance) / np.diagonal(self.expansion.infinite) ** 2
        return self.X[int(np.argmax(spread))]

    @cached_property
    def trust(self) -> Trust | None:
        """How many hidden layers of this width are trustworthy; None for unequal widths."""
        if len(self.net.runs) > 1:
            return None
        layers = 0
        try:
            for value in variance_by_depth(self.net, self.noisiest, SEARCHED):
                if value > TRUSTED:
                    return Trust(layers, "variance")
                layers += 1
        except RuntimeError:
            return Trust(layers, "range")
        return Trust(layers, "searched")


def _diagonal(matrix: np.ndarray) -> float:
    return float(np.diagonal(matrix).mean())
