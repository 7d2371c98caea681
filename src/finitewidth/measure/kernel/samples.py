"""Which rows of an operation belong to which input, found by experiment.

A backward pass is linear in the weights v_b put on the outputs of input b. Pass k multiplies v_b by
2^(digit k of b in base 64). A power of two scales a floating-point number without rounding, so a
row that belongs to one input comes out scaled by that power bit for bit, and a row that several
inputs share does not. Layouts (batch first, sequence first, flattened, several frames an input)
need not be known, and no tolerance is involved.
"""

import torch

BASE = 64
"""Powers of two up to 2^63 keep gradients within the range of a float32."""

BASE_OF_HALF = 8
"""The same for a float16."""


def base(dtype: torch.dtype) -> int:
    """How many powers of two are told apart in one pass."""
    return BASE_OF_HALF if dtype == torch.float16 else BASE


def scales(batch: int, like: torch.Tensor) -> list[torch.Tensor]:
    """[B] of each pass, the first all ones; 1 + ⌈log64 B⌉ passes.

    Parameters
    ----------
    batch : int
    like : tensor
        For the dtype and the device.
    """
    index = torch.arange(batch, device=like.device)
    found = [torch.ones(batch, device=like.device, dtype=like.dtype)]
    reach, digits = 1, base(like.dtype)
    while reach < batch:
        found.append(torch.exp2((index // reach % digits).double()).to(like.dtype))
        reach *= digits
    return found


def rows_to_samples(passes: list[torch.Tensor], batch: int) -> torch.Tensor | None:
    """The input of every row.

    Parameters
    ----------
    passes : list of tensor [R, …]
        Gradients of an operation's result in each pass of `scales`.
    batch : int
        Number of inputs B.

    Returns
    -------
    tensor [R] of int, or None
        The input of each row, −1 where its gradient is 0; None if inputs share a row.
    """
    plain, *scaled = (g.reshape(g.shape[0], -1) if g.numel() else g.flatten(1) for g in passes)
    owner = torch.zeros(len(plain), dtype=torch.long, device=plain.device)
    if not plain.numel():
        return owner - 1
    largest, place = plain.abs().max(dim=1, keepdim=True)
    known = largest[:, 0] != 0
    largest = plain.gather(1, place)[:, 0]
    digits, reach = base(plain.dtype), 1
    for other in scaled:
        ratio = torch.where(known, other.gather(1, place)[:, 0] / largest, 1.0).double()
        power = torch.log2(ratio.abs().clamp(1.0, 2.0 ** (digits - 1))).round()
        same = other == plain * torch.exp2(power).to(plain.dtype)[:, None]
        if not bool(same.all()):
            return None
        owner += power.long() * reach
        reach *= digits
    if bool((owner[known] >= batch).any()):
        return None
    return torch.where(known, owner, -1)
