"""Up to which learning rate the first order holds."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from finitewidth._shapes import Float

REACH = 10
"""Halvings and doublings of the given rate that are tried."""


@dataclass(frozen=True)
class Range:
    """A learning rate, to a factor of 2.

    Attributes
    ----------
    rate : float or None
        As `KernelUpdate.first_order_range`.
    note : str
        What to know about it, or empty.
    """

    rate: float | None
    note: str = ""


def first_order_range(
    learning_rate: float,
    first_order: Float[np.ndarray, "B B"],
    change: Callable[[float], np.ndarray | None],
    tolerance: float,
) -> Range:
    """By halving the rate until the first order holds, or doubling it until it does not.

    Parameters
    ----------
    learning_rate : float
        λ, where the search starts.
    first_order : array [B, B]
        At λ.
    change : callable
        The actual change of the kernel at a rate, None where it is not finite.
    tolerance : float
        It holds where ‖actual − first order‖ ≤ tolerance ‖first order‖ (Frobenius).
    """
    size = float(np.linalg.norm(first_order))
    if size == 0.0:
        return Range(None, "The first order is 0, so there is no range of it.")

    def holds(power: int) -> bool:
        found = change(learning_rate * 2.0**power)
        if found is None:
            return False
        return bool(np.linalg.norm(found / 2.0**power - first_order) <= tolerance * size)

    if holds(0):
        for power in range(1, REACH + 1):
            if not holds(power):
                return Range(learning_rate * 2.0 ** (power - 1))
        largest = learning_rate * 2.0**REACH
        return Range(largest, f"It still holds at the largest rate tried, {largest:.3g}.")
    for power in range(-1, -REACH - 1, -1):
        if holds(power):
            return Range(learning_rate * 2.0**power)
    smallest = learning_rate * 2.0**-REACH
    return Range(None, f"It does not hold at the smallest rate tried, {smallest:.3g}.")
