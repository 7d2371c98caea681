"""What the simulation accepts: each check returns the value in its working form or says why not."""

from math import isfinite
from numbers import Real

import numpy as np

from finitewidth._shapes import Float
from finitewidth.network import MLP
from finitewidth.simulate.memory import check_layers


def simulable(net: object, *, several_outputs: bool = False) -> MLP:
    """The network, if its outputs, residual widths, activation and weight law can be simulated.

    Parameters
    ----------
    net : object
    several_outputs : bool
        Whether the caller covers n_out > 1.

    Raises
    ------
    TypeError
        If it is no `MLP`.
    ValueError
        For several outputs, residual connections between unequal widths, an activation without
        derivative or not elementwise, or a weight law without sampler.
    """
    if not isinstance(net, MLP):
        raise TypeError(f"net is a {type(net).__name__}, expected a finitewidth.MLP.")
    if net.n_out != 1 and not several_outputs:
        raise ValueError(
            f"n_out is {net.n_out}, but this simulation covers one output; use n_out=1, or "
            "fw.simulate.train(…, steps=0), which covers several."
        )
    if net.residual is not None and len(net.runs) > 1:
        raise ValueError(
            f"residual connections need equal hidden widths, but the widths are {net.widths}; "
            "use MLP.equal_width, or residual=None."
        )
    check_layers(net, 1, 1, 1)
    probe = np.array([[-1.0, 0.0, 1.0]])
    for name, function in (("", net.act), (" derivative", net.act.derivative)):
        value = np.asarray(function(probe))
        if value.shape != probe.shape or value.dtype != np.float64:
            raise ValueError(
                f"the activation{name} of {net.act.name!r} turned a float64 array of shape "
                f"{probe.shape} into {value.dtype} of shape {value.shape}, expected an "
                "elementwise function of NumPy arrays."
            )
    weights = np.asarray(net.law.sample(np.random.default_rng(0), (3,)))
    if weights.shape != (3,) or weights.dtype != np.float64:
        raise ValueError(
            f"the weight law {net.law.name!r} drew {weights.dtype} of shape {weights.shape} where "
            "float64 of shape (3,) was expected; mend its sample method."
        )
    return net


def needs_second_derivative(net: MLP) -> None:
    """Raise a ValueError if σ'' is unknown, which the first-order change needs."""
    if net.depth > 1 and len(net.act.derivatives) < 2:
        raise ValueError(
            f"the first-order change needs the second derivative of activation {net.act.name!r}; "
            "add activation_derivatives=(f_prime, f_second) to the MLP."
        )


def finite(value: object, name: str) -> Float[np.ndarray, "..."]:
    """`value` as a float64 array; TypeError or ValueError where it holds no finite numbers."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise TypeError(
            f"{name} holds {array.dtype}, expected real numbers; convert it with "
            f"np.asarray({name}, dtype=float)."
        )
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} contains nan or inf; remove or replace those entries.")
    return array


def input_rows(net: MLP, X: object, name: str = "X") -> Float[np.ndarray, "B n_in"]:
    """The inputs as rows of a float64 array; one vector becomes one row.

    Raises
    ------
    ValueError
        For a wrong shape, no rows, or entries that are not finite.
    TypeError
        For entries that are no real numbers.
    """
    array = finite(X, name)
    rows = array[None] if array.ndim == 1 else array
    if rows.ndim != 2 or rows.shape[1] != net.n_in or rows.shape[0] == 0:
        raise ValueError(
            f"{name} has shape {array.shape}, expected [B, {net.n_in}] or [{net.n_in}] for a "
            f"network with n_in={net.n_in}; reshape {name} or change n_in."
        )
    return np.ascontiguousarray(rows)


def targets(y: object, count: int) -> Float[np.ndarray, " B"]:
    """The targets as a float64 vector; raises as `input_rows`."""
    array = finite(y, "y")
    if array.shape != (count,) and not (array.ndim == 0 and count == 1):
        raise ValueError(
            f"y has shape {array.shape}, expected [{count}]: one target for each input in X."
        )
    return array.reshape(count)


def positive(value: object, name: str) -> float:
    """`value` as a finite float above 0; TypeError or ValueError otherwise."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}, expected a number above 0.")
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if not (isfinite(number) and number > 0):
        raise ValueError(f"{name} is {number:g}, expected a finite number above 0.")
    return number
