"""`kernel`: the empirical neural tangent kernel of any module."""

import torch
from torch import nn

from finitewidth.measure.kernel.blocks import Blocks
from finitewidth.measure.kernel.rounding import refuse_rounding
from finitewidth.measure.kernel.selection import Selection
from finitewidth.measure.model.model import Forward, Model
from finitewidth.measure.model.randomness import refuse_randomness


def kernel(
    model: nn.Module,
    X: object,
    X2: object = None,
    outputs: str | int = "all",
    *,
    forward: Forward | None = None,
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
        Inputs, or a tuple or a mapping of them; X2 = X if not given.
    outputs : "all", "trace", "sum", "diagonal" or int
        Both outputs kept, Σ_o K_oo, the kernel of the sum of the outputs, K_oo of every output, or
        that of one output.
    forward : callable, optional
        (model, batch) to the outputs [B, …], e.g. ``lambda m, b: m(**b).logits``; if not given
        ``model(X)``, ``model(*X)`` for a tuple and ``model(**X)`` for a mapping.
    accumulate : torch.dtype, optional
        Precision of the contractions, e.g. torch.float64; the model's own if not given.
    memory_budget : int, optional
        Bytes for intermediate results; half of the free memory if not given. Inputs are taken in
        blocks that keep within it.

    Returns
    -------
    tensor
        Detached: [B, B2, O, O] for "all", [B, B2, O] for "diagonal", else [B, B2]. Symmetric if X2
        is not given.

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
    called = Model(model, forward)
    first = called.batch(X, "X")
    second = None if X2 is None else called.batch(X2, "X2")
    if second is not None and not second.same_shape(first):
        raise ValueError(
            f"X2 has {second.words} and X {first.words}; expected inputs of one shape."
        )
    with called.undisturbed():
        refuse_randomness(called, first)
        refuse_rounding(called, first)
        total = Blocks(called, selection, accumulate, memory_budget, check=True)
        return finite(total.kernel(first, second).detach())


def finite(kernel: torch.Tensor) -> torch.Tensor:
    """The kernel itself.

    Raises
    ------
    ValueError
        If a gradient is not finite, or a sum overflows.
    """
    if not bool(torch.isfinite(kernel).all()):
        raise ValueError(
            f"the kernel is not finite in {kernel.dtype} although the outputs are: a gradient is "
            "infinite or nan there (as that of a root at 0), or a sum overflows; measure "
            "model.double(), or other inputs."
        )
    return kernel
