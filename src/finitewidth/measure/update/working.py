"""The model that is stepped: a copy in float64 where possible, and every step taken back."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import nn

from finitewidth.measure.kernel.forward import checked_input, run, trained_parameters
from finitewidth.measure.update.loss import Loss, value


@dataclass(frozen=True)
class Working:
    """Where the parameters are and where a step takes them.

    Attributes
    ----------
    model : torch.nn.Module
        A copy of the user's, or, where it cannot be copied, the user's own.
    parameters : list of Parameter
        Those that require gradients.
    direction : list of tensor
        −∇L of each.
    x, probe : tensor [B, …]
        Inputs of the loss, and those whose kernel is watched.
    loss : str or callable
    y : object
    loss_before : float
    dtype : torch.dtype
    notes : tuple of str
        Sentences about the precision.
    """

    model: nn.Module
    parameters: list[nn.Parameter]
    direction: list[torch.Tensor]
    x: torch.Tensor
    probe: torch.Tensor
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
        before = [parameter.detach().clone() for parameter in self.parameters]
        with torch.no_grad():
            for parameter, part in zip(self.parameters, self.direction, strict=True):
                parameter.add_(part, alpha=learning_rate)
        try:
            yield
        finally:
            with torch.no_grad():
                for parameter, old in zip(self.parameters, before, strict=True):
                    parameter.copy_(old)

    def loss_here(self) -> float | None:
        """The loss at the parameters as they are now, None if it is not finite."""
        with torch.no_grad():
            output = self.model(self.x)
        if not bool(torch.isfinite(output).all()):
            return None
        try:
            return float(value(self.loss, output.requires_grad_(), self.y).detach())
        except ValueError:
            return None


def prepared(
    model: nn.Module, X: object, X_probe: object, y: object, loss: Loss, precision: str
) -> Working:
    """A model to step, in float64 for ``"double"`` if it runs in it, else in its own precision.

    Raises
    ------
    ValueError, TypeError
        As `kernel` and as `loss.value`.
    """
    own = next(iter(trained_parameters(model).values())).dtype
    narrow = precision == "double" and own != torch.float64
    try:
        copy = deepcopy(model)
    except Exception as error:  # noqa: BLE001 - a user's module may raise anything
        notes = (_rounded("cannot be copied", error, own),) if narrow else ()
        return _working(model, X, X_probe, y, loss, notes)
    if not narrow:
        return _working(copy, X, X_probe, y, loss, ())
    try:
        return _working(deepcopy(model).double(), X, X_probe, y, loss, ())
    except Exception as error:  # noqa: BLE001 - whatever it is, the model's own precision may do
        note = _rounded("does not run in float64", error, own)
        return _working(copy, X, X_probe, y, loss, (note,))


def _rounded(what: str, error: Exception, dtype: torch.dtype) -> str:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
    return (
        f"The model {what} ({reason}), so the step was taken in {dtype}, where the difference of "
        "two kernels loses digits at small rates."
    )


def _working(
    model: nn.Module, X: object, X_probe: object, y: object, loss: Loss, notes: tuple[str, ...]
) -> Working:
    parameters = list(trained_parameters(model).values())
    x = checked_input(model, X, "X")
    probe = x if X_probe is None else checked_input(model, X_probe, "X_probe")
    shaped = _own_shape(model, x)
    found = value(loss, shaped, y)
    gradients = torch.autograd.grad(found, parameters, allow_unused=True, materialize_grads=True)
    if not all(bool(torch.isfinite(part).all()) for part in gradients):
        raise ValueError("the gradient of the loss is not finite, so there is no step to take.")
    direction = [-part.detach() for part in gradients]
    return Working(
        model, parameters, direction, x, probe, loss, y, float(found.detach()),
        parameters[0].dtype, notes,
    )  # fmt: skip


def _own_shape(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The output in the model's own shape, after the checks of `run` on the same forward pass."""
    shape: list[torch.Size] = []

    def keep(_module: nn.Module, _inputs: object, output: object) -> None:
        if isinstance(output, torch.Tensor):
            shape.append(output.shape)

    handle = model.register_forward_hook(keep)
    try:
        output = run(model, x)
    finally:
        handle.remove()
    return output.reshape(shape[-1])
