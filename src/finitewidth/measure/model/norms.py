"""Normalisation layers that keep running statistics, and whether those were ever set."""

import torch
from torch import nn

NORMS = (nn.modules.batchnorm._NormBase,)
"""BatchNorm, and InstanceNorm, which keeps statistics where it is asked to."""


def fresh(norm: nn.Module) -> bool:
    """Whether a layer's running statistics are still those it was made with, mean 0, variance 1.

    A checkpoint may set them without ``num_batches_tracked``, and InstanceNorm never counts, so a
    count of 0 says nothing by itself.
    """
    if not isinstance(norm, NORMS) or not norm.track_running_stats:
        return False
    counted, mean, variance = norm.num_batches_tracked, norm.running_mean, norm.running_var
    if counted is not None and int(counted) > 0:
        return False
    assert mean is not None
    assert variance is not None
    return not bool(mean.any()) and bool((variance == 1).all())


@torch.no_grad()
def forget(norm: nn.modules.batchnorm._NormBase) -> None:
    """Statistics as they were made."""
    for buffer, value in ((norm.running_mean, 0), (norm.running_var, 1)):
        if buffer is not None:
            buffer.fill_(value)
    if norm.num_batches_tracked is not None:
        norm.num_batches_tracked.zero_()
