"""`calibrate`: statistics for BatchNorm from data."""

import torch
from torch import nn

from finitewidth.measure.kernel.forward import BATCH_NORMS, checked_input, refuse_lazy


def calibrate(model: nn.Module, X: object, batch_size: int = 256) -> nn.Module:
    """Set the running statistics of every BatchNorm from data, and put the model into eval mode.

    The statistics are the averages over the batches, as if training had seen the data once with
    no step taken. Nothing else changes; Dropout is off while it runs.

    Parameters
    ----------
    model : torch.nn.Module
    X : tensor or array [B, …]
    batch_size : int
        Inputs in a batch.

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
    norms = [m for m in model.modules() if isinstance(m, BATCH_NORMS) and m.track_running_stats]
    if not norms:
        raise ValueError(
            "the model has no BatchNorm with running statistics, so there is nothing to calibrate."
        )
    if batch_size < 2:
        raise ValueError(f"batch_size is {batch_size}, expected at least 2 inputs for a variance.")
    x = checked_input(model, X, "X")
    if len(x) < 2:
        raise ValueError("X holds one input, expected at least 2 for a variance.")
    momenta = [norm.momentum for norm in norms]
    model.eval()
    try:
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # average of all batches
            norm.train()
        with torch.no_grad():
            for batch in x.split(batch_size):
                if len(batch) > 1:
                    model(batch)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            norm.eval()
    return model
