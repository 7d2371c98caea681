"""Parameters that are added or multiplied elementwise, broadcast over the leading axes."""

import torch

from finitewidth.measure.kernel.operations.rows import FullRows, Gradients, Rows
from finitewidth.measure.model.graph import Use


def leading_axes(parameter: torch.Tensor, axes: int) -> int:
    """How many leading axes of a result the parameter is constant along."""
    shape = [1] * (axes - parameter.dim()) + list(parameter.shape)
    return next((axis for axis, size in enumerate(shape) if size > 1), axes)


def add(use: Use, parameter: torch.Tensor, gradients: Gradients) -> Rows | None:
    """x + α·parameter, or parameter + α·x."""
    if use.transposed:
        return None
    if use.place == 1:
        gradients = gradients * use.node._saved_alpha
    return _reduced(parameter, gradients)


def mul(use: Use, parameter: torch.Tensor, gradients: Gradients) -> Rows | None:
    """x · parameter."""
    if use.transposed:
        return None
    other = use.node._saved_other if use.place == 0 else use.node._saved_self
    if other is None or not isinstance(other, torch.Tensor):
        return None
    return _reduced(parameter, gradients * other)


def _reduced(parameter: torch.Tensor, gradients: Gradients) -> Rows | None:
    axes = gradients.dim() - 1
    leading = leading_axes(parameter, axes)
    if leading == 0:
        return None
    inner = gradients.flatten(1, leading)  # [O, R, …]
    shape = ([1] * (axes - parameter.dim()) + list(parameter.shape))[leading:]
    spread = [2 + axis for axis, size in enumerate(shape) if size == 1]
    if spread:
        inner = inner.sum(dim=spread, keepdim=True)
    return FullRows(inner.reshape(*inner.shape[:2], -1))
