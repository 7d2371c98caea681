"""Inputs that influence each other's outputs, told from rounding.

Halves of a batch are run without the other half. An output that moves by more than rounding is
looked at again in a batch of the *same shape*, in which copies take the place of the other half:
the same products in the same order, so an output that depends on its own input alone is the same
bit for bit, however deep the network and however much its outputs cancel. Where even these differ
(some models sort or gather inputs), the difference is compared in another precision: rounding
shrinks with the precision, an influence does not.
"""

import torch

from finitewidth.measure.model.batch import Batch
from finitewidth.measure.model.model import Model
from finitewidth.measure.model.precision import in_precision
from finitewidth.measure.model.randomness import refuse_two_answers

ROUNDING = 64
"""Units in the last place of the largest output that a regrouping may move one by."""

TOGETHER = 64
"""Inputs that are looked at together."""

NUMBERS = 2**20
"""Of inputs that are looked at together, at most."""

SHRINKS = 1e-3
"""A difference in double precision over that in single, below which it is rounding."""


def refuse_coupling(
    model: Model,
    batch: Batch,
    together: torch.Tensor | None = None,
    *,
    pairs: bool = True,
) -> None:
    """Run every input with and without others.

    Parameters
    ----------
    model : Model
    batch : Batch
    together : tensor [B, O], optional
        The outputs of all, where they are known.
    pairs : bool
        Whether to part any two of up to 16 inputs, or only to run two halves.

    Raises
    ------
    ValueError
        If an output depends on the other inputs.
    """
    if len(batch) < 2:
        return
    if model.dtype.itemsize < 4 and _in_double(model, batch):
        return
    _refuse(model, batch, together, pairs)


def _in_double(model: Model, batch: Batch) -> bool:
    """The same for a half-precision model, whose own rounding hides much; False if it cannot."""
    with in_precision(model.module, torch.float64), model.undisturbed():
        double = batch.to(torch.float64)
        try:
            model.plain(double[:2])
        except Exception:  # noqa: BLE001 - whatever it is, its own precision may do
            return False
        _refuse(model, double, None, True)
    return True


def _refuse(model: Model, batch: Batch, known: torch.Tensor | None, pairs: bool) -> None:
    each = sum(tensor[0].numel() for tensor in batch.tensors)
    size = max(16, min(TOGETHER, NUMBERS // max(each, 1)))
    for start in range(0, len(batch), size):
        rows = slice(min(start, len(batch) - 2), start + size)  # never one alone
        chunk = batch[rows]
        together = model.plain(chunk) if known is None else known[rows]
        for half in _halves(len(chunk), pairs):
            if _moves(model, chunk, together, half):
                refuse_two_answers(model, chunk)
                raise ValueError(
                    "the outputs of one input depend on the other inputs of the batch, so K(x, x') "
                    "of single inputs does not exist; put batch-coupled layers such as BatchNorm "
                    "into eval mode, or change the model."
                )


def _halves(count: int, pairs: bool) -> list[torch.Tensor]:
    """Parts of a batch, such that any two of up to 16 inputs stand apart in one pair of them.

    Of more inputs, or without `pairs`, one pair of halves is drawn: an input that moves the others
    is seen for certain, a single pair of inputs with probability 1/2.
    """
    if count <= 16 and pairs:
        codes = torch.arange(count)
    else:
        generator = torch.Generator().manual_seed(0)
        codes = torch.randperm(count, generator=generator) % 2
    bits = range(int(codes.max()).bit_length())
    found = []
    for bit in bits:
        on = (codes >> bit) & 1 == 1
        found += [torch.nonzero(on)[:, 0], torch.nonzero(~on)[:, 0]]
    return found


def _moves(model: Model, chunk: Batch, together: torch.Tensor, half: torch.Tensor) -> bool:
    """Whether the outputs of some inputs are others without the rest of the batch."""
    half = half.to(chunk.device)
    room = ROUNDING * torch.finfo(together.dtype).eps * float(together.abs().max())
    if float((model.plain(chunk[half]) - together[half]).abs().max()) <= room:
        return False
    own = _apart(model, chunk, half)
    if own == 0.0:
        return False
    single = together.dtype != torch.float64
    other = torch.float64 if single else torch.float32
    try:
        with in_precision(model.module, other), model.undisturbed():
            there = _apart(model, chunk.to(other), half)
    except Exception:  # noqa: BLE001 - a model that knows one precision alone
        return own > 1e4 * torch.finfo(together.dtype).eps * float(together.abs().max())
    narrow, wide = (own, there) if single else (there, own)
    return wide > SHRINKS * narrow


def _apart(model: Model, chunk: Batch, half: torch.Tensor) -> float:
    """Largest difference of these inputs' outputs where copies of one take the others' places."""
    places = torch.full((len(chunk),), int(half[0]), device=half.device)
    places[half] = half
    return float((model.plain(chunk[places]) - model.plain(chunk))[half].abs().max())
