"""Activations σ: value, derivatives, and the slope that makes one 1-homogeneous."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import isfinite, pi, sqrt

import numpy as np

from finitewidth._shapes import Float
from finitewidth.network.exact import double, fraction_of

Function = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Activation:
    """σ with its derivatives.

    Attributes
    ----------
    name : str
        The name under which `MLP` takes it.
    function : callable
        σ, elementwise on float arrays.
    derivatives : tuple of callable
        (σ', σ'', …), as far as known; almost everywhere for kinked σ.
    slope : float or None
        a, where σ(t) = t for t > 0 and a·t for t < 0 (ReLU 0, identity 1, |t| −1); None for
        activations outside this family.
    """

    name: str
    function: Function
    derivatives: tuple[Function, ...] = ()
    slope: float | None = None

    def __call__(self, z: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """σ(z), elementwise."""
        return self.function(z)

    def derivative(self, z: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """σ'(z), with PyTorch's value at a kink (relu'(0) = 0).

        Raises
        ------
        ValueError
            If the activation was given without its derivative.
        """
        if not self.derivatives:
            raise ValueError(
                f"activation {self.name!r} was given without its derivative; "
                "add activation_derivatives=(f_prime,) to the MLP."
            )
        return self.derivatives[0](z)

    @property
    def has_kink(self) -> bool:
        """Whether σ is piecewise linear with a kink at 0."""
        return self.slope is not None and self.slope != 1.0


def _piecewise(name: str, given: float, at_zero: float) -> Activation:
    slope = float(given)

    def value(z: np.ndarray) -> np.ndarray:
        return np.where(z > 0, z, slope * z)

    def derivative(z: np.ndarray) -> np.ndarray:
        return np.where(z > 0, 1.0, np.where(z < 0, slope, at_zero)).astype(z.dtype)

    return Activation(name, value, (derivative, np.zeros_like), given)


def _erf_value(z: np.ndarray) -> np.ndarray:
    from scipy.special import erf

    return erf(z)


def _normal_cdf(z: np.ndarray) -> np.ndarray:
    from scipy.special import ndtr

    return ndtr(z)


def _normal_pdf(z: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * z * z) / sqrt(2 * pi)


def _sigmoid(z: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    return expit(z)


def _tanh_first(z: np.ndarray) -> np.ndarray:
    return 1.0 - np.tanh(z) ** 2


def _silu_first(z: np.ndarray) -> np.ndarray:
    p = _sigmoid(z)
    return p * (1.0 + z * (1.0 - p))


def _silu_second(z: np.ndarray) -> np.ndarray:
    p = _sigmoid(z)
    return p * (1.0 - p) * (2.0 + z * (1.0 - 2.0 * p))


_SMOOTH = {
    "tanh": Activation(
        "tanh", np.tanh, (_tanh_first, lambda z: -2.0 * np.tanh(z) * _tanh_first(z))
    ),
    "erf": Activation(
        "erf",
        _erf_value,
        (
            lambda z: 2.0 / sqrt(pi) * np.exp(-z * z),
            lambda z: -4.0 / sqrt(pi) * z * np.exp(-z * z),
        ),
    ),
    "sin": Activation("sin", np.sin, (np.cos, lambda z: -np.sin(z))),
    "gelu": Activation(
        "gelu",
        lambda z: z * _normal_cdf(z),
        (
            lambda z: _normal_cdf(z) + z * _normal_pdf(z),
            lambda z: (2.0 - z * z) * _normal_pdf(z),
        ),
    ),
    "silu": Activation("silu", lambda z: z * _sigmoid(z), (_silu_first, _silu_second)),
}

NAMES = ("relu", "leaky_relu", "identity", "abs", *_SMOOTH)


@cache
def _named(name: str, negative_slope: float, exact: Fraction) -> Activation:
    if name == "relu":
        return _piecewise("relu", 0.0, 0.0)
    if name == "leaky_relu":
        return _piecewise("leaky_relu", double(exact, name), negative_slope)
    if name == "abs":
        return _piecewise("abs", -1.0, 0.0)
    if name == "identity":
        return Activation("identity", lambda z: z, (np.ones_like, np.zeros_like), 1.0)
    return _SMOOTH[name]


def activation(
    spec: str | Function, negative_slope: float, derivatives: tuple[Function, ...]
) -> Activation:
    """The activation of a name (see `NAMES`) or of a callable with its derivatives.

    Raises
    ------
    ValueError
        For an unknown name, a slope that is not finite, or derivatives given with a name.
    TypeError
        For anything that is neither a name nor callable.
    """
    if callable(spec):
        name = getattr(spec, "__name__", type(spec).__name__)
        if not isinstance(derivatives, tuple | list) or not all(map(callable, derivatives)):
            raise TypeError(
                f"activation_derivatives is {derivatives!r}, expected a tuple of functions "
                "(f', f'', …)."
            )
        return Activation(name, spec, tuple(derivatives))
    if not isinstance(spec, str):
        raise TypeError(f"activation is {spec!r}, expected a name or an elementwise callable.")
    if spec not in NAMES:
        raise ValueError(
            f"activation is {spec!r}, expected one of {', '.join(NAMES)}, or a callable."
        )
    if derivatives:
        raise ValueError(
            f"activation_derivatives was given with the name {spec!r}, which has its own; "
            "pass the function itself as activation, or leave the derivatives out."
        )
    slope = double(negative_slope, "negative_slope")
    if not isfinite(slope):
        raise ValueError(f"negative_slope is {slope}, expected a finite number.")
    slope = slope if spec == "leaky_relu" else 0.0
    return _named(spec, float(slope), fraction_of(slope))
