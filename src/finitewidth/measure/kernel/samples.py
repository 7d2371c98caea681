"""Which rows of an operation belong to which input, found by experiment.

A backward pass is linear in the weights v_b put on the outputs of input b. Pass k multiplies v_b by
2^(digit k of b in base 16). A power of two scales a floating-point number without rounding, so a
row that belongs to one input comes out scaled by that power bit for bit, and a row that several
inputs share does not. Layouts (batch first, sequence first, flattened, several frames an input)
need not be known, and no tolerance is involved.
"""

import torch

BASE = 16
"""Powers of two up to 2^15 keep within the range of a float32, and few passes are needed."""


def scales(batch: int, device: torch.device) -> list[torch.Tensor]:
    """[B] of each pass, the first all ones; 1 + ⌈log16 B⌉ passes."""
    index = torch.arange(batch, device=device)
    found, reach = [torch.ones(batch, device=device)], 1
    while reach < batch:
        found.append(torch.exp2((index // reach % BASE).float()))
        reach *= BASE
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
    known = (plain != 0).any(dim=1)
    place = plain.abs().argmax(dim=1, keepdim=True)
    largest = plain.gather(1, place)[:, 0]
    for digit, other in enumerate(scaled):
        ratio = torch.where(known, other.gather(1, place)[:, 0] / largest, 1.0)
        power = torch.log2(ratio.abs().clamp(1.0, 2.0 ** (BASE - 1))).round()
        same = other == plain * torch.exp2(power).to(plain.dtype)[:, None]
        if not bool(same[known].all()):
            return None
        owner += power.long() * BASE**digit
    if bool((owner[known] >= batch).any()):
        return None
    return torch.where(known, owner, -1)
