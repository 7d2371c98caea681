"""What the crossing term covers, and one sentence for what it does not."""

from math import isfinite, log
from numbers import Real

import numpy as np

from finitewidth._shapes import Float
from finitewidth.network import MLP

NOTHING = "this activation has no corner, or no hidden layer has it: no crossing changes K"

FRAGILE = 1e-3
"""Largest Σ_j n_j 2^(−n_j), the weight of the networks for which the limit does not exist."""


def has_crossings(net: MLP) -> bool:
    """Whether a neuron that crosses zero changes the kernel at all."""
    return bool(net.runs) and net.act.slope != 1.0


def check_network(net: object) -> None:
    """Refuse networks outside the derivation.

    Raises
    ------
    TypeError, ValueError
        Unless it is an `MLP` with a 1-homogeneous activation, zero biases, no residual, one output.
    """
    if not isinstance(net, MLP):
        raise TypeError(f"net is {type(net).__name__}, expected an MLP.")
    problem = None
    if net.act.slope is None:
        problem = f"an activation with one slope on each side of 0, got {net.act.name!r}"
    elif net.bias_variance > 0:
        problem = f"biases that are zero at initialisation, got bias_variance={net.bias_variance:g}"
    elif net.residual is not None:
        problem = f"plain networks, got residual={net.residual}"
    elif net.n_out != 1:
        problem = f"a scalar output, got n_out={net.n_out}"
    if problem:
        raise ValueError(
            f"the crossing term is derived for {problem}; use fw.simulate.first_step "
            "(docs: Simulating random networks)."
        )


def check_sampled(net: MLP) -> None:
    """Refuse weights that are not Gaussian, and numbers far outside what doubles carry."""
    steepest, widest = abs(net.act.slope or 0.0), max((n for n, _ in net.runs), default=1)
    if steepest > 1e60:
        raise ValueError(f"negative_slope is {net.act.slope:g}, expected at most 1e60 in size.")
    if widest > 2**62:
        raise ValueError(f"a layer's width is {widest}, expected at most {2**62}.")
    if not net.law.is_gaussian:
        raise ValueError(
            f"the crossing term is known for Gaussian weights, got {net.law.name!r}; only "
            "simulation covers other laws: fw.simulate.first_step."
        )


def check_target(net: MLP, target: float) -> None:
    """Refuse a target other than 0 where rare networks have no limit of small steps.

    With one active neuron in a layer the density of a neuron above at zero is not integrable, and
    a neuron that is alone in its layer takes the layers above with it; both need t ≠ 0, a layer
    above, and have weight n 2^(−n).

    Raises
    ------
    ValueError
        If those networks are not rare.
    """
    if target == 0.0 or len(net.widths) < 2:
        return
    narrowest = min(net.widths)
    if net.act.slope == 0.0:
        small = [(n, count) for n, count in net.runs if n < 60]
        bad = sum(count * n * 2.0**-n for n, count in small) > FRAGILE
    else:
        bad = narrowest < 3
    if bad:
        raise ValueError(
            f"target is {target:g} and a hidden layer has {narrowest} neurons: networks with one "
            "active neuron in a layer are then frequent, and the term is not known with them "
            "(below the last hidden layer it does not exist: their change is not linear in any "
            "small learning rate); use wider layers, target=0, or fw.simulate.first_step."
        )


def rate(learning_rate: object) -> float:
    """A learning rate as a float above 0."""
    value = _real("learning_rate", learning_rate)
    if value <= 0:
        raise ValueError(f"learning_rate is {learning_rate!r}, expected a finite number above 0.")
    return value


def target(value: object) -> float:
    """A target as a finite float."""
    return _real("target", value)


def _real(name: str, value: object) -> float:
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}, expected a number.")
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if not isfinite(number):
        raise ValueError(f"{name} is {value!r}, expected a finite number.")
    return number


def matrix(X: object, n_in: int) -> Float[np.ndarray, "B n"]:
    """Inputs as an array [B, n_in] of finite numbers."""
    found = _array("X", X)
    if found.ndim != 2 or found.shape[1] != n_in or not len(found):
        raise ValueError(
            f"X has shape {list(found.shape)}, expected [B, {n_in}] (one input a row)."
        )
    return found


def vector(name: str, values: object, count: int) -> Float[np.ndarray, " B"]:
    """One finite number an input."""
    found = _array(name, values)
    if found.shape != (count,):
        raise ValueError(
            f"{name} has shape {list(found.shape)}, expected [{count}] (one number an input)."
        )
    return found


def _array(name: str, values: object) -> np.ndarray:
    try:
        given = np.asarray(values)
        found = given.astype(np.float64) if given.dtype.kind in "fiu" else None
    except (TypeError, ValueError):
        found = None
    if found is None:
        raise TypeError(f"{name} is {type(values).__name__}, expected an array of numbers.")
    if not np.isfinite(found).all():
        raise ValueError(f"{name} holds a number that is not finite.")
    return found


def log_fits(value: float, name: str) -> None:
    """Refuse a natural log whose exponential is not a double."""
    if value > log(1.7e308):
        raise ValueError(
            f"{name} is e^({value:.6g}), outside the range of a double; use a gain nearer to the "
            "critical one, or fewer layers."
        )
