"""What the recursions ask of an activation: averages over pairs and quadruples of inputs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from finitewidth._shapes import Float

# Orders (p, q), p ≥ q, of the averages ⟨σ^(p)(z_a) σ^(q)(z_b)⟩ in the recursions; those with
# p < q are transposes. The first line is all that the infinite width needs.
INFINITE = ((0, 0), (1, 1))
ORDERS = (*INFINITE, (2, 0), (2, 2), (3, 1), (4, 0), (3, 3), (4, 2), (5, 1))
HIGHEST = 5


@dataclass(frozen=True, eq=False)
class Pairs:
    """⟨σ^(p)(z_a) σ^(q)(z_b)⟩ over (z_a, z_b) ~ N(0, K), for all pairs of inputs.

    For a kinked σ the derivatives are distributional, that is they are derivatives of ⟨σσ⟩ with
    respect to K: ⟨σ^(p+2)_a σ^(q)_b⟩ = 2 ∂/∂K_aa and ⟨σ^(p+1)_a σ^(q+1)_b⟩ = ∂/∂K_ab of
    ⟨σ^(p)_a σ^(q)_b⟩ (guide, "The 1/n expansion"). On the diagonal only the sums over all ways to
    differentiate ⟨σ²⟩ or ⟨σ'²⟩ have a meaning, and they are what the entries add up to.

    Attributes
    ----------
    table : mapping
        (p, q) with p ≥ q -> array of shape [B, B].
    almost_sure : bool
        Whether an explicit σ'' of the recursions is read almost everywhere: 0 for kinked σ.
    """

    table: Mapping[tuple[int, int], np.ndarray]
    almost_sure: bool

    def order(self, p: int, q: int) -> Float[np.ndarray, "B B"]:
        """⟨σ^(p)(z_a) σ^(q)(z_b)⟩."""
        return self.table[p, q] if p >= q else self.table[q, p].T

    def explicit(self, p: int, q: int) -> Float[np.ndarray, "B B"]:
        """The same where the recursion writes σ'' itself, not a derivative of an average."""
        found = self.order(p, q)
        return np.zeros_like(found) if self.almost_sure else found


@dataclass(frozen=True, eq=False)
class Quadruples:
    """Averages over four inputs.

    Attributes
    ----------
    values : array of shape [B, B, B, B]
        S4_abcd = ⟨σ_a σ_b σ_c σ_d⟩.
    mixed : array of shape [B, B, B, B]
        S22_abcd = ⟨σ_a σ_b σ'_c σ'_d⟩.
    slopes : array of shape [B, B, B, B]
        T4_abcd = ⟨σ'_a σ'_b σ'_c σ'_d⟩.
    curved : array of shape [B, B, B, B]
        U_abcd = ⟨σ''_a σ'_b σ'_c σ_d⟩, with σ'' almost everywhere.
    """

    values: Float[np.ndarray, "B B B B"]
    mixed: Float[np.ndarray, "B B B B"]
    slopes: Float[np.ndarray, "B B B B"]
    curved: Float[np.ndarray, "B B B B"]


@runtime_checkable
class Averages(Protocol):
    """An activation's averages over z ~ N(0, K)."""

    def pairs(
        self, covariance: Float[np.ndarray, "B B"], orders: tuple[tuple[int, int], ...]
    ) -> Pairs:
        """The averages of the given orders over all pairs of inputs."""
        ...

    def quadruples(self, covariance: Float[np.ndarray, "B B"]) -> Quadruples:
        """The averages over all quadruples of inputs."""
        ...
