"""Whether modules are the same function of their parameters and buffers."""

from collections import OrderedDict
from functools import partial
from types import FunctionType
from typing import Any

import numpy as np
import torch
from torch import nn

_PLAIN = (
    int, float, complex, str, bytes, type(None), torch.dtype, torch.device, type, np.generic,
)  # fmt: skip
_OWN = {"_parameters", "_buffers", "_modules", "_non_persistent_buffers_set"}


class Template:
    """A module that others may be equal to in structure, shapes and every setting.

    Settings that cannot be compared (tensors outside parameters and buffers, objects without an
    equality of their own) count as different.

    Parameters
    ----------
    module : torch.nn.Module
    """

    def __init__(self, module: nn.Module) -> None:
        self._modules = list(module.named_modules(remove_duplicate=False))
        self._told, self.tensors = _tensors(self._modules)

    def fits(self, other: nn.Module) -> list[torch.Tensor] | None:
        """The other's parameters and buffers, each once, if the template may stand in for it."""
        modules = list(other.named_modules(remove_duplicate=False))
        if len(modules) != len(self._modules):
            return None
        try:
            for (name, one), (other_name, two) in zip(self._modules, modules, strict=True):
                if name != other_name or not _same_module(one, two):
                    return None
        except RecursionError:  # nested too deeply to be compared
            return None
        told, tensors = _tensors(modules)
        return tensors if told == self._told else None


def _tensors(modules: list[tuple[str, nn.Module]]) -> tuple[list[Any], list[torch.Tensor]]:
    """Names, ties, shapes, types and who is trained; and the tensors, in this order, each once."""
    told: list[Any] = []
    tensors: list[torch.Tensor] = []
    places: dict[int, int] = {}
    for _, module in modules:
        for kind in (module._parameters, module._buffers):
            for key, tensor in kind.items():
                if tensor is None:
                    told.append((key, None))
                    continue
                place = places.setdefault(id(tensor), len(places))
                if place == len(tensors):
                    tensors.append(tensor.detach())
                told.append(
                    (key, place, tensor.shape, tensor.dtype, tensor.device, tensor.requires_grad)
                )
    return told, tensors


_MISSING = object()
_CONTAINERS = (dict, OrderedDict, list, tuple, set)


def _same_module(first: nn.Module, second: nn.Module) -> bool:
    if type(first) is not type(second):
        return False
    one, two = vars(first), vars(second)
    if len(one) != len(two):
        return False
    for key, value in one.items():
        other = two.get(key, _MISSING)
        if value is other or key in _OWN:
            continue
        if type(value) in _CONTAINERS and type(other) is type(value) and not value and not other:
            continue  # most are empty: hooks
        if not same(value, other):
            return False
    return True


def same(one: Any, two: Any, assumed: frozenset[tuple[int, int]] = frozenset()) -> bool:
    """Whether two settings are surely equal.

    Parameters
    ----------
    one, two : object
    assumed : set of pairs
        Ids of what is being compared: a function or list that holds itself is equal if the rest is.
    """
    if one is two:
        return True
    if type(one) is not type(two):
        return False
    if isinstance(one, _PLAIN):
        return bool(one == two)
    if isinstance(one, np.ndarray):
        known = not one.dtype.hasobject and one.dtype == two.dtype and one.shape == two.shape
        return known and one.tobytes() == two.tobytes()
    pair = (id(one), id(two))
    if pair in assumed:
        return True
    within = partial(same, assumed=assumed | {pair})
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(within, one, two))
    if isinstance(one, dict):
        return [*one] == [*two] and all(within(one[key], two[key]) for key in one)
    if isinstance(one, FunctionType):
        return (
            one.__code__ is two.__code__
            and one.__globals__ is two.__globals__
            and within(_held(one), _held(two))
        )
    if isinstance(one, torch.Tensor | nn.Module) or type(one).__eq__ is object.__eq__:
        return False
    try:
        return (one == two) is True
    except Exception:  # noqa: BLE001 - a user's class may compare in any way
        return False


_EMPTY = object()
"""In a closure, what has no value yet."""


def _held(function: FunctionType) -> list[Any]:
    """What a function holds beside its code."""
    cells = []
    for cell in function.__closure__ or ():
        try:
            cells.append(cell.cell_contents)
        except ValueError:
            cells.append(_EMPTY)
    return [cells, function.__defaults__, function.__kwdefaults__, vars(function)]
