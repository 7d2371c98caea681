"""dK/dλ along one gradient step, by differentiating the model's derivative along it."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from finitewidth._memory import available, readable
from finitewidth.measure.model.batch import Batch
from finitewidth.measure.model.model import Model

CHUNK = 2**29
"""Bytes of gradients kept at once where more would save nothing: outputs are added one by one."""


@contextmanager
def differentiable() -> Iterator[None]:
    """Attention and recurrent layers in the forms that can be differentiated twice."""
    with sdpa_kernel(SDPBackend.MATH), torch.backends.cudnn.flags(enabled=False):
        yield


def directional_derivative(
    model: Model,
    direction: list[torch.Tensor],
    x: Batch,
    memory_budget: int | None = None,
) -> torch.Tensor:
    """d/dt K(θ + t·v) at t = 0, traced over outputs.

    With the Hessian-vector product H_o(x) v = ∇(v·∇N_o(x)),

        dK(x_a, x_b) = T_ab + T_ba,   T_ab = Σ_o H_o(x_a) v · ∇N_o(x_b).

    Inputs pass the model one at a time, so that a backward pass costs what one input does. Nothing
    is known about modules or operations: parameters that are used twice, tied or indexed are right
    because reverse-mode differentiation is. Its derivative of a ReLU, a maximum or a pooling is
    taken with the pattern as it is.

    Two derivatives are taken and no third: PyTorch's formulas for normalisation layers hold their
    mean and scale fixed from the third on, so that the gradient of a tangent v·∇N, itself made by
    differentiating twice, is silently wrong for them.

    Parameters
    ----------
    model : Model
    direction : list of tensor
        v, one of each parameter's shape.
    x : Batch
    memory_budget : int, optional
        Bytes for gradients; half of the free memory if not given.

    Returns
    -------
    tensor [B, B]
        In the parameters' precision, symmetric.

    Raises
    ------
    ValueError
        If one gradient does not fit the budget, or an operation cannot be differentiated twice.
    """
    parameters = [*model.parameters.values()]
    budget = available() // 2 if memory_budget is None else memory_budget
    each = sum(p.numel() * p.element_size() for p in parameters)
    if 5 * each > budget:
        raise ValueError(
            f"memory_budget is {readable(budget)}, but the gradients of one output take "
            f"{readable(5 * each)}; give at least that."
        )
    with torch.enable_grad(), differentiable():
        outputs = model.outputs(x[:1]).shape[1]
        pairs = budget // (5 * each)  # a gradient and its derivative kept, and three in passing
        rows = max(1, min(len(x), int(pairs)))
        together = max(1, min(outputs, int(min(pairs, CHUNK / (2 * each))) // rows))
        total = torch.zeros(len(x), len(x), dtype=parameters[0].dtype, device=parameters[0].device)
        for start in range(0, outputs, together):
            chosen = slice(start, min(start + together, outputs))
            for first in range(0, len(x), rows):
                here = slice(first, min(first + rows, len(x)))
                tangents, gradients = _rows(model, parameters, direction, x[here], chosen)
                total[here, here] += tangents @ gradients.T
                del gradients
                for other in range(0, len(x), rows):
                    if other == first:
                        continue
                    there = slice(other, min(other + rows, len(x)))
                    total[here, there] += (
                        tangents @ _rows(model, parameters, None, x[there], chosen)[0].T
                    )
    return total + total.T


def _rows(
    model: Model,
    parameters: list[nn.Parameter],
    direction: list[torch.Tensor] | None,
    x: Batch,
    chosen: slice,
) -> tuple[torch.Tensor, ...]:
    """H_o v and ∇N_o of the chosen outputs side by side, [B, O'·P] each.

    Without a direction the gradients alone.
    """
    size = sum(p.numel() for p in parameters)
    count = chosen.stop - chosen.start
    found = [
        torch.zeros(len(x), count, size, dtype=parameters[0].dtype, device=x.device)
        for _ in range(1 if direction is None else 2)
    ]
    for sample in range(len(x)):
        output = model.outputs(x[sample : sample + 1])[0, chosen]
        for place in range(count):
            gradients = torch.autograd.grad(
                output[place], parameters, create_graph=direction is not None, retain_graph=True,
                allow_unused=True,
            )  # fmt: skip
            _write(found[-1][sample, place], gradients, parameters)
            if direction is not None:
                turned = _hessian_product(gradients, parameters, direction)
                _write(found[0][sample, place], turned, parameters)
    return tuple(rows.flatten(1) for rows in found)


def _hessian_product(
    gradients: tuple[torch.Tensor | None, ...],
    parameters: list[nn.Parameter],
    direction: list[torch.Tensor],
) -> tuple[torch.Tensor | None, ...]:
    """∇(v·g) of each parameter; None where it is 0."""
    along = [
        (gradient * part).sum()
        for gradient, part in zip(gradients, direction, strict=True)
        if gradient is not None and gradient.requires_grad
    ]
    if not along:  # an output that is linear in the parameters
        return (None,) * len(parameters)
    try:
        return torch.autograd.grad(
            torch.stack(along).sum(), parameters, retain_graph=True, allow_unused=True
        )
    except RuntimeError as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[0].rstrip(".")
        raise ValueError(
            "the model uses an operation that PyTorch cannot differentiate twice, as the "
            f"first-order change needs ({reason}); replace it by one that it can."
        ) from error


def _write(
    target: torch.Tensor,
    parts: tuple[torch.Tensor | None, ...],
    parameters: list[nn.Parameter],
) -> None:
    """Gradients side by side into [P], which holds 0."""
    start = 0
    for parameter, part in zip(parameters, parts, strict=True):
        stop = start + parameter.numel()
        if part is not None:
            target[start:stop] = part.detach().reshape(-1)
        start = stop
