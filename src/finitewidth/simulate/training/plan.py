"""What a run costs, stored and deferred, in time and in memory: the choice, and the refusals."""

import importlib.util
from dataclasses import dataclass
from typing import SupportsIndex

from finitewidth._memory import available, readable
from finitewidth._whole_number import whole_number
from finitewidth.network import MLP
from finitewidth.simulate.memory import LAYER

DRAW = 150.0
"""What a normal random number costs, in multiply-adds of a product with few rows; measured: 140 to
400, by precision and by whether the matrix fits into the cache."""

PASSES = 6.0
"""How often a deferred product goes over the queried directions: projected twice on its own side,
once on the other, and again when it is normalised."""

PREFERENCE = 3.0
"""Stored matrices are taken unless deferred ones are this much cheaper: a stored network is that
of `ensemble` with the same seed, and the count above is rough."""


ROOM = 1.15
"""Peak of the directions and answers over what they take in the end. Measured peaks of whole runs,
with 1 to 16 inputs and 3 to 20 steps, are 0.55 to 0.99 of the estimate that this makes."""

STORED = 2**22
"""Weights of a network up to which `ensemble` stores them without asking what is cheaper."""


@dataclass(frozen=True)
class Load:
    """The products that a step asks of every matrix.

    Attributes
    ----------
    right, left, gradient : int
        Rows from the right, rows from the left, and rows of a gradient.
    steps : int
    momentum : bool
    itemsize : int
        Bytes of a number.
    results : int
        Bytes of the results of one network.
    """

    right: int
    left: int
    gradient: int
    steps: int
    momentum: bool
    itemsize: int
    results: int


def _shapes(net: MLP) -> list[tuple[int, int]]:
    return [(layer.fan_in, layer.fan_out) for layer in net.layers()]


def dense_cost(net: MLP, load: Load) -> float:
    """Multiply-adds of one network whose matrices are stored."""
    weights = sum(a * b for a, b in _shapes(net))
    a_step = load.right + load.left + load.gradient + (2 if load.momentum else 0)
    return weights * (DRAW + (load.steps + 1) * a_step)


def deferred_cost(net: MLP, load: Load) -> float:
    """Multiply-adds of one network whose matrices are deferred."""
    total = 0.0
    for fan_in, fan_out in _shapes(net):
        for done in range(load.steps + 1):
            right = min((done + 1) * load.right, fan_in)
            left = min((done + 1) * load.left, fan_out)
            rows = load.right + load.left + 2 * load.gradient
            total += PASSES * rows * (right * fan_in + left * fan_out)
            fresh_right = min(load.right, fan_in - min(done * load.right, fan_in))
            fresh_left = min(load.left, fan_out - min(done * load.left, fan_out))
            total += DRAW * (fresh_right * fan_out + fresh_left * fan_in)
    return total


def dense_bytes(net: MLP, load: Load) -> int:
    """Bytes that a network takes whose matrices are stored, at the peak."""
    weights = sum(a * b for a, b in _shapes(net))
    held = load.itemsize * weights * (2 if load.momentum else 1)
    drawing = weights * (8 if load.itemsize == 8 else 12)  # drawn in float64, then converted
    return max(held, drawing) + _activations(net, load)


def deferred_bytes(net: MLP, load: Load) -> int:
    """Bytes that a network takes whose matrices are deferred, at the peak."""
    numbers = 0
    for fan_in, fan_out in _shapes(net):
        right = min((load.steps + 1) * load.right, fan_in)
        left = min((load.steps + 1) * load.left, fan_out)
        # Queried directions and their answers, and copies while they grow (see ROOM).
        numbers += int(ROOM * (right + left) * (fan_in + fan_out))
        numbers += 3 * right * left
    return load.itemsize * numbers + _activations(net, load)


def _activations(net: MLP, load: Load) -> int:
    """Bytes of passes, gradients and the temporary arrays of a step."""
    neurons = net.n_in + sum(fan_out for _, fan_out in _shapes(net))
    rows = 4 * load.right + 2 * load.left + 2 * load.gradient
    return load.itemsize * neurons * rows + 24 * load.right**2 + LAYER * net.depth


def can_defer(net: MLP) -> bool:
    """Whether the network's matrices can be deferred: Gaussian weights, and PyTorch is there."""
    return net.law.is_gaussian and importlib.util.find_spec("torch") is not None


def choose(net: MLP, load: Load, method: str, most: int) -> str:
    """The method: what was asked for, or the cheaper one that fits into `most` bytes.

    Raises
    ------
    ValueError
        For a deferred run of weights that are not Gaussian.
    """
    if method == "deferred" and not net.law.is_gaussian:
        raise ValueError(
            f'method is "deferred" and the weight law {net.law.name!r}, but only Gaussian weights '
            'need not be drawn in full; use weight_law="gaussian", or method="dense".'
        )
    if method != "auto":
        return method
    if not can_defer(net):
        return "dense"
    fits = dense_bytes(net, load) + load.results <= most
    if deferred_bytes(net, load) + load.results > most:
        return "dense"
    cheaper = PREFERENCE * deferred_cost(net, load) < dense_cost(net, load)
    return "deferred" if cheaper or not fits else "dense"


def allowed(budget: SupportsIndex | None) -> int:
    """Bytes that a run may use: the budget, or half of what is free."""
    return available() // 2 if budget is None else whole_number(budget, "memory_budget", 1)


def at_once(net: MLP, load: Load, method: str, size: int, most: int) -> int:
    """How many networks may be held at once.

    Raises
    ------
    ValueError
        If the results and one network do not fit into `most` bytes.
    """
    one = dense_bytes(net, load) if method == "dense" else deferred_bytes(net, load)
    # With several stored networks, the fresh draw of one before it is copied to its place.
    once = 8 * sum(a * b for a, b in _shapes(net)) if method == "dense" and size > 1 else 0
    results, least = load.results * size, once + one
    if results + least > most:
        remedy = "lower size, steps or the probe set" if results > least else "lower the widths"
        if method == "dense" and can_defer(net) and deferred_bytes(net, load) + results <= most:
            remedy = 'use method="deferred"'
        raise ValueError(
            f"training {size} network(s) for {load.steps} step(s) needs "
            f"{readable(results + least)} ({readable(results)} of results and {readable(least)} "
            f"for one network at a time, {method}), more than the memory budget of "
            f"{readable(most)}; {remedy}, or raise memory_budget."
        )
    return max(1, (most - results - once) // one)


def needs_torch(device: object) -> None:
    """Raise a RuntimeError if PyTorch is missing or cannot use the device."""
    try:
        import torch
    except ImportError:
        raise RuntimeError(
            "this simulation needs PyTorch, which is not installed; install finitewidth[torch]."
        ) from None
    try:
        torch.empty(0, device=device)  # type: ignore[arg-type]
    except (RuntimeError, TypeError, AssertionError) as error:
        raise RuntimeError(
            f"device is {device!r}, which this PyTorch cannot use ({str(error).splitlines()[0]}); "
            'use device="cpu".'
        ) from None
