"""`calibrate`: statistics for BatchNorm from data; `as_in_use`: a new model as it would be used."""

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from finitewidth.measure.model.batch import Batch
from finitewidth.measure.model.model import Forward, Model
from finitewidth.measure.model.norms import NORMS, forget, fresh
from finitewidth.measure.model.parameters import DROPOUTS, refuse_lazy
from finitewidth.measure.model.state import undisturbed


def calibrate(
    model: nn.Module, X: object, batch_size: int = 256, *, forward: Forward | None = None
) -> nn.Module:
    """Set the running statistics of every BatchNorm from data, and put the model into eval mode.

    The statistics are the averages over the batches, as if training had seen the data once with
    no step taken; so are those of an InstanceNorm that keeps some. Nothing else changes; Dropout
    is off while it runs.

    Parameters
    ----------
    model : torch.nn.Module
    X : tensor or array [B, …]
    batch_size : int
        Inputs in a batch.
    forward : callable, optional
        As in `kernel`.

    Returns
    -------
    torch.nn.Module
        The same model.

    Raises
    ------
    ValueError
        If the model has no BatchNorm with running statistics or a lazy layer without values, or
        the input is not one of its.
    """
    refuse_lazy(model)
    norms = [m for m in model.modules() if isinstance(m, NORMS) and m.track_running_stats]
    if not norms:
        raise ValueError(
            "the model has no BatchNorm with running statistics, so there is nothing to calibrate."
        )
    if batch_size < 2:
        raise ValueError(f"batch_size is {batch_size}, expected at least 2 inputs for a variance.")
    called = Model(model, forward)
    _set(called, norms, called.batch(X, "X"), batch_size)
    return model


def as_in_use(model: nn.Module, X: object, *, forward: Forward | None = None) -> str:
    """A newly made model, put into eval mode, its new BatchNorm statistics set from data.

    Statistics that were set before, as by a checkpoint, stay.

    Parameters
    ----------
    model : torch.nn.Module
        As a factory returned it.
    X : tensor or array [B, …]
        Or a tuple or a mapping of them.
    forward : callable, optional
        As in `kernel`.

    Returns
    -------
    str
        What was done, a sentence; empty if the model was ready.

    Raises
    ------
    ValueError
        As `calibrate`.
    """
    refuse_lazy(model)
    called = Model(model, forward)
    inputs = called.batch(X, "X")
    modal = [m for m in model.modules() if m.training and _heeds_its_mode(m)]
    came = _kinds(modal) if modal else "it" if _answers_otherwise(called, inputs) else ""
    model.eval()
    new = [m for m in model.modules() if isinstance(m, NORMS) and fresh(m)]
    told = []
    if came:
        told.append(f"in eval mode ({came} came in train mode)")
    if new:
        _set(called, new, inputs, 256)
        told.append(f"with the statistics of {_kinds(new)} set from the {len(inputs)} inputs")
    return f"The model is measured {', '.join(told)}." if told else ""


def _heeds_its_mode(module: nn.Module) -> bool:
    """Whether one of PyTorch's layers is sure to do something else in eval mode."""
    if isinstance(module, NORMS):
        return module.track_running_stats
    return isinstance(module, DROPOUTS) and module.p > 0


def _answers_otherwise(model: Model, x: Batch) -> bool:
    """Whether a model gives other outputs in eval mode."""
    modules = list(model.module.modules())
    if not any(module.training for module in modules):
        return False
    try:
        with undisturbed(model.module):
            one = model.plain(x)
            for module in modules:
                module.training = False
            return not torch.equal(one, model.plain(x))
    except Exception:  # noqa: BLE001 - the measurement says what is wrong
        return False


def _kinds(modules: list[nn.Module] | list[_NormBase]) -> str:
    """``BatchNorm2d, Dropout``."""
    return ", ".join(sorted({type(module).__name__ for module in modules}))


def _set(model: Model, norms: list[_NormBase], x: Batch, batch_size: int) -> None:
    """Statistics of these layers from data, each the average over its uses; of no others."""
    if len(x) < 2:
        raise ValueError("X holds one input, expected at least 2 for a variance.")
    uses = dict.fromkeys(norms, 0)
    momenta = [norm.momentum for norm in norms]

    def average(norm: _NormBase, _inputs: object) -> None:
        if not uses[norm]:
            forget(norm)
        uses[norm] += 1
        norm.momentum = 1.0 / uses[norm]

    model.module.eval()
    handles = [norm.register_forward_pre_hook(average) for norm in norms]
    try:
        for norm in norms:
            norm.train()
        for batch in x.split(batch_size):
            if len(batch) > 1:
                model.plain(batch)
    finally:
        for handle in handles:
            handle.remove()
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum  # type: ignore[assignment]
            norm.eval()
    for norm in norms:
        if not uses[norm] and norm.num_batches_tracked is not None:
            norm.num_batches_tracked.fill_(1)  # no input reaches it: nothing is left to set
