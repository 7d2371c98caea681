"""Where each parameter enters a model: its uses, read off the autograd graph of one forward pass.

The graph holds every use there is, whatever module or function made it: a layer called twice, tied
weights, a bare parameter in a functional call. Nothing is assumed about modules.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

Node = Any
"""A node of the autograd graph."""


@dataclass(frozen=True)
class Use:
    """One place where a parameter enters an operation.

    Attributes
    ----------
    node : Node
        The backward node of the operation.
    place : int
        Which of its inputs the parameter is.
    transposed : bool
        Whether it enters through ``weight.t()``.
    factor : float
        The number it is multiplied with on the way, as in ``scale * weight``.
    """

    node: Node
    place: int
    transposed: bool
    factor: float = 1.0


def nodes(root: Node) -> Iterator[Node]:
    """All nodes of a graph, each once."""
    seen = {root}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        for child, _ in node.next_functions:
            if child is not None and child not in seen:
                seen.add(child)
                waiting.append(child)


@contextmanager
def before_the_call() -> Iterator[Callable[[torch.Tensor], list[torch.Tensor]]]:
    """A function that tells on which leaves an output depends through older tensors.

    PyTorch numbers the nodes of a thread as they are made; those of a call made within have higher
    numbers than whatever was there.
    """
    mark = torch.zeros((), requires_grad=True).clone().grad_fn
    assert mark is not None
    start = mark._sequence_nr()

    def old_leaves(output: torch.Tensor) -> list[torch.Tensor]:
        found = []
        for node in nodes(output.grad_fn):
            if not hasattr(node, "variable") and node._sequence_nr() < start:
                found += [leaf.variable for leaf in nodes(node) if hasattr(leaf, "variable")]
                break
        return found

    yield old_leaves


def uses(output: torch.Tensor) -> dict[torch.Tensor, list[Use]]:
    """Every leaf that the output depends on, with all its uses.

    Parameters
    ----------
    output : tensor
        Result of a forward pass with gradients enabled.
    """
    parents: dict[Node, list[tuple[Node, int]]] = {}
    leaves: list[Node] = []
    for node in nodes(output.grad_fn):
        if hasattr(node, "variable"):
            leaves.append(node)
        for place, (child, _) in enumerate(node.next_functions):
            if child is not None:
                parents.setdefault(child, []).append((node, place))
    found: dict[torch.Tensor, list[Use]] = {}
    for leaf in leaves:
        here: list[Use] = []
        waiting = [Use(node, place, False) for node, place in parents.get(leaf, [])]
        while waiting:
            use = waiting.pop()
            transposed, factor = use.transposed, use.factor
            scalar = _scalar_factor(use.node, use.place)
            if use.node.name() == "TBackward0":
                transposed = not transposed
            elif scalar is not None:
                factor *= scalar
            else:
                here.append(use)
                continue
            above = parents.get(use.node, [])
            waiting += [Use(node, place, transposed, factor) for node, place in above]
        found[leaf.variable] = here
    return found


def _scalar_factor(node: Node, place: int) -> float | None:
    """The number with which a node multiplies its input, if that is all it does."""
    if node.name() != "MulBackward0" or node.next_functions[1 - place][0] is not None:
        return None
    other = node._saved_other if place == 0 else node._saved_self
    if isinstance(other, torch.Tensor):
        return float(other) if other.dim() == 0 and not other.requires_grad else None
    return float(other)
