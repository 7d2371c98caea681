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
    for name, rows in (("rows", draws), ("columns", draws.transpose(0, 2, 1))):
        excess = _alignment(rows.reshape(-1, rows.shape[2]))
        if excess < -SIGMAS:
            return (
                f"have {name} that are nearer to right angles than independent ones (orthogonal?)"
            )
        if excess > FOURTH_SIGMAS:
            return f"have {name} that depend on each other, within a draw or between seeds"
    if draws.shape[1] == 1:
        lengths = (draws**2).sum(axis=(1, 2))
        usual = 2.0 * lengths.mean() ** 2 / draws.shape[2]
        if len(lengths) > 2 and lengths.var() < 1e-3 * usual:
            return "have the same length in every draw"
    return ""


def _alignment(rows: np.ndarray) -> float:
    """Sum (w_i.w_j)^2 over pairs beside |w_i|^2 |w_j|^2 / n, in standard errors."""
    rows = rows[:1500]
    length = rows.shape[1]
    if length == 1 or len(rows) < 2:
        return 0.0
    squares = (rows**2).sum(axis=1)
    upper = np.triu_indices(len(rows), 1)
    cosines = (rows @ rows.T)[upper] ** 2 * length / (squares[upper[0]] * squares[upper[1]])
    # cos^2 is Beta(1/2, (n-1)/2): variance of n cos^2 is 2 (n-1)/(n+2)
    return float((cosines.mean() - 1) / np.sqrt(2 * (length - 1) / (length + 2) / len(cosines)))


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
