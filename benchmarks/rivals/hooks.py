"""nngeometry 0.4: Gram matrices from module hooks.

``python -m pip install nngeometry==0.4`` makes it take part in the benchmark.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import nn


def installed() -> bool:
    """Whether it can be imported."""
    return find_spec("nngeometry") is not None


def gram(model: "nn.Module", x: "torch.Tensor", outputs: str) -> "torch.Tensor":
    """Its Gram matrix, in the cheapest of its ways for `outputs`.

    Parameters
    ----------
    outputs : "all", "trace" or "sum"
        The trace is the sum of the Gram matrices of single outputs: O² / O times less work than
        the full one.

    Returns
    -------
    tensor
        [B, B, O, O] for "all", else [B, B].

    Raises
    ------
    Exception
        Its own, for a layer it does not know (Embedding, MultiheadAttention).
    """
    if outputs == "all":
        return _dense(model, x, lambda y: y).permute(1, 3, 0, 2)
    if outputs == "sum":
        return _dense(model, x, lambda y: y.sum(dim=1, keepdim=True))[0, :, 0]
    total = None
    for index in range(model(x[:1]).shape[1]):
        term = _dense(model, x, lambda y, i=index: y[:, i : i + 1])[0, :, 0]
        total = term if total is None else total + term
    assert total is not None
    return total


def _dense(model: "nn.Module", x: "torch.Tensor", chosen: Any) -> "torch.Tensor":
    """[O, B, O, B]."""
    import torch
    from nngeometry.gram import GramMatrix  # pyright: ignore[reportMissingImports]

    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x), batch_size=len(x))
    found = GramMatrix(model, loader, function=lambda *batch: chosen(model(batch[0])))
    return found.to_torch().detach()
