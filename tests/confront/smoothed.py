"""Steps of one-hidden-layer networks with a smoothed ReLU, and what theory says of them.

The activation has the derivative D(y/ε) with D the normal distribution function: ReLU for ε = 0.
Input of squared length n_in, critical gain, ntk parametrization, target 0. A network is its n
pre-activations y (normal, variance Q = 2) and output weights; with e = N, q = Q + 1 and
δ = w D(y/ε), a step of rate λ moves y by −λ e q δ and w by −λ e σ(y)/n, and
K = q Σ δ² + Σ σ(y)²/n + 1. Nothing comes from `finitewidth`.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

Q, GRADIENT = 2.0, 3.0
"""Variance of a pre-activation, and q."""


def density(z: np.ndarray) -> np.ndarray:
    """Of the standard normal law."""
    return np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)


def activation(y: np.ndarray, epsilon: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Value, slope and second derivative (0 for ReLU)."""
    if epsilon == 0.0:
        slope = (y > 0).astype(float)
        return y * slope, slope, np.zeros_like(y)
    z = y / epsilon
    slope, bump = ndtr(z), density(z)
    return y * slope + epsilon * bump, slope, bump / epsilon


def kernel(value: np.ndarray, delta: np.ndarray) -> np.ndarray:
    """K of every network."""
    return GRADIENT * (delta**2).sum(axis=1) + (value**2).mean(axis=1) + 1.0


@dataclass(frozen=True)
class Seen:
    """Means over networks and their standard errors.

    Attributes
    ----------
    excess, excess_error : array [R]
        (K(λ) − K)/λ − dK/dλ, the curvature of the frozen ReLU network removed.
    derivative, derivative_error : float
        dK/dλ at λ = 0.
    """

    excess: np.ndarray
    excess_error: np.ndarray
    derivative: float
    derivative_error: float


def simulate(epsilon: float, rates, width: int, size: int, seed: int, chunk: int = 2000) -> Seen:
    """Take the steps of `size` networks; the same networks for every ε and every rate."""
    rng = np.random.default_rng(seed)
    rows, slopes = [], []
    for start in range(0, size, chunk):
        count = min(chunk, size - start)
        y = np.sqrt(Q) * rng.standard_normal((count, width))
        w = rng.standard_normal((count, width)) / np.sqrt(width)
        plain, mask, _ = activation(y, 0.0)
        value, slope, bend = activation(y, epsilon)
        row = []
        derivative = _derivative(w, value, slope, bend, width)
        flat = _derivative(w, plain, mask, np.zeros_like(y), width)
        for rate in rates:
            after = _after(y, w, value, slope, rate, width, epsilon)
            kept = _after(y, w, plain, mask, rate, width, None)
            curvature = (kept - kernel(plain, w * mask)) / rate - flat
            row.append((after - kernel(value, w * slope)) / rate - derivative - curvature)
        rows.append(row)
        slopes.append(derivative)
    excess, slope = np.concatenate(rows, axis=1), np.concatenate(slopes)
    root = size**0.5
    return Seen(
        excess.mean(axis=1), excess.std(axis=1) / root,
        float(slope.mean()), float(slope.std() / root),
    )  # fmt: skip


def _derivative(w, value, slope, bend, width):
    error = (w * value).sum(axis=1, keepdims=True)
    delta = w * slope
    moved, grown = -error * GRADIENT * delta, -error * value / width
    change = grown * slope + w * bend * moved
    return 2.0 * GRADIENT * (delta * change).sum(axis=1) + 2.0 * (value * slope * moved).mean(
        axis=1
    )


def _after(y, w, value, slope, rate, width, epsilon):
    """K after the step; with the slopes of before for `epsilon` None."""
    error = (w * value).sum(axis=1, keepdims=True)
    moved, grown = y - rate * error * GRADIENT * w * slope, w - rate * error * value / width
    new, now = (moved * slope, slope) if epsilon is None else activation(moved, epsilon)[:2]
    return kernel(new, grown * now)


def predicted(epsilon: float, rate: float, width: int) -> float:
    """n p(0) ε q E a²Ψ(λ e a q/ε)/λ: a ~ N(0, 1/n) of the neuron at zero, e of the others.

    Ψ(η) = ½ Σ_± ∫ [D(z ∓ ηD(z))² − D(z)²] dz; −|η|/2 for large η, which is the ReLU's term.
    """
    points, shares = np.polynomial.hermite_e.hermegauss(120)
    keep = shares > 1e-14 * shares.max()
    points, shares = points[keep], shares[keep] / shares[keep].sum()
    weight = np.outer(shares, shares)
    others = width - 1  # they make e: N(0, Q χ²_M/n) with M active ones, three nodes for χ²_M
    spread = (5.0 / others) ** 0.5
    mean = 0.0
    for place, share in ((-(3.0**0.5), 1 / 6), (0.0, 2 / 3), (3.0**0.5, 1 / 6)):
        square = Q * others / (2.0 * width) * (1.0 + place * spread)
        a, e = np.meshgrid(points / width**0.5, points * square**0.5, indexing="ij")
        eta = np.abs(rate * e * a * GRADIENT / epsilon)
        table = np.concatenate(([0.0], np.geomspace(1e-4, eta.max(), 150)))
        psi = np.interp(eta, table, [_psi(one) for one in table])
        mean += share * float((weight * a**2 * psi).sum())
    return width * epsilon * GRADIENT * mean / rate / float(np.sqrt(2.0 * np.pi * Q))


def _psi(eta: float) -> float:
    z = np.arange(-9.0, 9.0 + eta, min(0.01, 0.002 * (18.0 + eta)))
    slope = ndtr(z)
    both = [ndtr(z - sign * eta * slope) ** 2 - slope**2 for sign in (1.0, -1.0)]
    return 0.5 * float((both[0] + both[1]).sum() * (z[1] - z[0]))
