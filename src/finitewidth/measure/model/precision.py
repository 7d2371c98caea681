"""A module in another precision for a while, in place: closures over its layers see it, too."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def in_precision(module: nn.Module, dtype: torch.dtype) -> Iterator[None]:
    """Parameters, buffers and constants of a module as `dtype`; afterwards they are as before.

    The tensors stay the same objects, only their numbers are others for a while: nothing is
    copied that could not be, and functions that hold a layer or a weight of the module hold the
    right one. A tensor with a graph stays as it is.

    Parameters
    ----------
    module : torch.nn.Module
    dtype : torch.dtype
    """
    tensors: dict[int, torch.Tensor] = {}
    for each in module.modules():
        for slots in (each._parameters, each._buffers, vars(each)):
            for tensor in slots.values():
                if isinstance(tensor, torch.Tensor) and tensor.is_leaf:
                    tensors[id(tensor)] = tensor
    held = [(tensor, tensor.data, tensor.grad) for tensor in tensors.values()]
    try:
        for tensor, numbers, _ in held:
            if numbers.is_floating_point() and numbers.dtype != dtype:
                tensor.grad = None  # of the old precision
                tensor.data = numbers.to(dtype)
        yield
    finally:
        for tensor, numbers, gradient in held:
            tensor.data = numbers
            tensor.grad = gradient


@contextmanager
def at(parameters: list[nn.Parameter], step: list[torch.Tensor], rate: float) -> Iterator[None]:
    """Parameters at θ + rate · step within, and bit for bit where they were afterwards.

    Written in place, as an optimiser does, so that whatever shares a parameter's memory moves
    along; a graph that waits for its backward pass stays valid.
    """
    before = [parameter.detach().clone() for parameter in parameters]
    try:
        for parameter, part in zip(parameters, step, strict=True):
            parameter.data.add_(part, alpha=rate)
        yield
    finally:
        for parameter, old in zip(parameters, before, strict=True):
            parameter.data.copy_(old)
