"""Which side of its kink every piecewise activation is on, read off the autograd graph.

The graph holds every activation there is, a module's, a function's, or one that works in place.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from finitewidth.measure.model.graph import Node, nodes

POOLS = ("MaxPool", "AdaptiveMaxPool", "FractionalMaxPool", "AmaxBackward", "MaxBackward")
"""Operations that switch between inputs, too, but have no pre-activation to count."""


def _above(*names: str) -> Callable[[Node], torch.Tensor]:
    """How many of the thresholds, saved under these names, the pre-activation lies above."""

    def side(node: Node) -> torch.Tensor:
        z = _saved(node)
        count = torch.zeros(z.shape, dtype=torch.int8, device=z.device)
        for name in names:
            bound = getattr(node, f"_saved_{name}", None)
            if bound is not None:
                count += z > bound
        return count

    return side


def _at(*bounds: float) -> Callable[[Node], torch.Tensor]:
    def side(node: Node) -> torch.Tensor:
        z = _saved(node)
        count = torch.zeros(z.shape, dtype=torch.int8, device=z.device)
        for bound in bounds:
            count += z > bound
        return count

    return side


def _shrink(node: Node) -> torch.Tensor:
    z, bound = _saved(node), float(node._saved_lambd)
    return (z > bound).to(torch.int8) + (z > -bound).to(torch.int8)


def _saved(node: Node) -> torch.Tensor:
    """The pre-activation, or the result, whose sign is the same."""
    name = "_saved_self" if hasattr(type(node), "_saved_self") else "_saved_result"
    return getattr(node, name).detach()


SIDES: dict[str, Callable[[Node], torch.Tensor]] = {
    "AbsBackward": _at(0.0),
    "ClampBackward": _above("min", "max"),
    "ClampMaxBackward": _above("max"),
    "ClampMinBackward": _above("min"),
    "EluBackward": _at(0.0),
    "HardshrinkBackward": _shrink,
    "HardsigmoidBackward": _at(-3.0, 3.0),
    "HardswishBackward": _at(-3.0, 3.0),
    "HardtanhBackward": _above("min_val", "max_val"),
    "LeakyReluBackward": _at(0.0),
    "MaximumBackward": _above("other"),
    "MinimumBackward": _above("other"),
    "PreluKernelBackward": _at(0.0),
    "ReluBackward": _at(0.0),
    "RreluWithNoiseBackward": _at(0.0),
    "SoftshrinkBackward": _shrink,
    "ThresholdBackward": _above("threshold"),
}
"""Backward nodes, without their number, of functions whose derivative jumps."""


@dataclass(frozen=True)
class Sides:
    """The pattern of a forward pass.

    Attributes
    ----------
    sides : list of tensor
        One an activation, of its pre-activation's shape; in the order of the graph.
    names : list of str
        Their nodes.
    pools : bool
        Whether the model also takes maxima over inputs or positions.
    unreadable : str
        Name of an activation that did not keep its pre-activation, or empty.
    """

    sides: list[torch.Tensor]
    names: list[str]
    pools: bool
    unreadable: str


def sides(output: torch.Tensor) -> Sides:
    """The pattern of an output with its graph."""
    found, names, pools, unreadable = [], [], False, ""
    for node in nodes(output.grad_fn):
        name = node.name()
        pools = pools or name.startswith(POOLS)
        kind = name.rstrip("0123456789")
        if kind not in SIDES or _is_smooth(node, kind):
            continue
        names.append(name)
        try:
            found.append(SIDES[kind](node))
        except RuntimeError:  # overwritten in place by a later operation
            unreadable = kind.removesuffix("Backward")
    return Sides(found, names, pools, unreadable)


def _is_smooth(node: Node, kind: str) -> bool:
    """Whether the settings of a function leave it without a kink."""
    if kind == "EluBackward":
        return node._saved_alpha * node._saved_input_scale == 1.0
    return kind == "LeakyReluBackward" and node._saved_negative_slope == 1.0


@dataclass(frozen=True)
class Crossed:
    """How many (neuron, input) pairs a step carried across a kink.

    Attributes
    ----------
    count, pairs : int or None
        Those that crossed, and all there are; None where they cannot be counted.
    note : str
        Why not, or empty.
    """

    count: int | None
    pairs: int | None
    note: str = ""


def crossed(before: Sides, after: Sides | None) -> Crossed:
    """Compare two patterns, the second None where the step ended in infinity."""
    if not before.names:
        pools = " other than a maximum, whose switches are not counted" if before.pools else ""
        return Crossed(None, None, f"The model has no ReLU-like activation{pools}.")
    if after is None:
        return Crossed(None, None, "The step ended in numbers that are not finite.")
    unreadable = before.unreadable or after.unreadable
    if unreadable:
        return Crossed(
            None, None,
            f"The pre-activations of {unreadable} are overwritten in place by a later operation.",
        )  # fmt: skip
    shapes = [[tensor.shape for tensor in pattern.sides] for pattern in (before, after)]
    if before.names != after.names or shapes[0] != shapes[1]:
        return Crossed(None, None, "The model takes another path after the step.")
    count = sum(int((one != two).sum()) for one, two in zip(before.sides, after.sides, strict=True))
    return Crossed(count, sum(tensor.numel() for tensor in before.sides))
