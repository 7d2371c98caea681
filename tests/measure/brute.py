"""The definition: one backward pass for every output of every input, in float64."""

import torch
from torch import nn

from finitewidth.measure.model.model import Model


def jacobian(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """[B, O, P], gradients of the trained parameters side by side."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    output = model(x).reshape(x.shape[0], -1)
    rows = []
    for value in output.reshape(-1):
        found = torch.autograd.grad(
            value, parameters, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        rows.append(torch.cat([gradient.flatten() for gradient in found]))
    return torch.stack(rows).detach().view(*output.shape, -1)


def kernel(
    model: nn.Module, x: torch.Tensor, x2: torch.Tensor | None = None, outputs: str | int = "all"
) -> torch.Tensor:
    """[B, B2, O, O], or [B, B2]."""
    one = jacobian(model, x)
    two = one if x2 is None else jacobian(model, x2)
    full = torch.einsum("bop,cqp->bcoq", one, two)
    if outputs == "all":
        return full
    if outputs == "trace":
        return torch.einsum("bcoo->bc", full)
    if outputs == "sum":
        return full.sum(dim=(2, 3))
    assert isinstance(outputs, int)
    return full[:, :, outputs, outputs]


def difference(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Largest difference over the largest entry."""
    assert found.shape == expected.shape
    found, expected = found.detach(), expected.detach()
    return float((found - expected).abs().max() / expected.abs().max())


def called(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The output with its graph, as the kernel sees it."""
    here = Model(model)
    return here.outputs(here.batch(x, "X"))
