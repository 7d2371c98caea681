"""Kernels from factored gradients, in the cheaper of two orders.

*Gram*: contract left with left and right with right, multiply, sum over the positions; no gradient
of a matrix is ever formed. *Full*: form the gradients and multiply them. With T positions, I×J
matrices, B inputs and O outputs the first costs about (B T)² (…), the second B T I J + B² I J: the
floating-point operations are counted and the smaller count wins.
"""

from math import prod

import torch

from finitewidth.measure.kernel.factors import Factor, Full, Outer


def contract(first: Factor, second: Factor, *, trace: bool) -> torch.Tensor:
    """Σ_θ ∂N_o(x_b) ∂N_p(y_c).

    Parameters
    ----------
    first, second : Factor
        Of one parameter at inputs x (B of them) and y (C of them).
    trace : bool
        Sum over o = p instead of keeping both.

    Returns
    -------
    tensor [B, C] if `trace`, else [B, O, C, P]
    """
    if isinstance(first, Outer) and isinstance(second, Outer):
        gram, full = _costs(first, second, trace=trace)
        if gram <= full:
            return _in_pieces(first, second, trace=trace)
    left = first.full()
    right = left if second is first else second.full()
    if trace:
        return left.flatten(1) @ right.flatten(1).T
    return (left.flatten(0, 1) @ right.flatten(0, 1).T).view(*left.shape[:2], *right.shape[:2])


def _costs(first: Outer, second: Outer, *, trace: bool) -> tuple[float, float]:
    """Multiply-adds of both orders."""
    b, _, t, i = first.left.shape
    c, _, s, _ = second.left.shape
    j = first.right.shape[3]
    o, p = first.outputs, second.outputs
    if trace:
        gram = float(b * t * c * s) * (first.left.shape[1] * i + first.right.shape[1] * j)
        if first.left.shape[1] > 1 and first.right.shape[1] > 1:
            gram = float(b * t * c * s) * o * (i + j)
        product = float(b * c) * o * i * j
    else:
        gram = float(b * t * c * s) * (
            first.left.shape[1] * second.left.shape[1] * i
            + first.right.shape[1] * second.right.shape[1] * j
            + o * p
        )
        product = float(b * o) * (c * p) * i * j
    return gram, product + float(b * o * t + c * p * s) * i * j


_PRODUCTS = 2**25
"""Inner products that are held at once."""


def _in_pieces(first: Outer, second: Outer, *, trace: bool) -> torch.Tensor:
    """The gram order, over as many inputs of the first at once as memory allows."""
    b, _, t, _ = first.left.shape
    c, _, s, _ = second.left.shape
    pairs = 1 if trace else first.outputs * second.outputs
    step = max(1, _PRODUCTS // max(1, t * c * s * pairs))
    if step >= b:
        return _gram(first, second, trace=trace)
    pieces = [
        _gram(Outer(first.left[k : k + step], first.right[k : k + step]), second, trace=trace)
        for k in range(0, b, step)
    ]
    return torch.cat(pieces)


def _gram(first: Outer, second: Outer, *, trace: bool) -> torch.Tensor:
    if trace:
        return _traced_gram(first, second)
    left = _pairs(first.left, second.left)
    right = _pairs(first.right, second.right)
    # [B, O, T, C, P, S] each, the axes of length 1 broadcast
    return (left * right).sum(dim=(2, 5))


def _pairs(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Inner products of the last axis, [*x.shape[:3], *y.shape[:3]]."""
    rows, columns = x.reshape(-1, x.shape[3]), y.reshape(-1, y.shape[3])
    return (rows @ columns.T).view(*x.shape[:3], *y.shape[:3])


def _traced_gram(first: Outer, second: Outer) -> torch.Tensor:
    if first.left.shape[1] > 1 and first.right.shape[1] > 1:
        total = None
        for output in range(first.outputs):
            one, two = _at(first, output), _at(second, output)
            term = _traced_gram(one, two)
            total = term if total is None else total + term
        assert total is not None
        return total
    products = []
    for x, y in ((first.left, second.left), (first.right, second.right)):
        # sum over outputs and features: [B, O, T, I] -> [B, T, O·I]
        rows = x.transpose(1, 2).flatten(2)
        columns = y.transpose(1, 2).flatten(2)
        inner = rows.reshape(-1, rows.shape[2]) @ columns.reshape(-1, columns.shape[2]).T
        products.append(inner.view(*rows.shape[:2], *columns.shape[:2]))
    return (products[0] * products[1]).sum(dim=(1, 3))


def _at(factor: Outer, output: int) -> Outer:
    left, right = (
        side[:, output : output + 1] if side.shape[1] > 1 else side
        for side in (factor.left, factor.right)
    )
    return Outer(left, right)


def size_in_bytes(factor: Factor) -> int:
    """Memory of a factor."""
    tensors = [factor.gradient] if isinstance(factor, Full) else [factor.left, factor.right]
    return sum(prod(tensor.shape) * tensor.element_size() for tensor in tensors)
