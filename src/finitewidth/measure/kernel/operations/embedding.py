"""Embedding tables: a row of the table for every index."""

import torch
from torch.nn import functional

from finitewidth.measure.kernel.operations.rows import Gradients, OuterRows, Rows
from finitewidth.measure.model.graph import Use


def embedding(use: Use, parameter: torch.Tensor, gradients: Gradients) -> Rows | None:
    """The table's gradient: the one-hot index times the gradient of its row."""
    node = use.node
    if use.transposed or node._saved_scale_grad_by_freq:
        return None
    indices = node._saved_indices.reshape(-1)
    chosen = functional.one_hot(indices, parameter.shape[0]).to(gradients.dtype)
    padding = node._saved_padding_idx
    if 0 <= padding < parameter.shape[0]:
        chosen = chosen * (indices != padding)[:, None]
    above = gradients.reshape(gradients.shape[0], -1, parameter.shape[1])
    return OuterRows(chosen[None, :, None, :], above[:, :, None, :])
