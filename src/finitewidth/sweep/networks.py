"""The network and the input that a cell's inputs describe."""

from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np

from finitewidth._shapes import Float
from finitewidth.data.digits import digit
from finitewidth.network import MLP

FIELDS = (
    "activation", "negative_slope", "weight_law", "hidden_gain", "output_gain", "bias",
    "bias_variance", "bias_lr", "parametrization",
)  # fmt: skip


def network(inputs: Mapping[str, Any]) -> MLP:
    """The network of a cell.

    Raises
    ------
    ValueError
        As `MLP`.
    """
    fields = {name: inputs[name] for name in FIELDS}
    if "widths" in inputs:
        return MLP(inputs["n_in"], inputs["widths"], **fields)
    return MLP.equal_width(inputs["n_in"], inputs.get("width", 1), inputs["depth"] - 1, **fields)


def hidden_widths(inputs: Mapping[str, Any]) -> list[tuple[int, int]]:
    """(width, number of layers) of the hidden layers, without checking them."""
    if "widths" in inputs:
        return [(width, 1) for width in inputs["widths"]]
    return [(inputs.get("width", 1), inputs["depth"] - 1)]


def weights(inputs: Mapping[str, Any]) -> float:
    """Number of weights of a network."""
    total, fan_in = 0.0, float(inputs["n_in"])
    for width, count in hidden_widths(inputs):
        if count:
            total += fan_in * width + (count - 1.0) * width**2
            fan_in = float(width)
    return total + fan_in


def layers(inputs: Mapping[str, Any]) -> int:
    """Weight layers."""
    return 1 + sum(count for _, count in hidden_widths(inputs))


def power_sums(inputs: Mapping[str, Any]) -> tuple[float, ...]:
    """(|x|_2^2, |x|_4^4, …) of the input, as far as they are known."""
    given = inputs["input"]
    if given == "ones":
        return (float(inputs["n_in"]),) * 4
    if isinstance(given, str):
        x = vector(inputs)
        return tuple(float((x**order).sum()) for order in (2, 4, 6, 8))
    return tuple(given)


def vector(inputs: Mapping[str, Any]) -> Float[np.ndarray, " n_in"]:
    """The input itself.

    Raises
    ------
    ValueError
        For power sums that do not say what it is, or an image that does not exist.
    """
    given, n_in = inputs["input"], inputs["n_in"]
    if given == "ones":
        return np.ones(n_in)
    if isinstance(given, str):
        return _digit(given, n_in)
    if len(given) > 1 or inputs["weight_law"] != "gaussian":
        raise ValueError(
            f"input is the power sums {given}, but networks that are drawn can use |x|² alone, and "
            "with Gaussian weights only; use input ones or digits:I."
        )
    return np.full(n_in, sqrt(given[0] / n_in))


def _digit(name: str, n_in: int) -> Float[np.ndarray, " n_in"]:
    pixels = digit(name, "input")
    if n_in != len(pixels):
        raise ValueError(f"input is {name!r}, which has 64 pixels, but n_in is {n_in}.")
    return pixels
