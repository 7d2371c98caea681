"""The model that is stepped: in float64 where it runs in it, and every step taken back."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from finitewidth.measure.model.batch import Batch
from finitewidth.measure.model.graph import before_the_call
from finitewidth.measure.model.model import Model, gradients, reason
from finitewidth.measure.model.precision import at, in_precision
from finitewidth.measure.update.loss import Loss, value


@dataclass(frozen=True)
class Working:
    """Where the parameters are and where a step takes them.

    Attributes
    ----------
    model : Model
        The user's own, in another precision for a while.
    parameters : list of Parameter
        Those that require gradients.
    direction : list of tensor
        −∇L of each.
    x, probe : Batch
        Inputs of the loss, and those whose kernel is watched.
    loss : str or callable
    y : object
    loss_before : float
    dtype : torch.dtype
    notes : tuple of str
        Sentences about the precision.
    """

    model: Model
    parameters: list[nn.Parameter]
    direction: list[torch.Tensor]
    x: Batch
    probe: Batch
    loss: Loss
    y: object
    loss_before: float
    dtype: torch.dtype
    notes: tuple[str, ...]

    @property
    def slope(self) -> float:
        """|∇L|², the rate at which the loss falls."""
        return sum(float(part.double().square().sum()) for part in self.direction)

    @contextmanager
    def stepped(self, learning_rate: float) -> Iterator[None]:
        """The parameters at θ − λ∇L within, and bit for bit where they were afterwards."""
        with at(self.parameters, self.direction, learning_rate):
            yield

    def loss_here(self) -> float | None:
        """The loss at the parameters as they are now, None if it is not finite."""
        output = self.model(self.x).detach()
        if not bool(torch.isfinite(output).all()):
            return None
        try:
            return float(value(self.loss, output.requires_grad_(), self.y).detach())
        except ValueError:
            return None


@contextmanager
def prepared(
    model: Model, X: object, X_probe: object, y: object, loss: Loss, precision: str
) -> Iterator[Working]:
    """A model to step, in float64 for ``"double"`` if it runs in it, else in its own precision.

    The module is stepped itself: a copy would not know functions that hold one of its layers, nor
    could every module be copied. Afterwards it is as it was.

    Raises
    ------
    ValueError, TypeError
        As `kernel` and as `loss.value`.
    """
    own, notes = model.dtype, ()
    with ExitStack() as stack:
        found = None
        if precision == "double" and own != torch.float64:
            inner = stack.enter_context(ExitStack())
            try:
                inner.enter_context(in_precision(model.module, torch.float64))
                inner.enter_context(model.undisturbed())
                found = _working(model, X, X_probe, y, loss, notes)
            except Exception as error:  # noqa: BLE001 - whatever it is, the own precision may do
                inner.close()
                notes = (_rounded(error, own),)
        if found is None:
            stack.enter_context(model.undisturbed())
            found = _working(model, X, X_probe, y, loss, notes)
        yield found


def _rounded(error: Exception, dtype: torch.dtype) -> str:
    return (
        f"The model does not run in float64 ({reason(error)}), so the step was taken in {dtype}, "
        "where the difference of two kernels loses digits at small rates."
    )


def _working(
    model: Model, X: object, X_probe: object, y: object, loss: Loss, notes: tuple[str, ...]
) -> Working:
    parameters = [*model.parameters.values()]
    x = model.batch(X, "X")
    probe = x if X_probe is None else model.batch(X_probe, "X_probe")
    with before_the_call() as is_stale:
        shaped = model.shaped(x)
        stale = is_stale(shaped)
    if stale:
        names = {id(p): name for name, p in model.parameters.items()}
        name = next((names[id(leaf)] for leaf in stale if id(leaf) in names), None)
        if name is not None:
            raise ValueError(
                f"the output depends on parameter {name!r} through a tensor that was computed "
                "before the forward pass, which a step does not change; compute it in the forward "
                "pass, or give forward=, a function of (model, batch) that does."
            )
    found = value(loss, shaped, y)
    slope = gradients(found, parameters)
    if not all(bool(torch.isfinite(part).all()) for part in slope):
        raise ValueError("the gradient of the loss is not finite, so there is no step to take.")
    return Working(
        model, parameters, [-part.detach() for part in slope], x, probe, loss, y,
        float(found.detach()), parameters[0].dtype, notes,
    )  # fmt: skip
