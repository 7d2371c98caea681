"""dK/dλ along one gradient step, from the change of the model's gradients along it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from finitewidth._memory import available, readable
from finitewidth.measure.model.batch import Batch
from finitewidth.measure.model.model import Model
from finitewidth.measure.model.precision import in_precision
from finitewidth.measure.update.tangents import Line, NotTwice, impossible

CHUNK = 2**29
"""Bytes of gradients kept at once where more would save nothing: outputs are added one by one."""

LOOKED_AT = 4
"""Inputs at which the derivative is compared with differences."""


@dataclass(frozen=True)
class Derivative:
    """dK/dλ, and how it was found.

    Attributes
    ----------
    kernel : tensor [B, B]
    note : str
        Why it was not found by differentiating twice, or empty.
    trusted : bool
        False where differences do not agree with each other either.
    """

    kernel: torch.Tensor
    note: str = ""
    trusted: bool = True


def checked_derivative(
    model: Model,
    direction: list[torch.Tensor],
    x: Batch,
    memory_budget: int | None = None,
    *,
    first: int = 0,
    inputs: int = LOOKED_AT,
) -> Derivative:
    """d/dt K(θ + t·v) at t = 0, by differentiating twice where that is right, else by differences.

    Parameters
    ----------
    model, direction, x, memory_budget
        As in `directional_derivative`.
    first, inputs : int
        The first of the inputs that are looked at, and how many, evenly over the batch.

    Notes
    -----
    In float64 an error of 10⁻³ of the change of the gradients along the step is seen for certain
    where differences settle, as they do in smooth models, and in others as long as no activation
    of the input is closer than about 10⁻⁷ |θ| to its kink; see `tangents`.
    """
    if not any(bool(part.any()) for part in direction):
        return Derivative(directional_derivative(model, direction, x, memory_budget))
    count = min(inputs, len(x))
    with _in_double(model, direction, x) as (steps, double):
        line = Line(model, [*model.parameters.values()], steps)
        places = ((first + place * len(x) // count) % len(x) for place in range(count))
        notes = (line.doubt(double[place : place + 1]) for place in places)
        note = next(filter(None, notes), "")
    if not note:
        try:
            return Derivative(directional_derivative(model, direction, x, memory_budget))
        except NotTwice as reason:
            note = impossible(str(reason))
    with _in_double(model, direction, x) as (steps, double):
        rough: list[int] = []
        found = directional_derivative(model, steps, double, memory_budget, rough)
    if rough:
        note += " These do not settle, so it is not to be trusted."
    return Derivative(found.to(model.dtype), note, not rough)


@contextmanager
def _in_double(
    model: Model, direction: list[torch.Tensor], x: Batch
) -> Iterator[tuple[list[torch.Tensor], Batch]]:
    """The step and the inputs in float64, the model, too; as they are if it does not run in it."""
    with differentiable():
        if model.dtype != torch.float64:
            with in_precision(model.module, torch.float64), model.undisturbed():
                wide = [part.double() for part in direction], x.to(torch.float64)
                try:
                    model.outputs(wide[1][:1])
                except Exception:  # noqa: BLE001 - whatever it is, its own precision may do
                    runs = False
                else:
                    runs = True
                    yield wide
            if runs:
                return
        yield direction, x


@contextmanager
def differentiable() -> Iterator[None]:
    """Attention and recurrent layers in the forms that can be differentiated twice."""
    with (
        torch.enable_grad(),
        sdpa_kernel(SDPBackend.MATH),
        torch.backends.cudnn.flags(enabled=False),
    ):
        yield


def directional_derivative(
    model: Model,
    direction: list[torch.Tensor],
    x: Batch,
    memory_budget: int | None = None,
    by_differences: list[int] | None = None,
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
    by_differences : list of int, optional
        If given, H_o(x) v is taken from differences of ∇N_o along v; numbers of inputs where these
        are not good are added.

    Returns
    -------
    tensor [B, B]
        In the parameters' precision, symmetric.

    Raises
    ------
    ValueError
        If one gradient does not fit the budget; `NotTwice`, if an operation cannot be
        differentiated twice.
    """
    parameters = [*model.parameters.values()]
    line = Line(model, parameters, direction)
    budget = available() // 2 if memory_budget is None else memory_budget
    each = sum(p.numel() * p.element_size() for p in parameters)
    if 5 * each > budget:
        raise ValueError(
            f"memory_budget is {readable(budget)}, but the gradients of one output take "
            f"{readable(5 * each)}; give at least that."
        )
    with differentiable():
        outputs = model.outputs(x[:1]).shape[1]
        pairs = budget // (5 * each)  # a gradient and its derivative kept, and three in passing
        rows = max(1, min(len(x), int(pairs)))
        together = max(1, min(outputs, int(min(pairs, CHUNK / (2 * each))) // rows))
        total = torch.zeros(len(x), len(x), dtype=parameters[0].dtype, device=parameters[0].device)
        for start in range(0, outputs, together):
            chosen = slice(start, min(start + together, outputs))
            for first in range(0, len(x), rows):
                here = slice(first, min(first + rows, len(x)))
                gradients = line.empty(here.stop - first, chosen.stop - start)
                tangents = torch.zeros_like(gradients)
                for sample in range(len(gradients)):
                    one = x[first + sample : first + sample + 1]
                    if by_differences is None:
                        _gradients(line, one, chosen, gradients[sample], tangents[sample])
                        continue
                    _gradients(line, one, chosen, gradients[sample])
                    if not line.differences(one, chosen, tangents[sample]):
                        by_differences.append(first + sample)
                turned = tangents.flatten(1)
                total[here, here] += turned @ gradients.flatten(1).T
                del gradients
                for other in range(0, len(x), rows):
                    if other == first:
                        continue
                    there = slice(other, min(other + rows, len(x)))
                    others = line.empty(there.stop - other, chosen.stop - start)
                    for sample in range(len(others)):
                        one = x[other + sample : other + sample + 1]
                        _gradients(line, one, chosen, others[sample])
                    total[here, there] += turned @ others.flatten(1).T
    return total + total.T


def _gradients(
    line: Line,
    one: Batch,
    chosen: slice,
    gradients: torch.Tensor,
    tangents: torch.Tensor | None = None,
) -> None:
    """∇N_o, and H_o v where asked for, of the chosen outputs of one input into [O', P] each."""
    output = line.model.outputs(one)[0, chosen]
    for place in range(len(output)):
        if tangents is None:
            line.once(output[place], gradients[place])
        else:
            line.twice(output[place], tangents[place], gradients[place])
