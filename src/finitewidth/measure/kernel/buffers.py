"""Large arrays that are written once."""

from math import prod

import numpy as np
import torch


def uninitialised(shape: tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
    """A tensor of the same type and device with any contents.

    On a CPU the memory is NumPy's, which asks the system for large pages: the first touch of a
    large array costs a quarter of that of PyTorch's own.
    """
    if like.device.type != "cpu" or prod(shape) * like.element_size() < _LARGE:
        return torch.empty(shape, dtype=like.dtype, device=like.device)
    raw = np.empty(prod(shape) * like.element_size(), dtype=np.uint8)
    return torch.from_numpy(raw).view(like.dtype).view(shape)


_LARGE = 2**22
"""Bytes from which NumPy asks for large pages."""
