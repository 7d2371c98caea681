"""Gradients of a batch, gathered from a few inputs at a time in the form that takes less memory."""

import torch

from finitewidth.measure.kernel.buffers import uninitialised
from finitewidth.measure.kernel.contract import prefers_full
from finitewidth.measure.kernel.factors import Factor, Full, Gated, Outer, size_in_bytes
from finitewidth.measure.kernel.features import Biases, Features


def keeps_full(factor: Factor, inputs: int, *, trace: bool) -> bool:
    """Whether a parameter is kept in full: the order of its contraction, and less to store."""
    if not isinstance(factor, Outer):
        return isinstance(factor, Full)
    size = len(factor.left) * factor.outputs * factor.size * factor.left.element_size()
    return size <= size_in_bytes(factor) and prefers_full(factor, inputs, trace=trace)


class Gathered:
    """Every parameter's gradient at all inputs of a batch.

    Parameters
    ----------
    inputs : int
        In the batch.
    trace : bool
        Whether only traces over outputs will be asked for.
    """

    def __init__(self, inputs: int, *, trace: bool) -> None:
        self.inputs, self.trace = inputs, trace
        self.factors: dict[torch.Tensor, Factor] = {}
        self._biases: list[Biases] = []

    @property
    def biases(self) -> Biases:
        """Those of `Features`, where all inputs agree and the weight is not kept in full."""
        first, *others = self._biases
        return {
            bias: (weight, side)
            for bias, (weight, side) in first.items()
            if all(bias in other and other[bias][0] is weight for other in others)
            and isinstance(self.factors[weight], Outer)
        }

    def put(self, start: int, count: int, features: Features) -> None:
        """The gradients of `count` inputs; those of a parameter that is not named are 0."""
        self._biases.append(features.biases)
        found = features.factors
        for parameter, factor in found.items():
            if count == self.inputs:
                self.factors[parameter] = factor
                continue
            if parameter not in self.factors:
                full = keeps_full(factor, self.inputs, trace=self.trace)
                self.factors[parameter] = _empty(factor, self.inputs, full, zero=start > 0)
            else:
                self._make_room(parameter, factor)
            _write(self.factors[parameter][start : start + count], factor)
        for parameter in set(self.factors) - set(found):
            for tensor in self.factors[parameter].tensors:
                tensor[start : start + count] = 0

    def _make_room(self, parameter: torch.Tensor, factor: Factor) -> None:
        """Turn what is kept into a form that holds the new factor, too."""
        kept = self.factors[parameter]
        if isinstance(kept, Gated):
            weights = kept.common_weights(factor) if isinstance(factor, Gated) else None
            if weights is not None:
                kept = Gated(kept.left, kept.right, weights, kept.on_left)
            else:
                kept = kept.outer()
        if not isinstance(kept, Full) and not _fits(kept, factor):
            # later inputs have other positions, or are left to Jacobians
            outer = kept.outer() if isinstance(kept, Gated) else kept
            gradient = uninitialised((self.inputs, outer.outputs, outer.size), outer.left)
            outer.write(gradient)
            kept = Full(gradient)
        self.factors[parameter] = kept


def _empty(factor: Factor, inputs: int, full: bool, *, zero: bool) -> Factor:
    if full:
        gradient = uninitialised((inputs, factor.outputs, factor.size), factor.tensors[0])
        made: Factor = Full(gradient)
    else:
        assert not isinstance(factor, Full)
        left, right = (uninitialised((inputs, *side.shape[1:]), side) for side in factor.tensors)
        made = Outer(left, right)
        if isinstance(factor, Gated):
            made = Gated(left, right, factor.weights, factor.on_left)
    if zero:
        for tensor in made.tensors:
            tensor.zero_()
    return made


def _fits(kept: Outer | Gated, factor: Factor) -> bool:
    """Whether a factor can be copied into one of this form."""
    if isinstance(factor, Full):
        return False
    if isinstance(kept, Outer) and isinstance(factor, Gated):
        factor = factor.outer()
    return all(
        one.shape[1:] == two.shape[1:]
        for one, two in zip(kept.tensors, factor.tensors, strict=True)
    )


def _write(target: Factor, factor: Factor) -> None:
    if isinstance(target, Full):
        factor.write(target.gradient)
        return
    if isinstance(target, Outer) and isinstance(factor, Gated):
        factor = factor.outer()
    for one, two in zip(target.tensors, factor.tensors, strict=True):
        one.copy_(two)
