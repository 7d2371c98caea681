"""`Batch`: the inputs of a model, one tensor or several, the batch axis first."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

Index = slice | torch.Tensor | list[int]


@dataclass(frozen=True, eq=False)
class Batch:
    """Inputs of a model.

    Attributes
    ----------
    tensors : tuple of tensor [B, …]
    names : tuple of str, optional
        Of a mapping; None for one tensor or a tuple of them.
    several : bool
        Whether the model takes a tuple, be it of one.
    """

    tensors: tuple[torch.Tensor, ...]
    names: tuple[Any, ...] | None = None
    several: bool = False

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, inputs: Index) -> "Batch":
        return self._each(lambda tensor: tensor[inputs])

    def _each(self, change: Callable[[torch.Tensor], torch.Tensor]) -> "Batch":
        return replace(self, tensors=tuple(change(tensor) for tensor in self.tensors))

    def clone(self) -> "Batch":
        """In memory of its own."""
        with torch.inference_mode(False):
            return self._each(torch.clone)

    def given(self) -> Any:
        """What a model is called with: copies, since a model may write into its input."""
        copies = tuple(tensor.clone() for tensor in self.tensors)
        if self.names is not None:
            return dict(zip(self.names, copies, strict=True))
        return copies if self.several else copies[0]

    def split(self, size: int) -> Iterator["Batch"]:
        """At most so many inputs at a time."""
        return (self[start : start + size] for start in range(0, len(self), size))

    def to(self, dtype: torch.dtype) -> "Batch":
        """Floats in another precision."""
        return self._each(lambda tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor)

    def nudged(self) -> "Batch":
        """Every number moved in its last place, up or down by turns."""

        def moved(tensor: torch.Tensor) -> torch.Tensor:
            signs = torch.ones_like(tensor).flatten()
            signs[1::2] = -1.0
            eps = torch.finfo(tensor.dtype).eps
            return tensor * (1.0 + eps * signs.view(tensor.shape))

        return self._each(moved)

    @property
    def device(self) -> torch.device:
        """Of all tensors."""
        return self.tensors[0].device

    @property
    def holds_floats(self) -> bool:
        """Whether every tensor does."""
        return all(tensor.is_floating_point() for tensor in self.tensors)

    @property
    def words(self) -> str:
        """Shape and type of every tensor."""
        told = [f"shape {list(tensor.shape)} and type {tensor.dtype}" for tensor in self.tensors]
        names = self.names or [""] * len(told)
        return ", ".join(
            f"{name}: {text}" if self.names else text
            for name, text in zip(names, told, strict=True)
        )

    def same_shape(self, other: "Batch") -> bool:
        """Whether inputs of both have the same names and shapes."""
        return (self.names, self.several, [tensor.shape[1:] for tensor in self.tensors]) == (
            other.names, other.several, [tensor.shape[1:] for tensor in other.tensors]
        )  # fmt: skip


def checked_batch(module: nn.Module, x: object, name: str) -> Batch:
    """Inputs on the model's device, floats in the model's precision.

    Parameters
    ----------
    module : torch.nn.Module
    x : tensor, array, data frame or nested list; a tuple or a mapping of them
    name : str
        Of the argument, for errors.

    Raises
    ------
    TypeError
        If it holds no numbers.
    ValueError
        For an empty batch, tensors of different length, nan, complex numbers, or another device
        than the model's.
    """
    if isinstance(x, Batch):
        return x
    if isinstance(x, Mapping):
        names = tuple(x)
        parts = [(f"{name}[{key!r}]", x[key]) for key in names]
    elif isinstance(x, tuple) and x and all(hasattr(part, "shape") for part in x):
        names, parts = None, [(f"{name}[{place}]", part) for place, part in enumerate(x)]
    else:
        return Batch((_tensor(module, x, name),))
    if not parts:
        raise ValueError(f"{name} is empty, expected at least one tensor [B, …].")
    tensors = tuple(_tensor(module, part, told) for told, part in parts)
    if len({len(tensor) for tensor in tensors}) > 1:
        shapes = ", ".join(
            f"{told} {list(tensor.shape)}" for (told, _), tensor in zip(parts, tensors, strict=True)
        )
        raise ValueError(
            f"{name} holds tensors of different length ({shapes}); the first axis of each is the "
            "batch."
        )
    return Batch(tensors, names, several=names is None)


def _tensor(module: nn.Module, x: object, name: str) -> torch.Tensor:
    with torch.inference_mode(False):
        tensor = _numbers(x, name)
        if tensor.is_inference():
            tensor = tensor.clone()  # which a gradient may be taken through
        if tensor.is_sparse or tensor.layout != torch.strided:
            tensor = tensor.to_dense()
        if tensor.dim() == 0 or tensor.shape[0] == 0:
            raise ValueError(
                f"{name} has shape {list(tensor.shape)}, expected [B, …] with at least one input."
            )
        if tensor.is_complex():
            raise ValueError(f"{name} is of type {tensor.dtype}, expected real numbers.")
        # frozen whole numbers, as of a quantised layer, say nothing of the input's precision
        floats = (p for p in module.parameters() if p.is_floating_point())
        parameter = next(floats, next(iter(module.parameters())))
        if isinstance(x, torch.Tensor) and tensor.device != parameter.device:
            raise ValueError(
                f"{name} is on {tensor.device} and the model on {parameter.device}; move one of "
                "them."
            )
        if tensor.is_floating_point():
            if not bool(torch.isfinite(tensor).all()):
                raise ValueError(f"{name} holds nan or infinite numbers, expected finite ones.")
            tensor = tensor.to(device=parameter.device, dtype=parameter.dtype)
        return tensor.detach().to(parameter.device)


def _numbers(x: object, name: str) -> torch.Tensor:
    if isinstance(x, torch.Tensor):
        if x.is_nested:
            raise TypeError(
                f"{name} is a nested tensor, expected one shape for all inputs; pad them."
            )
        return x
    try:
        if hasattr(x, "__array__"):  # also data frames, and arrays with negative strides
            x = np.array(x)
        return torch.as_tensor(x)
    except (TypeError, ValueError, RuntimeError):
        several = ""
        if isinstance(x, list | tuple):
            several = "; a model of several inputs takes a tuple or a mapping of tensors"
        raise TypeError(
            f"{name} is {type(x).__name__}, expected a tensor or an array{several}."
        ) from None
