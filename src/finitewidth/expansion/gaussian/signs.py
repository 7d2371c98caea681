"""E Π_i z_i^k_i sgn(z_i)^m_i of four jointly Gaussian variables of any rank.

Integration by parts takes the powers away, E z_i F = Σ_j K_ij E ∂_j F, with ∂ sgn(z_j) = 2δ(z_j):
the delta removes z_j and leaves the others conditioned on z_j = 0. What remains are products of
signs: E sgn sgn = (2/π) arcsin ρ, and for four signs one integral of a smooth function
(Plackett 1954). Variables are vectors in the range of the covariance, so that conditioning is
projection and singular covariances need no limits.
"""

from dataclasses import dataclass, field
from functools import cache
from math import pi, sqrt

import numpy as np

from finitewidth._shapes import Float

RANGE = 1e-13  # eigenvalues of the correlation matrix below this are rounding
VANISHED = 1e-7  # share of a vector's length that is rounding after a projection


def vectors(covariance: Float[np.ndarray, "B B"]) -> Float[np.ndarray, "B rank"]:
    """Vectors whose inner products are the covariance, in its numerical range."""
    size = np.sqrt(np.diagonal(covariance))
    safe = np.where(size > 0, size, 1.0)
    values, basis = np.linalg.eigh(covariance / np.outer(safe, safe))
    kept = values > RANGE * max(values[-1], 0.0)
    rows = basis[:, kept] * np.sqrt(values[kept])
    length = np.linalg.norm(rows, axis=1)
    return rows / np.where(length > 0, length, 1.0)[:, None] * size[:, None]


@cache
def _nodes(count: int) -> tuple[np.ndarray, np.ndarray]:
    points, weights = np.polynomial.legendre.leggauss(count)
    return (points + 1) / 2, weights / 2


