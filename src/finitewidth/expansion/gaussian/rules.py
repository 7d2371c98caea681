"""Quadrature nodes for standard normal coordinates, and coordinates of a covariance of any rank.

The trapezoidal rule converges geometrically for analytic integrands under a Gaussian weight, and
faster than Gauss–Hermite where σ has poles, as tanh and the logistic function do (Trefethen 2022,
"Exactness of quadrature formulas"): its error is that of the tail beyond the range plus
e^(−2πd/h) for a pole at distance d.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from finitewidth._shapes import Float

RANGE = 1e-13  # a conditional variance below this share of the variance is rounding

# Range and step of each coordinate by the number of coordinates.
SPANS = {1: (10.0, 1 / 16), 2: (8.0, 1 / 8), 3: (7.0, 1 / 4), 4: (6.5, 13 / 30)}


class Fit(NamedTuple):
    """Factors on the step and on the range of `SPANS`."""

    step: float
    range: float = 1.0

    def times(self, factor: float) -> "Fit":
        """With steps so many times as long."""
        return self._replace(step=factor * self.step)


@lru_cache(maxsize=32)
def line(coordinates: int, fit: Fit) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of one of so many coordinates."""
    reach, step = SPANS[coordinates][0] * fit.range, SPANS[coordinates][1]
    count = int(np.ceil(reach / (step * fit.step)))
    points = np.linspace(-reach, reach, 2 * count + 1)
    weights = np.exp(-0.5 * points**2)
    return points, weights / weights.sum()


@lru_cache(maxsize=8)
def ball(dimensions: int, coordinates: int, fit: Fit) -> tuple[np.ndarray, np.ndarray]:
    """Nodes [m, dimensions] and weights [m] of several coordinates, without the corners.

    A node further out than the range of one coordinate has a smaller weight than what the rule
    leaves out anyway.
    """
    points, weights = line(coordinates, fit)
    grid = np.stack(np.meshgrid(*[points] * dimensions, indexing="ij"), axis=-1)
    grid = grid.reshape(-1, dimensions)
    mass = np.ones(1)
    for _ in range(dimensions):
        mass = np.multiply.outer(mass, weights).ravel()
    kept = np.einsum("md,md->m", grid, grid) <= points[-1] ** 2 + 1e-9
    return grid[kept], mass[kept] / mass[kept].sum()


def pivoted(covariance: Float[np.ndarray, "k k"]) -> tuple[list[int], Float[np.ndarray, "k r"]]:
    """Cholesky factor with the largest conditional variance first, to the numerical rank.

    Returns
    -------
    order : list of int
        The variables in the order in which they were taken, then those without own variance.
    factor : array of shape [k, rank]
        z_{order[i]} = Σ_j factor[i, j] ξ_j; lower triangular.
    """
    size = len(covariance)
    rest = np.array(covariance, dtype=float)
    tolerance = RANGE * np.diagonal(covariance)
    columns, order = [], []
    left = list(range(size))
    while left:
        pivot = max(left, key=lambda i: rest[i, i])
        if not rest[pivot, pivot] > max(tolerance[pivot], 0.0):
            break
        column = rest[:, pivot] / np.sqrt(rest[pivot, pivot])
        rest = rest - np.outer(column, column)
        columns.append(column)
        order.append(pivot)
        left.remove(pivot)
    order += left
    factor = np.stack(columns, axis=1) if columns else np.zeros((size, 0))
    factor = factor[order]
    return order, np.tril(factor) if columns else factor
