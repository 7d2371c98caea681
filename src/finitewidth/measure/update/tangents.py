"""How gradients change along a step: differentiated twice, or by differences where that is wrong.

PyTorch differentiates a gradient by differentiating the code that computed it. Where that code
leaves the graph (a function's own backward pass without a derivative, a detached factor, a hook)
the result is silently that of other code, since ∇(v·g) is the change of g along v only if g is a
gradient all through. Two central differences of g along the step, of which the second is eight
times finer, tell: where they agree with each other and not with ∇(v·g), that is wrong.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.autograd.function import BackwardCFunction

from finitewidth.measure.model.batch import Batch
from finitewidth.measure.model.graph import nodes
from finitewidth.measure.model.model import Model, reason
from finitewidth.measure.model.precision import at
from finitewidth.measure.update.crossings import crossed, sides

FINER = 8.0
"""From one difference to the next."""

SETTLED = 1e-5
"""Of a difference, by which the finer one may be another where the search for it ends."""

SEEN = 1e-4
"""Of a change of the gradients, the smallest error that is looked for."""

SURE = 10.0
"""Times the distance of two differences, by which the derivative must be off them."""

ROUNDING = 64
"""Units in the last place of a gradient's length by which rounding may move it."""

ROUGH = 1e-2
"""Of a difference, an error beyond which it is no answer."""


class NotTwice(ValueError):
    """The model cannot be differentiated twice; the message is the reason."""


@dataclass(frozen=True)
class Difference:
    """(g(θ + εv) − g(θ − εv)) / 2ε of the gradient g of one sum of outputs.

    Attributes
    ----------
    reach : float
        ε.
    change : tensor [P]
    error : float
        Its distance from the coarser difference, and rounding; as a length.
    settled : bool
        Whether the error is as small as is asked for.
    """

    reach: float
    change: torch.Tensor
    error: float
    settled: bool


