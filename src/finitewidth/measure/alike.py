"""Whether modules are the same function of their parameters and buffers."""

from collections import OrderedDict
from types import FunctionType
from typing import Any

import torch
from torch import nn

_PLAIN = (int, float, complex, str, bytes, bool, type(None), torch.dtype, torch.device, type)
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
        for (name, one), (other_name, two) in zip(self._modules, modules, strict=True):
            if name != other_name or not _same_module(one, two):
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


def same(one: Any, two: Any) -> bool:
    """Whether two settings are surely equal."""
    if one is two:
        return True
    if type(one) is not type(two):
        return False
    if isinstance(one, _PLAIN):
        return one == two
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, set | frozenset):
        return one == two
    if isinstance(one, FunctionType):
        cells = [tuple(c.cell_contents for c in f.__closure__ or ()) for f in (one, two)]
        return (
            one.__code__ is two.__code__
            and same(cells[0], cells[1])
            and same(one.__defaults__, two.__defaults__)
            and same(one.__kwdefaults__, two.__kwdefaults__)
        )
    if isinstance(one, torch.Tensor | nn.Module) or type(one).__eq__ is object.__eq__:
        return False
    return bool(one == two)
