"""Matrix products of a batch of networks in which every network counts for itself.

A batched product of PyTorch sums in an order that depends on how many networks there are, so that
the memory budget would show in the last digit of a result. NumPy multiplies matrix by matrix, and
on two cores is as fast. On other devices it is PyTorch's, and the last digits may differ.
"""

import numpy as np
import torch

from finitewidth._shapes import Float


def product(
    a: Float[torch.Tensor, "*many k m"], b: Float[torch.Tensor, "*others m n"]
) -> Float[torch.Tensor, "..."]:
    """a b, matrix by matrix; axes of size 1 before the last two are repeated."""
    if a.device.type != "cpu":
        return torch.matmul(a, b)
    return torch.from_numpy(np.matmul(a.numpy(), b.numpy()))


def add_outer(
    to: Float[torch.Tensor, "S n m"],
    u: Float[torch.Tensor, "S B n"],
    x: Float[torch.Tensor, "S B m"],
    kept: float,
    factor: float,
) -> None:
    """kept · to + factor · Σ_b u_b x_bᵀ, in place and without another array of this size."""
    if to.device.type != "cpu":
        to.baddbmm_(u.transpose(1, 2), x, beta=kept, alpha=factor)
        return
    for network in range(len(to)):
        to[network].addmm_(u[network].T, x[network], beta=kept, alpha=factor)
