"""A module as it was: before every call of a measurement, and afterwards.

A forward pass may change more than its result: running statistics, caches that grow, states of
recurrent layers, counters. A measurement asks for the function that the module is now, so every
call begins with the same buffers and attributes, and in the end the module holds the objects it
held, with the numbers they had.
"""

from collections import deque
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from finitewidth.measure.model.random_state import kept_random_state

_CONTAINERS = (list, dict, set, deque)


@dataclass
class _Held:
    """A tensor of a module that is no parameter, and the numbers it held."""

    slots: MutableMapping[str, Any]
    key: str
    tensor: torch.Tensor
    numbers: torch.Tensor
    version: int

    def renew(self) -> None:
        """The same numbers again; in another tensor, since a graph may need the one that is there.

        A tensor with a graph is put back as it is.
        """
        changed = _version(self.tensor) != self.version
        if changed or self.slots.get(self.key) is not self.tensor:
            self.slots[self.key] = self.numbers.clone() if changed else self.tensor

    def put_back(self) -> None:
        """The tensor itself, with its numbers."""
        self.slots[self.key] = self.tensor
        if _version(self.tensor) != self.version:
            with torch.no_grad():
                self.tensor.copy_(self.numbers)


class State:
    """Buffers, and attributes that are tensors, numbers, strings or containers.

    Parameters
    ----------
    module : torch.nn.Module
    """

    def __init__(self, module: nn.Module) -> None:
        self._held: list[_Held] = []
        self._slots: list[tuple[MutableMapping[str, Any], dict[str, Any]]] = []
        self._contents: list[tuple[Any, Any]] = []
        # what others keep in parameters, such as gradients of every sample
        self._attributes = [(vars(p), dict(vars(p))) for p in module.parameters()]
        for each in module.modules():
            if isinstance(each, torch.jit.ScriptModule):  # whose buffers stay the same objects
                scripted = dict(each.named_buffers(recurse=False))
                for key, value in scripted.items():
                    self._hold(scripted, key, value)
                continue
            for slots in (each._buffers, vars(each)):
                before = {key: slots[key] for key in slots if key not in _INTERNAL}
                self._slots.append((slots, before))
                for key, value in before.items():
                    if isinstance(value, torch.Tensor) and not isinstance(value, nn.Parameter):
                        self._hold(slots, key, value)
                    elif type(value) in _CONTAINERS:
                        self._contents.append((value, copy(value)))

    def _hold(self, slots: MutableMapping[str, Any], key: str, tensor: torch.Tensor) -> None:
        numbers = tensor.detach().clone()
        self._held.append(_Held(slots, key, tensor, numbers, _version(tensor)))

    def renew(self) -> None:
        """As it was, before a call."""
        self._restore()
        for held in self._held:
            held.renew()

    def put_back(self) -> None:
        """As it was, object by object."""
        self._restore()
        for held in self._held:
            held.put_back()

    def _restore(self) -> None:
        for slots, before in self._attributes:
            if not _same(slots, before):
                slots.clear()
                slots.update(before)
        for slots, before in self._slots:
            for key in [key for key in slots if key not in before and key not in _INTERNAL]:
                del slots[key]
            for key, value in before.items():
                if slots.get(key, slots) is not value and not isinstance(value, torch.Tensor):
                    slots[key] = value
        for container, before in self._contents:
            if not _same(container, before):
                container.clear()
                container.update(before) if hasattr(before, "update") else container.extend(before)


_INTERNAL = frozenset(vars(nn.Module()))
"""What every module has; modes, hooks and parameters are not the forward pass's to change."""


def _same(one: Any, two: Any) -> bool:
    if len(one) != len(two):
        return False
    if isinstance(one, set):
        return one == two
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(one[key] is two[key] for key in one)
    return all(a is b for a, b in zip(one, two, strict=True))


def _version(tensor: torch.Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


@contextmanager
def undisturbed(module: nn.Module, *, evaluate: bool = False) -> Iterator[State]:
    """Gradients on, autocast and inference mode off; afterwards everything is as it was.

    Modes module by module, buffers and attributes, random numbers. Modes are set as attributes, so
    that a module's own ``train`` is not run, and tensors are written only if they changed, so that
    a graph that waits for its backward pass stays valid.

    Parameters
    ----------
    module : torch.nn.Module
    evaluate : bool
        Whether to measure in eval mode, whatever mode the module is in.
    """
    modes = [(each, each.training) for each in module.modules()]
    device = next(iter(module.parameters())).device.type
    with (
        kept_random_state(),
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.autocast(device, enabled=False),
        torch.autocast("cpu", enabled=False),
    ):
        state = State(module)
        try:
            if evaluate:
                for each, _ in modes:
                    each.training = False
            yield state
        finally:
            state.put_back()
            for each, mode in modes:
                each.training = mode
