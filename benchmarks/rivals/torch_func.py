"""The two recipes of PyTorch's tutorial "Neural Tangent Kernels", on ``torch.func``, as they stand.

Each takes two batches; a user who wants the kernel of one gives it twice.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn

Single = Callable[[dict, "torch.Tensor"], "torch.Tensor"]


def jacobian_contraction(model: "nn.Module", x: "torch.Tensor", outputs: str) -> "torch.Tensor":
    """Per-sample Jacobians of every parameter, multiplied and summed.

    Parameters
    ----------
    outputs : "all", "trace" or "sum"

    Returns
    -------
    tensor
        [B, B, O, O] for "all", else [B, B].
    """
    from torch import einsum, stack
    from torch.func import jacrev, vmap

    parameters, single = _functional(model, outputs)

    def jacobians(inputs: "torch.Tensor") -> list["torch.Tensor"]:
        found = vmap(jacrev(single), (None, 0))(parameters, inputs)
        return [j.flatten(2) for j in found.values()]

    one, two = jacobians(x), jacobians(x)
    rule = "Naf,Mbf->NMab" if outputs == "all" else "Naf,Maf->NM"
    return stack([einsum(rule, j1, j2) for j1, j2 in zip(one, two, strict=True)]).sum(0)


def vector_products(model: "nn.Module", x: "torch.Tensor", outputs: str) -> "torch.Tensor":
    """Products of the kernel of every pair with every unit vector of outputs."""
    import torch
    from torch.func import jvp, vjp, vmap

    parameters, single = _functional(model, outputs)

    def pair(one: "torch.Tensor", two: "torch.Tensor") -> "torch.Tensor":
        def product(direction: "torch.Tensor") -> "torch.Tensor":
            back = vjp(lambda p: single(p, one), parameters)[1]
            return jvp(lambda p: single(p, two), (parameters,), back(direction))[1]

        size = 1 if outputs == "sum" else single(parameters, one).shape[0]
        return vmap(product)(torch.eye(size, dtype=x.dtype if x.is_floating_point() else None))

    rows = vmap(vmap(pair, (None, 0)), (0, None))(x, x)
    return rows if outputs == "all" else torch.einsum("nmkk->nm", rows)


def _functional(model: "nn.Module", outputs: str) -> tuple[dict, Single]:
    """The parameters, and the outputs [O] of one input as a function of them."""
    from torch.func import functional_call

    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def single(p: dict, x: "torch.Tensor") -> "torch.Tensor":
        found = functional_call(model, p, (x[None],))[0]
        return found.sum(dim=0, keepdim=True) if outputs == "sum" else found

    return parameters, single
