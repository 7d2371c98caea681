"""The law of weights, told from draws: independent, of mean 0, normal or uniform, of which gain.

Every comparison leaves room for five standard errors (the fourth moment, whose errors are skew,
for seven), so that a network of the family is refused by chance about once in 10⁵ checks. With N
weights in a layer a gain is told apart from one that lies 5 √(2/N) away: 10 % at N = 5000.
"""

from math import sqrt

import numpy as np

from finitewidth._shapes import Float

SIGMAS = 5.0
FOURTH_SIGMAS = 7.0

LAWS = {"gaussian": (3.0, sqrt(24.0)), "uniform": (1.8, 1.2)}
"""E W⁴/(E W²)² and the standard deviation of a sample's, times √N."""

Draws = Float[np.ndarray, "D m n"]


def not_independent(draws: Draws) -> str:
    """What shows that the entries of a matrix are not independent of mean 0, or empty.

    Rows of an orthogonal matrix are at right angles: Σ (w_i·w_j)² = 0 over pairs of rows, where
    independent entries give Σ |w_i|² |w_j|²/n. A single row has the same length in every draw.
    """
    flat = draws.ravel()
    if abs(flat.mean()) > SIGMAS * flat.std() / sqrt(len(flat)):
        return "have another mean than 0"
    rows = draws if draws.shape[1] <= draws.shape[2] else draws.transpose(0, 2, 1)
    count, length = rows.shape[1:]
    squares = (rows**2).sum(axis=2)
    if count == 1:
        lengths = squares[:, 0]
        usual = 2.0 * lengths.mean() ** 2 / length
        same = len(lengths) > 2 and lengths.var() < 1e-3 * usual
        return "have the same length in every draw" if same else ""
    upper = np.triu_indices(count, 1)
    products = (rows @ rows.transpose(0, 2, 1))[:, *upper] ** 2
    expected = (squares[:, upper[0]] * squares[:, upper[1]]) / length
    off = products - expected
    error = expected.mean() * sqrt(2.0 / off.size)
    if off.mean() < -SIGMAS * max(error, off.std() / sqrt(off.size)):
        return "have rows that are nearer to right angles than independent ones (orthogonal?)"
    return ""


def gain(draws: Draws) -> tuple[float, float]:
    """fan-in × Var W with its standard error."""
    squares = draws.ravel() ** 2 * draws.shape[2]
    return float(squares.mean()), float(squares.std() / sqrt(len(squares)))


def has_law(draws: Draws, name: str) -> bool:
    """Whether the fourth moment is that of a law."""
    flat = draws.ravel()
    expected, spread = LAWS[name]
    found = float((flat**4).mean() / (flat**2).mean() ** 2)
    return abs(found - expected) <= FOURTH_SIGMAS * spread / sqrt(len(flat))


def common_gain(gains: list[tuple[float, float]], usual: tuple[float, ...]) -> float | None:
    """The usual gain nearest to all, if it agrees with each."""
    if not gains:
        return None

    def distance(candidate: float) -> float:
        return max(abs(value - candidate) / error for value, error in gains)

    best = min(usual, key=distance)
    return best if distance(best) <= SIGMAS else None
