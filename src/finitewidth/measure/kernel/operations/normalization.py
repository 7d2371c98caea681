"""Normalisation layers: their weight multiplies the normalised input, their bias is added."""

import torch

from finitewidth.measure.kernel.operations.rows import FullRows, Gradients, Rows
from finitewidth.measure.model.graph import Use


def layer_norm(use: Use, parameter: torch.Tensor, gradients: Gradients) -> Rows | None:
    """The scale or the shift of a LayerNorm."""
    if use.transposed or use.place not in (1, 2):
        return None
    if use.place == 1:
        node = use.node
        gradients = gradients * ((node._saved_input - node._saved_result1) * node._saved_result2)
    size = parameter.numel()
    return FullRows(gradients.reshape(gradients.shape[0], -1, size))


def group_norm(use: Use, parameter: torch.Tensor, gradients: Gradients) -> Rows | None:
    """GroupNorm: mean and scale of each input's groups of channels."""
    if use.transposed or use.place not in (1, 2):
        return None
    if use.place == 1:
        node = use.node
        x = node._saved_input
        grouped = x.reshape(x.shape[0], node._saved_group, -1)
        mean, scale = (
            s.reshape(x.shape[0], -1, 1) for s in (node._saved_result1, node._saved_result2)
        )
        gradients = gradients * ((grouped - mean) * scale).reshape(x.shape)
    return _over_positions(gradients, parameter)


def batch_norm(use: Use, parameter: torch.Tensor, gradients: Gradients) -> Rows | None:
    """BatchNorm in eval mode: running statistics."""
    node = use.node
    if use.transposed or use.place not in (1, 2) or node._saved_training:
        return None
    if use.place == 1:
        x = node._saved_input
        shape = [1, -1] + [1] * (x.dim() - 2)
        mean, variance = (
            s.view(shape) for s in (node._saved_running_mean, node._saved_running_var)
        )
        gradients = gradients * ((x - mean) * torch.rsqrt(variance + node._saved_eps))
    return _over_positions(gradients, parameter)


def _over_positions(gradients: torch.Tensor, parameter: torch.Tensor) -> Rows:
    """Sum over everything behind the channels: [O, N, C, …] to [O, N, C]."""
    del parameter
    return FullRows(gradients.flatten(3).sum(dim=3) if gradients.dim() > 3 else gradients)
