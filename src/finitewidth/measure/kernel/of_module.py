"""`kernel`: the empirical neural tangent kernel of any module."""

import torch
from torch import nn

from finitewidth.measure.kernel.blocks import Blocks
from finitewidth.measure.kernel.forward import (
    checked_input,
    finite,
    refuse_coupling,
    refuse_modules,
    refuse_randomness,
    trained_parameters,
    untouched,
)
from finitewidth.measure.kernel.selection import Selection


def kernel(
    model: nn.Module,
    X: object,
    X2: object = None,
    outputs: str | int = "all",
    *,
    accumulate: torch.dtype | None = None,
    memory_budget: int | None = None,
) -> torch.Tensor:
    """K(x, x')_{op} = Σ_θ ∂N_o(x)/∂θ ∂N_p(x')/∂θ over the parameters that require gradients.

    Exact for any module whose output of one input does not depend on the others. The gradient of a
    matrix is never formed where its factors (activations and output gradients) are cheaper.

    Parameters
    ----------
    model : torch.nn.Module
        Returning one tensor [B, …]; trailing axes count as outputs O.
    X, X2 : tensor or array [B, …], [B2, …]
        Inputs; X2 = X if not given.
    outputs : "all", "trace", "sum" or int
        Both outputs kept, Σ_o K_oo, the kernel of the sum of the outputs, or of one output.
    accumulate : torch.dtype, optional
        Precision of the contractions, e.g. torch.float64; the model's own if not given.
    memory_budget : int, optional
        Bytes for intermediate results; half of the free memory if not given. Inputs are taken in
        blocks that keep within it.

    Returns
    -------
    tensor
        Detached: [B, B2, O, O] for "all", else [B, B2]. Symmetric if X2 is not given.

    Raises
    ------
    ValueError
        For a model without trained parameters, random or batch-coupled models, nan, inputs the
        model cannot take, or a budget too small for one input (the sentence says the least).
    TypeError
        For anything but a module that returns one tensor.

    Notes
    -----
    Method: docs, "Any PyTorch model".

    Examples
    --------
    >>> import finitewidth as fw
    >>> import torch
    >>> X = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> fw.measure.kernel(torch.nn.Linear(2, 1), X, outputs="trace")  # x·x' + 1
    tensor([[ 6., 12.],
            [12., 26.]])
    """
    selection = Selection.read(outputs)
    parameters = list(trained_parameters(model).values())
    refuse_modules(model)
    first = checked_input(model, X, "X")
    second = None if X2 is None else checked_input(model, X2, "X2")
    if second is not None and second.shape[1:] != first.shape[1:]:
        raise ValueError(
            f"X2 has shape {list(second.shape)} and X {list(first.shape)}; expected inputs of one "
            "shape."
        )
    with untouched(model), torch.enable_grad():
        refuse_randomness(model, first)
        refuse_coupling(model, first)
        total = Blocks(model, parameters, selection, accumulate, memory_budget)
        return finite(total.kernel(first, second).detach())
