"""Closed averages of σ(t) = t (t > 0), a t (t < 0): ReLU, leaky ReLU, |t|, identity.

With J = (1 − a)², u = K_aa, v = K_bb, r = K_ab, q = √(uv − r²), c = π − arccos(r/√(uv)) the
arc-cosine kernel is ⟨σσ⟩ = a r + J (q + r c)/2π (Cho & Saul 2009), and every other pair average
is a derivative of it with respect to u, v, r.
"""

from dataclasses import dataclass
from math import pi

import numpy as np

from finitewidth._shapes import Float
from finitewidth.expansion.gaussian import signs
from finitewidth.expansion.gaussian.averages import Pairs, Quadruples
from finitewidth.expansion.gaussian.fill import assemble

# Shares of √(uv) below which q counts as 0, by the power of 1/q in an average. The tensors they
# are contracted with are nearly parallel too: the whole is of order q and is lost in rounding,
# 1e-16/q² where 1/q stands on both sides and 1e-16/q³, below these bounds. The error that they
# leave is 1e-5 of a fluctuation at most, and there only.
PARALLEL = {0: 1e-7, 1: 5e-6, 3: 5e-4}


@dataclass(frozen=True)
class Kinked:
    """Averages of the 1-homogeneous family.

    Parallel pre-activations (q = 0) stay parallel in the direction of their fluctuations, so
    that the derivatives that diverge with 1/q add up to nothing and are left out. Antiparallel
    ones occur in the first hidden layer alone, whose input does not fluctuate: there the
    derivatives multiply 0.

    Attributes
    ----------
    slope : float
        a.
    slope_at_zero : float
        σ'(0), for inputs whose pre-activations are exactly 0.
    nodes : int
        Of the one integral that is not closed, E sgn sgn sgn sgn.
    """

    slope: float
    slope_at_zero: float
    nodes: int = 64

    def pairs(
        self, covariance: Float[np.ndarray, "B B"], orders: tuple[tuple[int, int], ...]
    ) -> Pairs:
        """Closed forms; see `Pairs` for the meaning of the derivatives."""
        a, jump = self.slope, (1 - self.slope) ** 2 / (2 * pi)
        variance = np.diagonal(covariance)
        zero = variance == 0
        scale = np.sqrt(np.outer(variance, variance))
        null = scale == 0
        safe = np.where(null, 1.0, scale)
        rho = np.clip(covariance / safe, -1.0, 1.0)
        sine = np.sqrt((1 - rho) * (1 + rho))
        near = {power: sine < bound for power, bound in PARALLEL.items()}
        flat = near[0] | null
        np.fill_diagonal(flat, True)
        # Within the tolerance of parallel, the closed forms themselves take their limits.
        rho = np.where(flat, np.sign(rho), rho)
        sine = np.where(flat, 0.0, sine)
        angle = pi - np.arctan2(sine, rho)
        divisor = np.where(flat, 1.0, sine)
        length = np.sqrt(np.where(zero, 1.0, variance))
        table = {}
        for p, q in orders:
            if (p, q) == (0, 0):
                found = np.where(null, 0.0, a * rho + jump * (sine + rho * angle))
            elif (p, q) == (1, 1):
                mean = np.where(zero, self.slope_at_zero, (1 + a) / 2)
                found = np.where(null, np.outer(mean, mean), a + jump * angle)
            elif (p, q) == (2, 0):
                found = np.where(flat, 0.0, jump * sine)
            else:
                power = 3 if p + q == 6 else 1
                found = np.where(
                    flat | near[power], 0.0, jump * self._singular((p, q), rho, divisor)
                )
            # σ^(p) is homogeneous of degree 1 − p: powers of K would leave float64 before it does.
            table[p, q] = found * np.outer(length ** (1 - p), length ** (1 - q))
        return Pairs(table, almost_sure=True)

    @staticmethod
    def _singular(order: tuple[int, int], r: np.ndarray, q: np.ndarray) -> np.ndarray:
        """The derivatives with 1/q in them at u = v = 1, in units of J/2π."""
        if order == (2, 2):
            return 1 / q
        if order == (3, 1):
            return -r / q
        if order == (4, 0):
            return 1 / q - 2 * q
        if order == (3, 3):
            return r / q**3
        if order == (4, 2):
            return -1 / q**3
        return 2 * r / q + r / q**3  # (5, 1)

    def quadruples(self, covariance: Float[np.ndarray, "B B"]) -> Quadruples:
        """Those of unit variances, by homogeneity."""
        length = np.sqrt(np.diagonal(covariance))
        safe = np.where(length > 0, length, 1.0)
        correlation = covariance / np.outer(safe, safe)
        np.fill_diagonal(correlation, length > 0)
        unit = self._of_correlations(correlation)
        two = np.multiply.outer(length, length)
        return Quadruples(
            unit.values * np.multiply.outer(two, two),
            unit.mixed * two[:, :, None, None],
            unit.slopes,
            unit.curved,
        )

    def _of_correlations(self, covariance: Float[np.ndarray, "B B"]) -> Quadruples:
        """Through σ = p t + m |t| and σ' = p + m sgn t, by `signs.Moments`."""
        variance = np.diagonal(covariance)
        moments = signs.Moments(covariance, self.nodes)
        size = len(covariance)
        # Coefficients of the parts t, |t| of σ and 1, sgn of σ', by order, part and input.
        usual = np.array([(1 + self.slope) / 2, (1 - self.slope) / 2])
        parts = np.broadcast_to(usual[None, :, None], (2, 2, size)).copy()
        parts[:, :, variance == 0] = np.array([[0.0, 0.0], [self.slope_at_zero, 0.0]])[..., None]

        def product(index: np.ndarray, orders: tuple[int, ...]) -> np.ndarray:
            """⟨Π σ^(order)⟩ for the rows of `index`, of shape [Q, 4]."""
            total = np.zeros(len(index))
            if 2 in orders:
                return total
            one = (index == index[:, :1]).all(axis=1)
            total[one] = self._one_input(variance[index[one, 0]], sum(orders))
            rows = index[~one]
            if not len(rows):
                return total
            powers = tuple(1 - order for order in orders)
            several = np.zeros(len(rows))
            for choice in np.ndindex(2, 2, 2, 2):
                factor = np.ones(len(rows))
                for slot, (order, part) in enumerate(zip(orders, choice, strict=True)):
                    factor = factor * parts[order, part, rows[:, slot]]
                if (sum(powers) + sum(choice)) % 2 == 0 and factor.any():
                    several += factor * moments.product(rows, powers, choice)
            total[~one] = several
            return total

        return assemble(size, product)

    def _one_input(self, variance: Float[np.ndarray, "Q"], slopes: int) -> Float[np.ndarray, "Q"]:
        """⟨σ^(4−m) σ'^m⟩ = (1 + a⁴)/2 · E z^(4−m) for m = 0, 2, 4."""
        found = (1 + self.slope**4) / 2 * {0: 3 * variance**2, 2: variance, 4: variance**0}[slopes]
        at_zero = self.slope_at_zero**4 if slopes == 4 else 0.0
        return np.where(variance == 0, at_zero, found)
