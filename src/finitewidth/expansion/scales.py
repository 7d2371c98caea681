"""The numbers of each layer that the recursions read, and the checks that they can."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from finitewidth._large import check_cost
from finitewidth._shapes import Float
from finitewidth.network import MLP

# Averages over four inputs are squares of the kernel: this is what a double holds of it.
SMALLEST, LARGEST = 1e-140, 1e140
FACTORS = 1e-70, 1e70


@dataclass(frozen=True)
class Scale:
    """z' = γ z + α (b + Ŵ σ(z)) from layer j − 1 to layer j.

    Attributes
    ----------
    index : int
        j.
    gain : float
        C = c_j n_{j−1}, of the variance C/n of a weight; for j = 1 it is c_1 itself.
    rate : float
        λ_j n_{j−1}, for j = 1 λ_1: the weights' factor in the kernel, λ_j for each of them.
    inverse_width : float
        1/n_{j−1}, the size of the fluctuations of this layer; 0 for j = 1.
    bias_variance, bias_rate : float
        C_b, and the learning-rate factor of a bias.
    alpha, gamma : float
        1 and 0, except between hidden layers of a residual network.
    """

    index: int
    gain: float
    rate: float
    inverse_width: float
    bias_variance: float
    bias_rate: float
    alpha: float
    gamma: float


def scales(net: MLP) -> Iterator[Scale]:
    """The scales of layers j = 1 … d."""
    bias_rate = net.bias_lr if net.trains_biases else 0.0
    for layer in net.layers():
        first = layer.index == 1
        inner = net.residual is not None and not first and not layer.is_output
        alpha, gamma = net.residual if inner and net.residual is not None else (1.0, 0.0)
        n = 1 if first else layer.fan_in
        yield Scale(
            layer.index, layer.weight_variance * n, layer.weight_lr * n, 0.0 if first else 1 / n,
            net.bias_variance, bias_rate, alpha, gamma,
        )  # fmt: skip


def expandable(net: object) -> MLP:
    """The network, if its weights are Gaussian.

    Raises
    ------
    TypeError
        If it is not an MLP.
    ValueError
        For another weight law, or a residual network whose hidden widths differ.
    """
    if not isinstance(net, MLP):
        raise TypeError(f"net is a {type(net).__name__}, expected an MLP.")
    if not net.law.is_gaussian:
        raise ValueError(
            f"the expansion needs Gaussian weights and this network's are {net.law.name!r}; use "
            'weight_law="gaussian", or fw.simulate.ensemble, which takes any law.'
        )
    for name in ("output_gain", "bias_lr"):
        value = getattr(net, name)
        if value and not FACTORS[0] <= value <= FACTORS[1]:
            raise ValueError(
                f"{name} is {value:g}, expected {FACTORS[0]:g} to {FACTORS[1]:g}: the kernel's "
                "variance holds its square; use a number nearer to 1."
            )
    if net.residual is not None and len(net.runs) > 1:
        raise ValueError(
            "residual connections need equal hidden widths, but the widths are "
            f"{net.widths}; use MLP.equal_width, or residual=None."
        )
    return net


LIMIT, ORDER = 0.1, 1.0
"""Costs of a layer at infinite width, and of its order 1/n."""


def check_layers(net: MLP, inputs: int, share: float) -> None:
    """Refuse a network whose layers take longer than was asked for.

    Parameters
    ----------
    net : MLP
    inputs : int
        B.
    share : float
        Of the time that first order in 1/n takes: a millisecond a layer for one input, else
        7 ms · B² (measured, for kinked and for smooth activations).
    """
    seconds = share * net.depth * (1e-3 if inputs == 1 else 7e-3 * inputs**2)
    check_cost(
        f"the expansion of {net.depth} layers at {inputs} input(s)",
        seconds,
        500.0 * net.depth * inputs**2,
        "ask for fewer layers or inputs",
    )


def input_rows(net: MLP, X: ArrayLike, name: str = "X") -> Float[np.ndarray, "B n_in"]:
    """The inputs as rows.

    Raises
    ------
    TypeError
        If they are not real numbers.
    ValueError
        For another shape, or entries that are not finite.
    """
    rows = np.asarray(X)
    if rows.dtype.kind not in "fiub":
        raise TypeError(f"{name} has entries of type {rows.dtype}, expected real numbers.")
    rows = rows.astype(float)
    if rows.ndim == 1:
        rows = rows[None]
    if rows.ndim != 2 or rows.shape[1] != net.n_in or not len(rows):
        raise ValueError(
            f"{name} has shape {np.shape(X)}, expected [B, {net.n_in}] with at least one row, or "
            f"[{net.n_in}]: one row for each input of {net.n_in} numbers."
        )
    if not np.isfinite(rows).all():
        raise ValueError(f"{name} has entries that are not finite; remove them.")
    return rows


def numbers(value: ArrayLike, name: str, shapes: tuple[tuple[int, ...], ...]) -> np.ndarray:
    """Finite real numbers of one of the shapes, or one sentence that says what they are."""
    found = np.asarray(value)
    if found.dtype.kind not in "fiub":
        raise TypeError(f"{name} has entries of type {found.dtype}, expected real numbers.")
    if found.shape not in shapes:
        expected = " or ".join(str(list(shape)) for shape in shapes)
        raise ValueError(f"{name} has shape {list(found.shape)}, expected {expected}.")
    if not np.isfinite(found).all():
        raise ValueError(f"{name} has entries that are not finite; remove them.")
    return found.astype(float)


def check_range(kernel: Float[np.ndarray, "B B"], index: int) -> None:
    """Stop before squares of the kernel over- or underflow.

    Raises
    ------
    RuntimeError
        If a diagonal entry is beyond what a double can square.
    """
    diagonal = np.diagonal(kernel)
    bad = ~np.isfinite(diagonal) | (diagonal > LARGEST) | ((diagonal > 0) & (diagonal < SMALLEST))
    if bad.any():
        raise RuntimeError(
            f"the variance of the pre-activations is {diagonal[bad][0]:.3g} in layer {index}, "
            f"outside {SMALLEST:g} to {LARGEST:g}, where its square leaves float64; use fewer "
            "layers, a hidden_gain nearer to the critical one (fw.expansion.criticality), or "
            "inputs of another size."
        )