def arcsine(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """arcsin of the correlation of two vectors, accurate near ±1; 0 where one has vanished."""
    product = np.einsum("qr,qr->q", first, second)
    square = np.einsum("qr,qr->q", first, first)
    lengths = np.sqrt(square * np.einsum("qr,qr->q", second, second))
    ratio = product / np.where(square > 0, square, 1.0)
    apart = np.linalg.norm(second - ratio[:, None] * first, axis=1) * np.sqrt(square)
    return np.where(lengths > 0, np.arctan2(product, apart), 0.0)


PAIRINGS = ((0, 1, 2, 3), (0, 2, 1, 3), (0, 3, 1, 2))


def four_signs(rows: Float[np.ndarray, "Q 4 rank"], count: int) -> Float[np.ndarray, "Q"]:
    """E sgn z_1 sgn z_2 sgn z_3 sgn z_4.

    The correlations between two pairs are scaled by t from 0, where the pairs are independent,
    to 1: dE/dt = Σ R_ij 4 φ_2(0, 0; t R_ij) (2/π) arcsin ρ_kl|ij (Plackett 1954, eq. 3). With
    t = 1 − w² the end point of a singular matrix is smooth; the pairs are the ones that are most
    correlated.
    """
    length = np.linalg.norm(rows, axis=2)
    unit = rows / np.where(length > 0, length, 1.0)[..., None]
    gram = np.clip(np.einsum("qir,qjr->qij", unit, unit), -1.0, 1.0)
    strongest = np.stack([np.maximum(abs(gram[:, i, j]), abs(gram[:, k, m]))
                          for i, j, k, m in PAIRINGS])  # fmt: skip
    order = np.array(PAIRINGS)[np.argmax(strongest, axis=0)]
    ordered = np.take_along_axis(unit, order[..., None], axis=1)
    gram = np.clip(np.einsum("qir,qjr->qij", ordered, ordered), -1.0, 1.0)
    total = (
        (2 / pi) ** 2
        * arcsine(ordered[:, 0], ordered[:, 1])
        * arcsine(ordered[:, 2], ordered[:, 3])
    )
    w, weights = _nodes(count)
    t = 1 - w**2
    inside = (gram[:, 0, 1, None], gram[:, 2, 3, None])
    for i, k in ((0, 1), (1, 0)):
        for j, m in ((2, 3), (3, 2)):
            # Given z_i = z_j = 0: the variances and the covariance of z_k and z_m.
            rho, cross = t * gram[:, i, j, None], t * gram[:, k, m, None]
            kj, im = t * gram[:, k, j, None], t * gram[:, i, m, None]
            ki, mj = inside
            rest = np.maximum(1 - rho**2, 1e-300)
            first = 1 - (ki**2 - 2 * rho * ki * kj + kj**2) / rest
            second = 1 - (im**2 - 2 * rho * im * mj + mj**2) / rest
            joint = cross - (ki * im - rho * (ki * mj + kj * im) + kj * mj) / rest
            square = first * second
            fine = (first > VANISHED**2) & (second > VANISHED**2)
            ratio = np.where(fine, joint / np.sqrt(np.where(fine, square, 1.0)), 0.0)
            angle = np.arcsin(np.clip(ratio, -1.0, 1.0))
            density = 4 / (2 * pi) * (2 / pi) * angle / np.sqrt(rest)
            total = total + gram[:, i, j] * ((density * 2 * w) @ weights)
    return np.where((length > 0).all(axis=1), total, 0.0)


@dataclass(eq=False)
class Moments:
    """Moments of products of powers and signs of the pre-activations of some inputs.

    Parameters
    ----------
    covariance : array of shape [B, B]
        K.
    nodes : int
        Of the integral for four signs.
    """

    covariance: Float[np.ndarray, "B B"]
    nodes: int
    rows: Float[np.ndarray, "B rank"] = field(init=False)

    def __post_init__(self) -> None:
        self.rows = vectors(self.covariance)

    def product(
        self, index: np.ndarray, powers: tuple[int, ...], signs: tuple[int, ...]
    ) -> Float[np.ndarray, "Q"]:
        """E Π_i z_{index_i}^powers_i sgn(z_{index_i})^signs_i for the rows of `index` [Q, 4].

        Slots on the same input are collected into one variable.
        """
        if (sum(powers) + sum(signs)) % 2:
            return np.zeros(len(index))
        return self._merged(self.rows[index], list(powers), list(signs))

    def _merged(self, rows: np.ndarray, powers: list[int], signs: list[int]) -> np.ndarray:
        """The moment with parallel variables, such as equal ones, taken together.

        With z_j = c z_i, z_j^k sgn(z_j)^m = c^k sgn(c)^m z_i^k sgn(z_i)^m.
        """
        kept = [i for i in range(len(powers)) if powers[i] or signs[i]]
        rows = rows[:, kept]
        powers, signs = [powers[i] for i in kept], [signs[i] for i in kept]
        if (sum(powers) + sum(signs)) % 2:
            return np.zeros(len(rows))
        if not kept:
            return np.ones(len(rows))
        length = np.linalg.norm(rows, axis=2)
        alive = (length > 0).all(axis=1)
        if not alive.all():  # a variable that is always 0
            result = np.zeros(len(rows))
            if alive.any():
                result[alive] = self._merged(rows[alive], powers, signs)
            return result
        unit = rows / length[..., None]
        cosine = np.einsum("qir,qjr->qij", unit, unit)
        apart = np.linalg.norm(unit[:, None] - cosine[..., None] * unit[:, :, None], axis=3)
        # The first variable that each is parallel to: itself, if there is no other.
        first = np.argmax(apart <= VANISHED, axis=1)
        result = np.empty(len(rows))
        codes = first @ (4 ** np.arange(len(kept)))
        for code in np.unique(codes):
            chosen = codes == code
            pattern = first[np.argmax(chosen)].tolist()
            leaders = sorted(set(pattern))
            power = [sum(k for k, p in zip(powers, pattern, strict=True) if p == i)
                     for i in leaders]  # fmt: skip
            sign = [sum(m for m, p in zip(signs, pattern, strict=True) if p == i) % 2
                    for i in leaders]  # fmt: skip
            factor = np.ones(int(chosen.sum()))
            for j, i in enumerate(pattern):
                if i != j:
                    side = np.sign(cosine[chosen, i, j])
                    ratio = side * length[chosen, j] / length[chosen, i]
                    factor *= ratio ** powers[j] * side ** signs[j]
            result[chosen] = factor * self._moment(rows[chosen][:, leaders], power, sign)
        return result

    def _moment(self, rows: np.ndarray, powers: list[int], signs: list[int]) -> np.ndarray:
        """The moment of variables of which no two are parallel."""
        if any(power == 0 and sign == 0 for power, sign in zip(powers, signs, strict=True)):
            return self._merged(rows, powers, signs)
        raised = [i for i in range(len(powers)) if powers[i]]
        if not raised:
            if len(powers) == 2:
                return 2 / pi * arcsine(rows[:, 0], rows[:, 1])
            return four_signs(rows, self.nodes)
        one = raised[0]
        lowered = [k - (i == one) for i, k in enumerate(powers)]
        total = np.zeros(len(rows))
        for j in range(len(powers)):
            inner = np.einsum("qr,qr->q", rows[:, one], rows[:, j])
            if lowered[j]:
                less = [k - (i == j) for i, k in enumerate(lowered)]
                total += inner * lowered[j] * self._moment(rows, less, signs)
            elif signs[j]:
                total += inner * self._without(rows, j, lowered, signs)
        return total

    def _without(self, rows: np.ndarray, j: int, powers: list[int], signs: list[int]) -> np.ndarray:
        """E 2δ(z_j) · (the other factors): they are projected away from z_j."""
        pivot = rows[:, j]
        length = np.linalg.norm(pivot, axis=1)
        unit = pivot / length[:, None]
        others = [i for i in range(rows.shape[1]) if i != j]
        kept = rows[:, others]
        kept = kept - np.einsum("qir,qr->qi", kept, unit)[..., None] * unit[:, None]
        rest = self._merged(kept, [powers[i] for i in others], [signs[i] for i in others])
        return 2 / (sqrt(2 * pi) * length) * rest
