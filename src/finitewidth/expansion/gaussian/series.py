"""Averages over all pairs of many inputs at once, by Mehler's series."""

import numpy as np

from finitewidth._shapes import Float

TERMS, REMAINDER = 256, 1e-11


def by_series(
    covariance: Float[np.ndarray, "B B"],
    values: Float[np.ndarray, "B nodes"],
    points: Float[np.ndarray, "nodes"],
    weights: Float[np.ndarray, "nodes"],
) -> Float[np.ndarray, "B B"] | None:
    """⟨f(z_a) f(z_b)⟩ = Σ_k f̂_k(K_aa) f̂_k(K_bb) ρ^k, f̂_k = E f(√K ξ) He_k(ξ)/√k!.

    Parameters
    ----------
    covariance : array of shape [B, B]
        K.
    values : array of shape [B, nodes]
        f(√K_aa ξ) at the nodes.
    points, weights : array of shape [nodes]
        Nodes ξ and weights of a standard normal variable.

    Returns
    -------
    array of shape [B, B], or None
        None where the remainder may be too large: it is at most what the diagonal, ρ = 1, lacks.
    """
    polynomials = np.empty((TERMS, len(points)))
    polynomials[0], polynomials[1] = 1.0, points
    for k in range(1, TERMS - 1):
        raised = points * polynomials[k] - np.sqrt(k) * polynomials[k - 1]
        polynomials[k + 1] = raised / np.sqrt(k + 1)
    coefficients = (values * weights) @ polynomials.T
    exact = values**2 @ weights
    rest = abs(exact - np.sum(coefficients**2, axis=1))
    if np.any(rest > REMAINDER * np.maximum(exact, 1e-300)):
        return None
    deviation = np.sqrt(np.diagonal(covariance))
    scale = np.outer(deviation, deviation)
    rho = np.clip(covariance / np.where(scale > 0, scale, 1.0), -1.0, 1.0)
    total = np.zeros_like(rho)
    for k in range(TERMS - 1, -1, -1):
        total = total * rho + np.outer(coefficients[:, k], coefficients[:, k])
    np.fill_diagonal(total, exact)
    return total
