"""`calibrate`: statistics for BatchNorm from data."""

from torch import nn

from finitewidth.measure.model.model import Forward, Model
from finitewidth.measure.model.parameters import BATCH_NORMS, refuse_lazy


def calibrate(
    model: nn.Module, X: object, batch_size: int = 256, *, forward: Forward | None = None
) -> nn.Module:
    """Set the running statistics of every BatchNorm from data, and put the model into eval mode.

    The statistics are the averages over the batches, as if training had seen the data once with
    no step taken. Nothing else changes; Dropout is off while it runs.

    Parameters
    ----------
    model : torch.nn.Module
    X : tensor or array [B, …]
        Or a tuple or a mapping of them.
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
    norms = [m for m in model.modules() if isinstance(m, BATCH_NORMS) and m.track_running_stats]
    if not norms:
        raise ValueError(
            "the model has no BatchNorm with running statistics, so there is nothing to calibrate."
        )
    if batch_size < 2:
        raise ValueError(f"batch_size is {batch_size}, expected at least 2 inputs for a variance.")
    called = Model(model, forward)
    x = called.batch(X, "X")
    if len(x) < 2:
        raise ValueError("X holds one input, expected at least 2 for a variance.")
    momenta = [norm.momentum for norm in norms]
    model.eval()
    try:
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # average of all batches
            norm.train()
        for batch in x.split(batch_size):
            if len(batch) > 1:
                called.plain(batch)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            norm.eval()
    return model
