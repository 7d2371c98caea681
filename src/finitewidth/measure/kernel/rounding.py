"""Kernels whose digits are rounding, as those of deep chaotic networks.

A change of the input in its last place is what rounding does to any computation. Where it moves
the outputs by more than a thousandth of them, the first input's kernel is computed at both places:
outputs that cancel move, too, while their kernel does not.
"""

import torch

from finitewidth.measure.kernel.contract import contract
from finitewidth.measure.kernel.features import features
from finitewidth.measure.model.batch import Batch
from finitewidth.measure.model.model import Model

FEW = 4
"""Inputs whose outputs are looked at."""

LOUD = 1e-3
"""Relative change of the outputs from which the kernel is looked at."""

LOST = 1e-2
"""Relative change of the kernel from which it is refused; 16 last places in half precision."""


def refuse_rounding(model: Model, batch: Batch) -> None:
    """Compare a kernel with that of an input which differs in its last place.

    Inputs that hold no floats are left out: they have no last place.

    Raises
    ------
    ValueError
        If the two differ by more than a hundredth.
    """
    if not batch.holds_floats:
        return
    few = batch[:FEW]
    near = few.nudged()
    one, two = model.plain(few), model.plain(near)
    if float((one - two).abs().max()) <= LOUD * float(one.abs().max()):
        return
    for place in range(len(few)):
        here, there = (_own(model, x[place : place + 1]) for x in (few, near))
        apart = abs(here - there) / max(here, there) if max(here, there) > 0 else 0.0
        if not apart <= max(LOST, 16 * torch.finfo(one.dtype).eps):
            wider = " measure model.double(), or" if model.dtype != torch.float64 else ""
            raise ValueError(
                f"the kernel of input {place} moves by {100 * apart:.2g} % if the input changes in "
                f"its last place ({model.dtype}), so its digits are rounding, as in deep chaotic "
                f"networks;{wider} use fewer layers or smaller weights."
            )


def _own(model: Model, x: Batch) -> float:
    """Σ_o K_oo(x, x)."""
    probe = torch.Generator(device=x.device).manual_seed(0)
    parameters: list[torch.Tensor] = [*model.parameters.values()]
    found = features(model.outputs(x), parameters, probe).factors
    return sum(float(contract(f, f, trace=True).double()) for f in found.values())
