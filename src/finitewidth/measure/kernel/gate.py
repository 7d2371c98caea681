"""Outputs that differ by weights alone.

Below the last layer and a ReLU, the gradient of output o is u[o, j] times a gate m[r, j] that all
outputs share, and products of the gates are formed once instead of once for every pair of outputs.
Gates of 0 and 1 are recognised bit by bit; whatever else is left as it is.
"""

from dataclasses import dataclass

import torch

from finitewidth.measure.kernel.operations.rows import OuterRows, Rows


@dataclass(frozen=True)
class GatedRows:
    """Rows of one output, and the weights [O, I or J] of all outputs on one side."""

    rows: OuterRows
    weights: torch.Tensor
    on_left: bool


def gated(rows: Rows) -> GatedRows | None:
    """Gate and weights, if that is what the gradients are.

    Parameters
    ----------
    rows : Rows
        Of a parameter's only use.
    """
    if not isinstance(rows, OuterRows):
        return None
    left, right = rows.left, rows.right
    if left.shape[0] > 1 and right.shape[0] == 1:
        found = _split(left)
        return found and GatedRows(OuterRows(found[0][None], right), found[1], True)
    if right.shape[0] > 1 and left.shape[0] == 1:
        found = _split(right)
        return found and GatedRows(OuterRows(left, found[0][None]), found[1], False)
    return None


def _split(side: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor] | None:
    """[O, R, T, J] to gate [R, T, J] and weights [O, J]."""
    if _gate(side[:, :4, :8, :16]) is None:  # nearly always decided here
        return None
    return _gate(side)


def _gate(side: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor] | None:
    high, low = side.amax(dim=(1, 2)), side.amin(dim=(1, 2))
    weights = torch.where(high > 0, high, low)
    is_open = (side != 0).any(dim=0)
    zero = side.new_zeros(())
    same = torch.where(is_open, weights[:, None, None], zero) == side
    return (is_open.to(side.dtype), weights) if bool(same.all()) else None
