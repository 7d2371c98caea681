"""The numbers of an expansion's overview: mean, spread and first step of one mean kernel."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from finitewidth.expansion.critical import Criticality
from finitewidth.expansion.depth import (
    SEARCHED,
    TRUSTED,
    Trust,
    diagonal_share,
    inner_scale,
    susceptibilities,
    trusted_depth,
)
from finitewidth.expansion.first_order import Expansion, Share, kernel
from finitewidth.expansion.overview.exact import Exact, ExactLaw, exact_numbers
from finitewidth.network import MLP

AGREES = 1e-6

ROUNDING = 1e-13
"""Relative shifts below this are 0."""


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
    law : callable, optional
        The exact law at one input, as of `ExactLaw`.
    """

    net: MLP
    X: np.ndarray
    critical: Criticality
    asked: float | None
    law: ExactLaw | None = None

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
        return diagonal_mean(self.expansion.infinite)

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

    @property
    def name(self) -> str:
        """Of the kernel that is told: Θ, or T of several inputs."""
        return "Θ" if self.single else "T"

    @cached_property
    def relative_change(self) -> float:
        """E ΔT/T of one step."""
        return diagonal_mean(self.change) / self.tangent

    @property
    def holds(self) -> bool:
        """Whether first order is trustworthy."""
        return self.relative_variance <= TRUSTED

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
            self.rate * diagonal_mean(one.change @ loss) / self.tangent,
        )

    def _relative(self, correction: np.ndarray) -> float:
        found = diagonal_mean(correction) / self.tangent
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
        if not self.single or self.law is None:
            return None
        return exact_numbers(self.law, self.net, self.X[0], self.rate)

    @cached_property
    def susceptibilities(self) -> dict[int, tuple[float, float]]:
        """(χ_∥, χ_⊥) at the mean K of the first and the last hidden layer."""
        hidden = self.expansion.limits[:-1]
        return {
            limit.scale.index: susceptibilities(self.net, diagonal_mean(limit.kernel))
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
        return trusted_depth(self.net, self.noisiest) if len(self.net.runs) == 1 else None


def diagonal_mean(matrix: np.ndarray) -> float:
    """T of a kernel [B, B]."""
    return float(np.diagonal(matrix).mean())
