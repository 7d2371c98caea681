"""Whether two passes lay their inputs out in the same way, told from their graphs.

Which rows of an operation belong to which input is found by experiment (see `samples`), at the
price of a few backward passes. Inputs are taken a few at a time, and the answer for the first few
holds for the next where no number can decide over the layout: the same operations in the same
places, with the same shapes and indices, each known to keep inputs apart in a fixed way.
"""

from collections.abc import Hashable
from functools import cache
from typing import Any

import torch

from finitewidth.measure.model.graph import Node, nodes

FIXED = frozenset(
    word
    for words in (
        "T Transpose Permute View UnsafeView ReshapeAlias Unsqueeze Squeeze Expand Clone Alias",
        "Select Slice Split SplitWithSizes Unbind Cat Stack ToCopy ConstantPadNd",
        "Relu Threshold LeakyRelu Elu Gelu Silu Tanh Sigmoid Erf Sin Cos Exp Log Sqrt Rsqrt Pow",
        "Neg Abs Softplus Hardtanh Hardswish Mish PreluKernel MaskedFill Where Add Sub Rsub Mul",
        "Div Convolution NativeLayerNorm NativeGroupNorm NativeBatchNorm Embedding",
        "AvgPool2D AvgPool3D AdaptiveAvgPool2D AdaptiveAvgPool3D",
        "MaxPool2DWithIndices MaxPool3DWithIndices",
    )
    for word in words.split()
)
"""Elementwise, within one input, or moving rows by numbers that the node itself saves."""

REDUCTIONS = frozenset(
    ["Sum", "Mean", "Amax", "Amin", "LinalgVectorNorm", "Softmax", "SafeSoftmax", "LogSoftmax",
     "Var", "Std"]
)  # fmt: skip
"""Fixed along every axis but the first, where they could mix inputs."""

MATRIX = {"Mm": 1, "Addmm": 2}
"""Products of rows with a parameter, at this place."""

BATCHED = frozenset(
    ["Bmm", "Baddbmm", "ScaledDotProductFlashAttentionForCpu", "ScaledDotProductFlashAttention",
     "ScaledDotProductEfficientAttention", "ScaledDotProductCudnnAttention"]
)  # fmt: skip
"""Products within each entry of the first axis, which inputs must not share."""


def signature(output: torch.Tensor) -> Hashable | None:
    """Equal for graphs of the same layout; None where numbers may decide over the layout.

    Parameters
    ----------
    output : tensor [B, O]
        With its graph.
    """
    order = {node: place for place, node in enumerate(nodes(output.grad_fn))}
    found = []
    for node in order:
        kind = node.name().rstrip("0123456789").removesuffix("Backward")
        if node.name() != "torch::autograd::AccumulateGrad" and not _fixed(node, kind, len(output)):
            return None
        wiring = tuple((order.get(child), number) for child, number in node.next_functions)
        found.append((kind, wiring, _told(node)))
    return tuple(found)


def _fixed(node: Node, kind: str, batch: int) -> bool:
    if kind in FIXED:
        return True
    if kind in REDUCTIONS:
        return _keeps_first_axis(node)
    if kind in MATRIX:
        return _is_parameter(node.next_functions[MATRIX[kind]][0])
    if kind in BATCHED:
        return node._input_metadata[0].shape[0] % batch == 0
    return False


def _keeps_first_axis(node: Node) -> bool:
    dims = getattr(node, "_saved_dim", None)
    if dims is None:
        return False
    dims = dims if isinstance(dims, tuple) else (dims,)
    signed = [dim - 2**64 if dim >= 2**63 else dim for dim in dims]
    axes = len(node._input_metadata[0].shape)
    if not getattr(node, "_saved_keepdim", True):
        axes += len(dims)
    return len(dims) > 0 and all(dim % axes != 0 for dim in signed)


def _is_parameter(node: Node | None) -> bool:
    """A leaf, or one turned; a constant has no node."""
    while node is not None and node.name() == "TBackward0":
        node = node.next_functions[0][0]
    return node is not None and node.name() == "torch::autograd::AccumulateGrad"


def _told(node: Node) -> tuple[Any, ...]:
    """Shapes and saved numbers of a node."""
    saved: list[Any] = [tuple(meta.shape) for meta in node._input_metadata]
    for name in _saved(type(node)):
        value = getattr(node, name)
        if not isinstance(value, torch.Tensor):
            saved.append(value if isinstance(value, Hashable) else repr(value))
    return tuple(saved)


@cache
def _saved(kind: type) -> tuple[str, ...]:
    """Names of what a kind of node saves that may be a number."""
    return tuple(name for name in dir(kind) if name.startswith("_saved_") and name not in _TENSORS)


_TENSORS = {f"_saved_{name}" for name in ("self", "mat1", "mat2", "result", "input", "weight")}
"""Always tensors; reading one that was overwritten in place is an error."""
