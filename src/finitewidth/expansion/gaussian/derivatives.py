"""σ, σ', … σ^(5) at once: closed for the named activations, from the user's functions else."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import factorial, pi, sqrt

import numpy as np

from finitewidth.network import Activation
from finitewidth.network.activations import Function

Derivatives = Callable[[np.ndarray, int], list[np.ndarray]]


def _horner(coefficients: np.ndarray, t: np.ndarray) -> np.ndarray:
    total = np.full_like(t, coefficients[-1])
    for one in coefficients[-2::-1]:
        total *= t
        total += one
    return total


@cache
def _riccati(rate: tuple[float, ...], order: int) -> list[np.ndarray]:
    """Polynomials P_k with f^(k) = P_k(f), where f' = rate(f)."""
    found = [np.array([0.0, 1.0])]
    for _ in range(order):
        found.append(np.polynomial.polynomial.polymul(
            np.polynomial.polynomial.polyder(found[-1]), rate))  # fmt: skip
    return found


def _tanh(z: np.ndarray, order: int) -> list[np.ndarray]:
    t = np.tanh(z)
    return [_horner(one, t) for one in _riccati((1.0, 0.0, -1.0), order)]


def _times_z(z: np.ndarray, steps: list[np.ndarray]) -> list[np.ndarray]:
    """Derivatives of z f(z) from those of f: z f^(k) + k f^(k−1)."""
    return [z * one + (k * steps[k - 1] if k else 0.0) for k, one in enumerate(steps)]


def _silu(z: np.ndarray, order: int) -> list[np.ndarray]:
    from scipy.special import expit

    p = expit(z)
    return _times_z(z, [_horner(one, p) for one in _riccati((0.0, 1.0, -1.0), order)])


def _bell(z: np.ndarray, order: int) -> list[np.ndarray]:
    """Derivatives of the normal distribution function: Φ^(k) = (−1)^(k−1) He_{k−1} φ."""
    from scipy.special import ndtr

    found = [ndtr(z)]
    if order:
        density = np.exp(-0.5 * z * z) / sqrt(2 * pi)
        before, now = np.zeros_like(z), np.ones_like(z)
        for k in range(order):
            found.append((-1) ** k * now * density)
            before, now = now, z * now - k * before
    return found


def _gelu(z: np.ndarray, order: int) -> list[np.ndarray]:
    return _times_z(z, _bell(z, order))


def _erf(z: np.ndarray, order: int) -> list[np.ndarray]:
    """erf z = 2Φ(√2 z) − 1."""
    found = _bell(sqrt(2) * z, order)
    return [2 * found[0] - 1] + [2 * 2 ** (k / 2) * found[k] for k in range(1, order + 1)]


def _sin(z: np.ndarray, order: int) -> list[np.ndarray]:
    sine, cosine = np.sin(z), np.cos(z)
    return [(sine, cosine, -sine, -cosine)[k % 4] for k in range(order + 1)]


NAMED: dict[str, Derivatives] = {
    "tanh": _tanh, "silu": _silu, "gelu": _gelu, "erf": _erf, "sin": _sin,
}  # fmt: skip

STEP = 0.04  # of the difference quotients: truncation and rounding are both near 1e-10
REACH = 5  # points on either side
TOLERANCE = 1e-5  # to which a derivative must integrate to the function it belongs to
GRID = np.linspace(-8.0, 8.0, 1025)


@cache
def _stencil(order: int) -> np.ndarray:
    """Weights of f(z + kh), |k| ≤ REACH, for h^order f^(order)(z), of order of accuracy ≥ 6."""
    points = np.arange(-REACH, REACH + 1)
    powers = np.vander(points, increasing=True).T.astype(float)
    right = np.zeros(len(points))
    right[order] = factorial(order)
    return np.linalg.solve(powers, right)


@dataclass(frozen=True)
class Given:
    """Derivatives of a user's function; those that were not given are difference quotients.

    Attributes
    ----------
    functions : tuple of callable
        f, f', … as far as given.
    """

    functions: tuple[Callable[[np.ndarray], np.ndarray], ...]

    def __call__(self, z: np.ndarray, order: int) -> list[np.ndarray]:
        """f(z), f'(z), … up to the order."""
        found = [np.asarray(f(z), dtype=float) for f in self.functions[: order + 1]]
        missing = range(len(found), order + 1)
        if missing:
            last = self.functions[-1]
            quotients = [np.zeros_like(z) for _ in missing]
            for k in range(-REACH, REACH + 1):
                value = last(z + k * STEP)
                for number, total in enumerate(quotients, start=1):
                    total += _stencil(number)[k + REACH] / STEP**number * value
            found += quotients
        return found


