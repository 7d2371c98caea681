"""Closed averages of σ = sin: products of sines of Gaussian variables are exponentials."""

from dataclasses import dataclass
from itertools import product
from math import cos, pi

import numpy as np

from finitewidth._shapes import Float
from finitewidth.expansion.gaussian.averages import Pairs, Quadruples
from finitewidth.expansion.gaussian.fill import PATTERNS


@dataclass(frozen=True)
class Sine:
    """E Π_i sin(z_i + φ_i) = 2^(−m) Σ_ε Π ε_i Re(i^(−m) e^(iΣε_iφ_i)) e^(−½ εᵀKε), ε_i = ±1.

    The p-th derivative is φ = pπ/2.
    """

    def pairs(
        self, covariance: Float[np.ndarray, "B B"], orders: tuple[tuple[int, int], ...]
    ) -> Pairs:
        """½ [cos(φ_a − φ_b) e^(−½Var(z_a−z_b)) − cos(φ_a + φ_b) e^(−½Var(z_a+z_b))]."""
        variance = np.diagonal(covariance)
        total = variance[:, None] + variance[None, :]
        apart = np.exp(-0.5 * np.maximum(total - 2 * covariance, 0.0))
        along = np.exp(-0.5 * np.maximum(total + 2 * covariance, 0.0))
        table = {
            (p, q): 0.5 * (cos((p - q) * pi / 2) * apart - cos((p + q) * pi / 2) * along)
            for p, q in orders
        }
        return Pairs(table, almost_sure=False)

    def quadruples(self, covariance: Float[np.ndarray, "B B"]) -> Quadruples:
        """The same sum with four factors, for all inputs at once."""
        size = len(covariance)
        variance = np.diagonal(covariance)
        shapes = [tuple(size if k == i else 1 for k in range(4)) for i in range(4)]
        squares = [variance.reshape(shape) for shape in shapes]
        found = {name: np.zeros((size,) * 4) for name in PATTERNS}
        for rest in product((1, -1), repeat=3):  # ε and −ε give the same term
            signs = (1, *rest)
            exponent = sum(squares)
            for i in range(4):
                for j in range(i + 1, 4):
                    shape = tuple(size if k in (i, j) else 1 for k in range(4))
                    exponent = exponent + 2 * signs[i] * signs[j] * covariance.reshape(shape)
            term = np.exp(-0.5 * np.maximum(exponent, 0.0)) * (np.prod(signs) / 8)
            for name, orders in PATTERNS.items():
                phase = sum(e * p for e, p in zip(signs, orders, strict=True)) % 4
                found[name] += (1, 0, -1, 0)[phase] * term
        return Quadruples(**found)
