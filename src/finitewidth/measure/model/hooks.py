"""Backward hooks of modules that look on, left out of a measurement.

A kernel takes many backward passes through one forward pass, and none of them is the loss's. A hook
that keeps what it sees (gradients of every sample, for private training) would keep these, or fail
at the second one. A hook that changes gradients stays: training uses what it returns.
"""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import nn


@dataclass(frozen=True)
class Hooks:
    """Those of a module and its children.

    Attributes
    ----------
    held : list of (dict, dict)
        A module's own dictionary of hooks, and what it held.
    """

    held: list[tuple[MutableMapping[int, Any], dict[int, Any]]]

    def leave_out(self) -> None:
        """As if none had been registered."""
        for hooks, _ in self.held:
            hooks.clear()

    def put_back(self) -> None:
        """As they were."""
        for hooks, before in self.held:
            hooks.clear()
            hooks.update(before)


@contextmanager
def backward_hooks(module: nn.Module) -> Iterator[Hooks | None]:
    """The hooks, None if there are none; afterwards they are as they were."""
    names = ("_backward_hooks", "_backward_pre_hooks")
    every = (vars(each).get(name) for each in module.modules() for name in names)
    hooks = Hooks([(found, dict(found)) for found in every if found])
    try:
        yield hooks if hooks.held else None
    finally:
        hooks.put_back()