def _on_grid(function: Function, order: int, name: str) -> np.ndarray:
    """Values on the grid.

    Raises
    ------
    ValueError
        If the function fails, or gives something else than finite real numbers there.
    """
    try:
        with np.errstate(all="ignore"):
            value = np.asarray(function(GRID))
    except Exception as error:
        raise ValueError(
            f"derivative {order} of activation {name!r} fails on an array of floats "
            f"({type(error).__name__}: {str(error).rstrip('.')}); expected an elementwise function "
            "of NumPy arrays."
        ) from error
    if (
        value.dtype.kind not in "fiub"
        or value.shape != GRID.shape
        or not np.isfinite(value := value.astype(float)).all()
    ):
        raise ValueError(
            f"derivative {order} of activation {name!r} is not a finite real number "
            f"for every z between {GRID[0]:g} and {GRID[-1]:g}; expected an elementwise "
            "function of float arrays that is finite there."
        )
    return value


def _check(activation: Activation) -> None:
    """Refuse functions that are not finite or are not the derivatives of one another.

    Every cell of a grid is integrated by Gauss's rule with four points; a jump, as at a kink,
    leaves a difference.
    """
    points, weights = np.polynomial.legendre.leggauss(4)
    half = (GRID[1] - GRID[0]) / 2
    inner = (GRID[:-1] + half)[:, None] + half * points
    functions = (activation.function, *activation.derivatives)
    values = [_on_grid(f, order, activation.name) for order, f in enumerate(functions)]
    for order in range(1, len(functions)):
        integral = half * (np.asarray(functions[order](inner), dtype=float) @ weights)
        change = np.diff(values[order - 1])
        scale = max(1.0, float(np.abs(values[order - 1]).max()))
        if np.abs(integral - change).max() > TOLERANCE * scale:
            where = GRID[np.argmax(np.abs(integral - change))]
            raise ValueError(
                f"derivative {order} of activation {activation.name!r} does not integrate to "
                f"derivative {order - 1} near z = {where:.3g}: it is another function's, or "
                "there is a kink; give the right activation_derivatives, or use "
                "fw.simulate.ensemble, which needs no smoothness."
            )
    missing = _stencil(1) / STEP
    shifted = GRID + STEP * np.arange(-REACH, REACH + 1)[:, None]
    slope = missing @ np.asarray(functions[-1](shifted), dtype=float)
    half_step = GRID + STEP / 2 * np.arange(-REACH, REACH + 1)[:, None]
    finer = 2 * missing @ np.asarray(functions[-1](half_step), dtype=float)
    if len(functions) <= 5 and np.abs(slope - finer).max() > TOLERANCE * max(
        1.0, float(np.abs(finer).max())
    ):
        raise ValueError(
            f"activation {activation.name!r} is not smooth enough near z = "
            f"{GRID[np.argmax(np.abs(slope - finer))]:.3g} to differentiate it numerically; give "
            "activation_derivatives=(f', f'', … f^(5)), or use fw.simulate.ensemble, which needs "
            "no smoothness."
        )


def derivatives_of(activation: Activation) -> Derivatives:
    """A function (z, order) -> [σ(z), σ'(z), … σ^(order)(z)] for a smooth activation.

    Raises
    ------
    ValueError
        For a user's function that is not finite, or not as smooth as the recursions need.
    """
    if activation.name in NAMED and activation.function is _package_function(activation.name):
        return NAMED[activation.name]
    if not activation.derivatives:
        activation.derivative(np.zeros(1))  # the sentence that asks for f'
    _check(activation)
    return Given((activation.function, *activation.derivatives))


def _package_function(name: str) -> Callable[[np.ndarray], np.ndarray]:
    """σ of the package's own activation, to tell it from a user's function of that name."""
    from finitewidth.network.activations import activation

    return activation(name, 0.0, ()).function
