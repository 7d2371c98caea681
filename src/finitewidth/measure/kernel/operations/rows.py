"""The contract of the operations: a parameter's gradient, row by row."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from finitewidth.measure.model.graph import Use


@dataclass(frozen=True)
class OuterRows:
    """Row r, output o: Σ_t left[o or 0, r, t] ⊗ right[o or 0, r, t].

    Attributes
    ----------
    left : tensor [O or 1, R, T, I]
    right : tensor [O or 1, R, T, J]
    """

    left: torch.Tensor
    right: torch.Tensor

    def scaled(self, factor: float) -> "OuterRows":
        """For a parameter that enters as factor · θ."""
        return OuterRows(self.left * factor, self.right)


@dataclass(frozen=True)
class FullRows:
    """Row r, output o: gradient[o, r].

    Attributes
    ----------
    gradient : tensor [O, R, P]
    """

    gradient: torch.Tensor

    def scaled(self, factor: float) -> "FullRows":
        """For a parameter that enters as factor · θ."""
        return self if factor == 1 else FullRows(self.gradient * factor)


Rows = OuterRows | FullRows

Gradients = torch.Tensor
"""[O, *shape of the operation's result]: gradients of the outputs with respect to it."""

Operation = Callable[[Use, torch.Tensor, Gradients], Rows | None]
"""(use, parameter, gradients) to rows, or None where this use is of another form.

A row is one entry of the leading axes of the operation's result: `leading` says how many axes.
"""


@dataclass(frozen=True)
class Entry:
    """An operation of the registry.

    Attributes
    ----------
    rows : Operation
    leading : callable
        (use, parameter, number of axes of the result) to the number of leading axes that count
        rows.
    """

    rows: Operation
    leading: Callable[[Use, torch.Tensor, int], int]