@dataclass(frozen=True)
class Line:
    """Parameters along θ + εv.

    Attributes
    ----------
    model : Model
    parameters : list of Parameter
    direction : list of tensor
        v, one of each parameter's shape.
    """

    model: Model
    parameters: list[nn.Parameter]
    direction: list[torch.Tensor]

    @property
    def size(self) -> int:
        """Numbers P in all parameters."""
        return sum(p.numel() for p in self.parameters)

    @property
    def unit(self) -> float:
        """ε at which the step is as long as θ."""
        return (_length(self.parameters) or 1.0) / _length(self.direction)

    def twice(self, value: torch.Tensor, turned: torch.Tensor, gradient: torch.Tensor) -> None:
        """∇(v·∇N) and ∇N of a number N with its graph, into [P] each.

        Raises
        ------
        NotTwice
            If a backward pass on the way does not run under differentiation, or has no derivative.
        """
        try:
            found = torch.autograd.grad(
                value, self.parameters, create_graph=True, retain_graph=True, allow_unused=True
            )
            along = [
                (part * step).sum()
                for part, step in zip(found, self.direction, strict=True)
                if part is not None and part.requires_grad
            ]
            if along:  # otherwise the number is linear in the parameters, or looks so
                again = torch.autograd.grad(
                    torch.stack(along).sum(), self.parameters, retain_graph=True, allow_unused=True
                )
                self._write(turned, again)
        except Exception as error:  # a backward pass may be anybody's code
            raise NotTwice(reason(error)) from error
        self._write(gradient, found)

    def once(self, value: torch.Tensor, gradient: torch.Tensor) -> None:
        """∇N of a number N with its graph, into [P]."""
        self._write(
            gradient,
            torch.autograd.grad(value, self.parameters, retain_graph=True, allow_unused=True),
        )

    def _write(self, target: torch.Tensor, parts: tuple[torch.Tensor | None, ...]) -> None:
        """Gradients side by side into [P]."""
        start = 0
        for parameter, part in zip(self.parameters, parts, strict=True):
            stop = start + parameter.numel()
            if part is None:
                target[start:stop] = 0
            else:
                dense = part.to_dense() if part.is_sparse else part
                target[start:stop] = dense.detach().reshape(-1)
            start = stop

    def empty(self, *shape: int) -> torch.Tensor:
        """[*shape, P] of zeros."""
        like = self.parameters[0]
        return torch.zeros(*shape, self.size, dtype=like.dtype, device=like.device)

    def difference(self, x: Batch, outputs: slice) -> Difference | None:
        """Of one input, and a sum of its outputs with signs that are drawn.

        The first that agrees with a finer one, or the finer of the two that agree best; None where
        no gradient is finite.
        """
        eps, unit = torch.finfo(self.parameters[0].dtype).eps, self.unit
        best, coarser, reach = None, None, unit * eps**0.25
        while ROUNDING * eps * unit < 0.1 * reach:
            ahead, behind = (self._signed(x, outputs, end) for end in (reach, -reach))
            change = (ahead - behind) / (2 * reach)
            length = float(ahead.norm())
            if coarser is not None:
                error = float((change - coarser).norm()) + ROUNDING * eps * length / reach
                settled = error <= SETTLED * max(float(change.norm()), 1e-3 * length / unit)
                if error < (torch.inf if best is None else best.error):
                    best = Difference(reach, change, error, settled)
                if settled:
                    break
            coarser, reach = change, reach / FINER
        return best

    def _signed(self, x: Batch, outputs: slice, reach: float) -> torch.Tensor:
        found = self.empty()
        with at(self.parameters, self.direction, reach):
            self.once(_sum_with_signs(self.model.outputs(x)[0, outputs]), found)
        return found

    def differences(self, x: Batch, outputs: slice, changes: torch.Tensor) -> bool:
        """Of one input, and each of its outputs, into [O', P]; whether they are good."""
        tried = self.difference(x, outputs)
        if tried is None:
            return False
        row = self.empty()
        changes.zero_()
        for end in (tried.reach, -tried.reach):
            with at(self.parameters, self.direction, end):
                output = self.model.outputs(x)[0, outputs]
                for place in range(len(output)):
                    self.once(output[place], row)
                    changes[place].add_(row, alpha=0.5 / end)
        small = tried.error <= ROUGH * float(tried.change.norm())
        return (small or tried.settled) and not self.is_kinked(x, tried.reach)

    def is_kinked(self, x: Batch, reach: float) -> bool:
        """Whether activations are on other sides of their kinks at both ends."""
        with at(self.parameters, self.direction, reach):
            one = sides(self.model.outputs(x))
        with at(self.parameters, self.direction, -reach):
            two = sides(self.model.outputs(x))
        found = crossed(one, two)
        return bool(found.count) or (found.count is None and bool(one.names))

    def doubt(self, x: Batch) -> str:
        """Why differentiating twice is wrong at one input, or empty.

        Decided only where two differences agree with each other, and activations keep their sides.
        """
        output = self.model.outputs(x)[0]
        turned = self.empty()
        try:
            self.twice(_sum_with_signs(output), turned, self.empty())
        except NotTwice as error:
            return impossible(str(error))
        found = self.difference(x, slice(None))
        if found is None:
            return ""
        length = float(found.change.norm())
        off = float((turned - found.change).norm())
        if off <= SURE * found.error + SEEN * length or self.is_kinked(x, found.reach):
            return ""
        return wrong(off / length if length else torch.inf, output)


def impossible(why: str) -> str:
    """The sentence for a model that cannot be differentiated twice."""
    return (
        f"The model uses an operation that PyTorch cannot differentiate twice ({why}), so the "
        "first order was taken from differences of gradients along the step."
    )


def wrong(off: float, output: torch.Tensor) -> str:
    """The sentence for a second derivative that is another one."""
    share = f"by {100 * off:.2g} %" if off < 10 else "by more than ten times"  # also nan
    return (
        f"Differentiating the model twice misses the change of its gradients along the step "
        f"{share}, because of {_suspects(output)}, so the first order was taken from differences "
        "of gradients."
    )


def _suspects(output: torch.Tensor) -> str:
    """Operations that a Python function differentiates, or what else there may be."""
    found = [node for node in nodes(output.grad_fn) if isinstance(node, BackwardCFunction)]
    names = [type(node).__name__.removesuffix("Backward") for node in found]
    names = [*dict.fromkeys(names)]
    if names:
        return f"a backward pass of its own ({', '.join(names[:3])})"
    return "a detached tensor, a hook, or an operation whose derivative PyTorch cannot follow"


def _sum_with_signs(output: torch.Tensor) -> torch.Tensor:
    """Σ_o ±N_o, the signs drawn, so that errors of outputs do not cancel."""
    if len(output) == 1:
        return output[0]
    drawn = torch.randint(2, (len(output),), generator=torch.Generator().manual_seed(0))
    return (output * (2 * drawn - 1).to(output)).sum()


def _length(tensors: list[torch.Tensor] | list[nn.Parameter]) -> float:
    return float(torch.stack([t.detach().double().norm() for t in tensors]).norm())
