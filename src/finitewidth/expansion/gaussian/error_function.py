"""Closed averages of σ = erf: an error function is the mean sign of a variable with noise.

erf(z) = E_ξ sgn(z + ξ/√2), so that averages of erf at K are averages of signs, and those of its
derivative of 2δ, at K with ½ added to the variance of every factor (Williams 1997 for pairs).
"""

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np

from finitewidth._shapes import Float
from finitewidth.expansion.gaussian import signs
from finitewidth.expansion.gaussian.averages import Pairs, Quadruples
from finitewidth.expansion.gaussian.fill import assemble


@dataclass(frozen=True)
class ErrorFunction:
    """Averages of erf.

    Attributes
    ----------
    nodes : int
        Of the one integral that is not closed, E sgn sgn sgn sgn.
    """

    nodes: int = 64

    def pairs(
        self, covariance: Float[np.ndarray, "B B"], orders: tuple[tuple[int, int], ...]
    ) -> Pairs:
        """⟨erf erf⟩ = (2/π) arcsin(r/√(uv)), u = K_aa + ½, v = K_bb + ½, and its derivatives."""
        r = covariance
        variance = np.diagonal(covariance) + 0.5
        u, v = variance[:, None], variance[None, :]
        # uv − r², with the part that cancels for parallel inputs apart.
        plain = np.maximum((u - 0.5) * (v - 0.5) - r**2, 0.0)
        q = np.sqrt(plain + (u + v) / 2 - 0.25)
        closed = {
            (0, 0): lambda: np.arctan2(r, q),
            (1, 1): lambda: 1 / q,
            (2, 0): lambda: -r / (u * q),
            (2, 2): lambda: r / q**3,
            (3, 1): lambda: -v / q**3,
            (4, 0): lambda: 2 * r / (u**2 * q) + r * v / (u * q**3),
            (3, 3): lambda: 1 / q**3 + 3 * r**2 / q**5,
            (4, 2): lambda: -3 * r * v / q**5,
            (5, 1): lambda: 3 * v**2 / q**5,
        }
        table = {order: 2 / pi * closed[order]() for order in orders}
        return Pairs(table, almost_sure=False)

    def quadruples(self, covariance: Float[np.ndarray, "B B"]) -> Quadruples:
        """Signs and deltas of four variables whose noises are independent."""

        def product(index: np.ndarray, orders: tuple[int, ...]) -> np.ndarray:
            # Deltas first: conditioning on them leaves the signs.
            slots = sorted(range(4), key=lambda slot: -orders[slot])
            chosen = index[:, slots]
            sigma = covariance[chosen[:, :, None], chosen[:, None, :]] + 0.5 * np.eye(4)
            factor = np.linalg.cholesky(sigma)
            count = sum(order > 0 for order in orders)
            # The density of the deltas at 0, times 2 for each of them.
            roots = np.prod(np.diagonal(factor, axis1=1, axis2=2)[:, :count], axis=1)
            weight = (2 / sqrt(2 * pi)) ** count / roots
            if count == 0:
                return signs.four_signs(factor, self.nodes)
            if count == 2:
                first, second = factor[:, 2, 2:], factor[:, 3, 2:]
                return weight * 2 / pi * signs.arcsine(first, second)
            if count == 4:
                return weight
            # 2δ' at the first slot: minus the slope of E sgn z_d along it, the others at 0.
            slope = np.linalg.solve(sigma[:, :3, :3], sigma[:, :3, 3, None])[:, 0, 0]
            return -weight * sqrt(2 / pi) * slope / factor[:, 3, 3]

        return assemble(len(covariance), product)
