"""Kernels from factored gradients, in the cheaper of two orders.

*Gram*: contract left with left and right with right, multiply, sum over the positions; no gradient
of a matrix is ever formed. *Full*: form the gradients and multiply them. With T positions, I×J
matrices, B inputs and O outputs the first costs about (B T)² (…), the second B T I J + B² I J: the
floating-point operations are counted and the smaller count wins.
"""

import torch

from finitewidth.measure.kernel.factors import Factor, Full, Gated, Outer


@torch.no_grad()
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
    first, second = without_gates(first, second, trace=trace)
    if isinstance(first, Outer) and isinstance(second, Outer):
        gram, full = costs(first, second, trace=trace)
        if gram <= full:
            return gram_order(first, second, trace=trace)
    left = first.full()
    right = left if second is first else second.full()
    if trace:
        return left.flatten(1) @ right.flatten(1).T
    return (left.flatten(0, 1) @ right.flatten(0, 1).T).view(*left.shape[:2], *right.shape[:2])


@torch.no_grad()
def output_by_output(first: Factor, second: Factor) -> torch.Tensor:
    """Σ_θ ∂N_o(x_b) ∂N_o(y_c), [B, C, O]; see `contract`."""
    one, two = (f.outer() if isinstance(f, Gated) else f for f in (first, second))
    each = [contract(one.of_output(o), two.of_output(o), trace=True) for o in range(one.outputs)]
    return torch.stack(each, dim=2)


def without_gates(first: Factor, second: Factor, *, trace: bool) -> tuple[Factor, Factor]:
    """The same kernel from gradients that are no longer gated."""
    if trace and isinstance(first, Gated) and isinstance(second, Gated):
        weights = first.common_weights(second)
        if weights is not None:
            one, two = (Gated(f.left, f.right, weights, f.on_left) for f in (first, second))
            return one.traced(), two.traced()
    one, two = (f.outer() if isinstance(f, Gated) else f for f in (first, second))
    return one, (one if second is first else two)


def costs(
    first: Outer, second: Outer, *, trace: bool, inputs: int | None = None
) -> tuple[float, float]:
    """Multiply-adds of the Gram and of the full order.

    Parameters
    ----------
    inputs : int, optional
        Count so many inputs of each instead of those that are there.
    """
    b, _, t, i = first.left.shape
    c, _, s, _ = second.left.shape
    b, c = inputs or b, inputs or c
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


_PRODUCTS = 2**22
"""Inner products that are held at once."""


def gram_order(first: Outer, second: Outer, *, trace: bool) -> torch.Tensor:
    """The Gram order, over as many inputs of the first at once as memory allows."""
    b, _, t, _ = first.left.shape
    c, _, s, _ = second.left.shape
    pairs = 1 if trace else first.outputs * second.outputs
    step = max(1, _PRODUCTS // max(1, t * c * s * pairs))
    if step >= b:
        return _gram(first, second, trace=trace)
    return torch.cat([_gram(first[k : k + step], second, trace=trace) for k in range(0, b, step)])


def _gram(first: Outer, second: Outer, *, trace: bool) -> torch.Tensor:
    if trace:
        return _traced_gram(first, second)
    left = _pairs(first.left, second.left)
    right = _pairs(first.right, second.right)
    # [B, O, T, C, P, S] each, the axes of length 1 broadcast
    larger, smaller = (right, left) if right.numel() >= left.numel() else (left, right)
    if larger.shape[1] == first.outputs and larger.shape[4] == second.outputs:
        product = larger.mul_(smaller)
    else:
        product = left * right
    if product.shape[2] == product.shape[5] == 1:
        return product[:, :, 0, :, :, 0]
    return product.sum(dim=(2, 5))


def _pairs(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Inner products of the last axis, [*x.shape[:3], *y.shape[:3]]."""
    rows, columns = x.reshape(-1, x.shape[3]), y.reshape(-1, y.shape[3])
    return (rows @ columns.T).view(*x.shape[:3], *y.shape[:3])


def _traced_gram(first: Outer, second: Outer) -> torch.Tensor:
    if first.left.shape[1] > 1 and first.right.shape[1] > 1:
        total = None
        for output in range(first.outputs):
            term = _traced_gram(first.of_output(output), second.of_output(output))
            total = term if total is None else total.add_(term)
        assert total is not None
        return total
    products = []
    for x, y in ((first.left, second.left), (first.right, second.right)):
        # sum over outputs and features: [B, O, T, I] -> [B, T, O·I]
        rows = x.transpose(1, 2).flatten(2)
        columns = y.transpose(1, 2).flatten(2)
        inner = rows.reshape(-1, rows.shape[2]) @ columns.reshape(-1, columns.shape[2]).T
        products.append(inner.view(*rows.shape[:2], *columns.shape[:2]))
    product = products[0].mul_(products[1])
    if product.shape[1] == product.shape[3] == 1:
        return product[:, 0, :, 0]
    return product.sum(dim=(1, 3))


def prefers_full(factor: Factor, inputs: int, *, trace: bool) -> bool:
    """Whether a kernel of so many inputs takes the full order."""
    if isinstance(factor, Full):
        return True
    outer = factor if isinstance(factor, Outer) else factor.plain
    gram, full = costs(outer, outer, trace=trace, inputs=inputs)
    return full < gram
