"""The networks and inputs that the path calculus is about."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from finitewidth._large import check_cost
from finitewidth._shapes import Float
from finitewidth.network import MLP

RANGE = 1e30
"""Largest size of what enters with its fourth power, beside those of the width."""


def checked_network(net: MLP) -> MLP:
    """The network, if its outputs are sums over paths in the sense of the paper.

    Raises
    ------
    TypeError
        For something that is not an `MLP`.
    ValueError
        For several outputs, biases that are random at initialisation, residual connections, and
        activations that are not linear on either side of 0.
    """
    if not isinstance(net, MLP):
        raise TypeError(f"net is {type(net).__name__}, expected a finitewidth.MLP.")
    if net.n_out != 1:
        raise ValueError(f"n_out is {net.n_out}, expected 1: paths end at one output.")
    if net.act.slope is None:
        raise ValueError(
            f"activation is {net.act.name!r}, expected relu, leaky_relu, abs or identity: only for "
            "these is the output a sum over paths; use finitewidth.simulate.ensemble."
        )
    if net.bias_variance > 0:
        raise ValueError(
            f"bias_variance is {net.bias_variance:g}, expected biases that are 0 at "
            "initialisation, as in the paper; use finitewidth.simulate.ensemble."
        )
    if net.residual is not None:
        raise ValueError(
            "the network has residual connections, expected residual=None: a path visits every "
            "layer; use finitewidth.simulate.ensemble."
        )
    check_cost(
        f"a sum over paths through {net.depth} layers from {net.n_in} inputs",
        4e-4 * net.depth,
        2000.0 * net.depth + 32.0 * net.n_in,
        "ask for fewer, or for finitewidth.KernelLaw",
    )
    largest = max(abs(net.act.slope), net.hidden_gain, net.output_gain, net.bias_lr)
    smallest = min(net.hidden_gain, net.output_gain)
    if largest > RANGE or smallest < 1 / RANGE:
        raise ValueError(
            f"a gain, slope or learning-rate factor is {largest if largest > RANGE else smallest:g}"
            f", expected {1 / RANGE:g} to {RANGE:g}: the sums hold its fourth power; use a number "
            "nearer to 1, or finitewidth.KernelLaw."
        )
    return net


def checked_input(net: MLP, x: ArrayLike) -> Float[np.ndarray, " n_in"]:
    """An input of shape [n_in] in float64.

    Raises
    ------
    ValueError
        For another shape, numbers that are not finite, and an input of zeros.
    TypeError
        For something that is not numbers.
    """
    try:
        array = np.asarray(x, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"x is {type(x).__name__}, expected {net.n_in} numbers.") from None
    if array.shape != (net.n_in,):
        raise ValueError(f"x has shape {list(array.shape)}, expected [{net.n_in}] (one input).")
    if not np.isfinite(array).all():
        raise ValueError("x holds numbers that are not finite, expected finite numbers only.")
    if not array.any():
        raise ValueError("x is zero, expected an input that is not: no path carries a weight.")
    return array


def power_sums_of(
    net: MLP, x: ArrayLike | None, power_sums: Sequence[float] | None
) -> tuple[float, float]:
    """|x|_2² and |x|_4⁴ of an input, of given sums, or of all ones.

    Raises
    ------
    ValueError
        If both are given, or if no input has such sums.
    TypeError
        For something that is not two numbers.
    """
    if power_sums is None:
        array = np.ones(net.n_in) if x is None else checked_input(net, x)
        return float(np.sum(array**2)), float(np.sum(array**4))
    if x is not None:
        raise ValueError("x and power_sums were both given; give one of them.")
    try:
        square, fourth = (float(one) for one in power_sums)
    except (TypeError, ValueError):
        raise TypeError(
            f"power_sums is {power_sums!r}, expected two numbers (|x|_2^2, |x|_4^4)."
        ) from None
    if not (0.0 < fourth <= square**2 * (1.0 + 1e-9) < np.inf):
        raise ValueError(
            f"power_sums is ({square:g}, {fourth:g}), which no input has; expected "
            "0 < |x|_4^4 ≤ (|x|_2^2)²."
        )
    return square, fourth
