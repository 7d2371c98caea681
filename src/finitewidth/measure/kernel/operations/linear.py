"""Matrix products: Linear on any number of axes, `x @ W`, and what decomposes into them."""

import torch

from finitewidth.measure.kernel.operations.rows import FullRows, Gradients, OuterRows, Rows
from finitewidth.measure.model.graph import Use


def addmm(use: Use, parameter: torch.Tensor, gradients: Gradients) -> Rows | None:
    """β·bias + α·(x @ M): the bias, or the matrix M = W or Wᵀ."""
    if use.place == 0 and not use.transposed and parameter.dim() == 1:
        return FullRows(gradients).scaled(use.node._saved_beta)
    if use.place == 2:
        x, factor = use.node._saved_mat1, use.node._saved_alpha
        if factor != 1:
            x = x * factor
        return _matrix(use, x, gradients)
    return None


def mm(use: Use, parameter: torch.Tensor, gradients: Gradients) -> Rows | None:
    """x @ M with M = W or Wᵀ."""
    del parameter
    return _matrix(use, use.node._saved_self, gradients) if use.place == 1 else None


def _matrix(use: Use, x: torch.Tensor, gradients: Gradients) -> OuterRows | None:
    if x.layout != torch.strided:
        return None
    activations, above = x[None, :, None, :], gradients[:, :, None, :]
    return OuterRows(above, activations) if use.transposed else OuterRows(activations, above)
