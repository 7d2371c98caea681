"""Convolutions in one, two and three dimensions, grouped, dilated, strided, transposed."""

from typing import Any

import torch
from torch.nn import functional

from finitewidth.measure.kernel.operations.rows import FullRows, Gradients, OuterRows, Rows
from finitewidth.measure.model.graph import Use


def convolution(use: Use, parameter: torch.Tensor, gradients: Gradients) -> Rows | None:
    """The bias, or the weight as outer products of patches and gradients, one a position."""
    if use.transposed:
        return None
    if use.place == 2:
        return FullRows(gradients.flatten(3).sum(dim=3))
    if use.place != 1:
        return None
    node = use.node
    if node._saved_transposed:
        return None
    patches = unfold(
        node._saved_input, parameter.shape[2:], node._saved_stride, node._saved_padding,
        node._saved_dilation,
    )  # fmt: skip
    outputs, rows = gradients.shape[:2]
    positions = gradients.flatten(3)  # [O, N, C_out, L]
    groups = node._saved_groups
    if groups == 1:
        return OuterRows(positions.transpose(2, 3), patches.transpose(1, 2)[None])
    # one block of rows and columns a group: [O, N, G, C_out/G, L] with [N, G, C_in/G·k, L]
    above = positions.view(outputs, rows, groups, -1, positions.shape[3])
    below = patches.view(rows, groups, -1, patches.shape[2])
    return FullRows(torch.einsum("ongcl,ngkl->ongck", above, below).flatten(2))


def unfold(x: torch.Tensor, kernel: Any, stride: Any, padding: Any, dilation: Any) -> torch.Tensor:
    """Patches under the kernel at every position.

    Parameters
    ----------
    x : tensor [N, C, *spatial]
    kernel, stride, padding, dilation : sequence of int
        One a spatial axis.

    Returns
    -------
    tensor [N, C·prod(kernel), L]
        Columns in the order of a convolution's weight, L positions in the order of its result. A
        copy of a strided view, which in two dimensions takes half the time of `nn.Unfold`.
    """
    sides = [side for amount in reversed(list(padding)) for side in (amount, amount)]
    padded = functional.pad(x, sides)
    for axis, (size, step, gap) in enumerate(zip(kernel, stride, dilation, strict=True)):
        span = (size - 1) * gap + 1
        padded = padded.unfold(2 + axis, span, step)[..., ::gap]
    # [N, C, *positions, *kernel] -> [N, C, *kernel, *positions]
    spatial = len(list(kernel))
    order = [0, 1, *range(2 + spatial, 2 + 2 * spatial), *range(2, 2 + spatial)]
    patches = padded.permute(order)
    return patches.flatten(2 + spatial).flatten(1, 1 + spatial)
