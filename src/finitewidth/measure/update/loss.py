"""The loss of a step: the squared error, the cross-entropy, or the user's own function."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from finitewidth.measure.model.model import reason
from finitewidth.measure.spectrum import largest_eigenvalue

NAMED = ("mse", "cross_entropy")
REDUCTIONS = ("sum", "mean")

IGNORED = -100
"""The class number of a target that does not count, as in PyTorch."""


@dataclass(frozen=True)
class Mean:
    """A named loss, averaged over its targets."""

    name: str


Loss = str | Mean | Callable[..., torch.Tensor]
"""``"mse"``, ``"cross_entropy"``, its `Mean`, or a function (output, y) -> scalar."""


def reduced(loss: Loss, reduction: str) -> Loss:
    """The loss with its reduction.

    Parameters
    ----------
    loss : "mse", "cross_entropy" or callable
    reduction : "sum" or "mean"
        Over the batch. The mean is that of PyTorch: over all numbers of the output for "mse", so
        that it is half of ``torch.nn.MSELoss()``, and over the targets that count for
        "cross_entropy". A function is its own reduction.

    Raises
    ------
    ValueError, TypeError
        As `check_loss`; for another reduction, or the mean of a function.
    """
    check_loss(loss)
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction is {reduction!r}, expected 'sum' or 'mean'.")
    if reduction == "sum" or isinstance(loss, Mean):
        return loss
    if not isinstance(loss, str):
        raise ValueError(
            "reduction='mean' goes with 'mse' and 'cross_entropy'; a function of (output, y) "
            "averages over the batch itself."
        )
    return Mean(loss)


def check_loss(loss: object) -> None:
    """Refuse what is no loss.

    Raises
    ------
    ValueError, TypeError
        For another name; for anything that cannot be called.
    """
    if isinstance(loss, str):
        if loss not in NAMED:
            raise ValueError(
                f"loss is {loss!r}, expected 'mse', 'cross_entropy' or a function of (output, y) "
                "that returns a scalar tensor."
            )
    elif not callable(loss) and not isinstance(loss, Mean):
        raise TypeError(
            f"loss is {type(loss).__name__}, expected 'mse', 'cross_entropy' or a function of "
            "(output, y) that returns a scalar tensor."
        )


def value(loss: Loss, output: torch.Tensor, y: object) -> torch.Tensor:
    """The loss of a batch, a scalar with its graph.

    Parameters
    ----------
    loss : str, Mean or callable
        "mse": ½ Σ_{b,o} (N_o(x_b) − y_bo)². "cross_entropy": Σ_b of the cross-entropy with
        softmax N(x_b). Both are sums over the batch; a `Mean` is the sum over the number of terms.
    output : tensor [B, …]
        In the model's own shape.
    y : object
        Targets.

    Raises
    ------
    ValueError, TypeError
        For targets that do not fit the loss; for a loss that is no scalar, is not finite, or does
        not depend on the output.
    """
    if isinstance(loss, str | Mean):
        found, terms = _named(loss, output, y)
        found = found / terms
    else:
        found = _own(loss, output, y)
    if not bool(torch.isfinite(found.detach())):
        number = float(found.detach())
        raise ValueError(f"the loss before the step is {number}, expected a finite number.")
    return found


def curvature(loss: Loss, output: torch.Tensor, y: object) -> float:
    """The largest eigenvalue of ∂²L/∂N², by magnitude, or a bound on it that holds at any output.

    1 for "mse", ½ for "cross_entropy": its blocks diag(p) − ppᵀ have rows whose magnitudes sum to
    2 p (1 − p) ≤ ½ (Gershgorin). Both over the number of terms for a `Mean`. Of a function, the
    eigenvalue at this output, by Lanczos iteration; 0 for one that is piecewise linear.

    Parameters
    ----------
    loss, output, y
        As in `value`.
    """
    if isinstance(loss, str | Mean):
        name = loss if isinstance(loss, str) else loss.name
        return (1.0 if name == "mse" else 0.5) / _named(loss, output, y)[1]
    point = output.detach().requires_grad_()
    (slope,) = torch.autograd.grad(_own(loss, point, y), point, create_graph=True)
    if not slope.requires_grad:
        return 0.0

    def product(vector: np.ndarray) -> np.ndarray:
        along = torch.as_tensor(vector, dtype=point.dtype, device=point.device).view_as(point)
        (found,) = torch.autograd.grad(
            slope, point, along, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        return found.double().reshape(-1).cpu().numpy(force=True)

    return abs(largest_eigenvalue(product, point.numel()))


def _named(loss: str | Mean, output: torch.Tensor, y: object) -> tuple[torch.Tensor, int]:
    """The sum of a named loss, and what it is divided by."""
    name = loss if isinstance(loss, str) else loss.name
    if name == "mse":
        found = 0.5 * (output - _like_output(y, output)).square().sum()
        terms = output.numel()
    else:
        found, terms = _cross_entropy(output, y)
    return found, terms if isinstance(loss, Mean) else 1


def _numbers(y: object, output: torch.Tensor) -> torch.Tensor:
    """Targets as a tensor on the model's device."""
    try:
        tensor = y if isinstance(y, torch.Tensor) else torch.as_tensor(y)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"y is {type(y).__name__}, expected a tensor or an array.") from None
    if tensor.is_complex():
        raise ValueError(f"y is of type {tensor.dtype}, expected real numbers.")
    if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
        raise ValueError("y holds nan or infinite numbers, expected finite ones.")
    return tensor.detach().to(output.device)


def _like_output(y: object, output: torch.Tensor) -> torch.Tensor:
    """Targets in the output's shape; nothing is broadcast.

    [B, O] for outputs with trailing axes, and [B] for one output, are the same numbers.
    """
    targets = _numbers(y, output)
    flat = output.reshape(len(output), -1)
    fits = [output.shape, flat.shape]
    if flat.shape[1] == 1:
        fits.append(flat.shape[:1])
    if targets.shape not in fits:
        shapes = f"{list(targets.shape)} and the model's output {list(output.shape)}"
        if _class_axes(output.shape, targets.shape) and bool((targets == targets.round()).all()):
            raise ValueError(
                f"y has shape {shapes}, and holds whole numbers: class numbers go with "
                "loss='cross_entropy' (--loss cross_entropy), the squared error needs one target "
                "for every output."
            )
        raise ValueError(
            f"y has shape {shapes}; the squared error needs one target for every output."
        )
    return targets.to(output.dtype).reshape(output.shape)


def _cross_entropy(output: torch.Tensor, y: object) -> tuple[torch.Tensor, int]:
    """The sum over the targets that count, and how many they are."""
    if output.dim() < 2:
        raise ValueError(
            f"the model's output has shape {list(output.shape)}, but cross_entropy expects "
            "[B, O] with at least 2 outputs; use a function of (output, y) instead."
        )
    targets = _numbers(y, output)
    if targets.dtype == torch.bool:
        raise TypeError("y is of type torch.bool, expected whole class numbers or probabilities.")
    if targets.is_floating_point():
        return _of_probabilities(output, targets)
    axis = _axis(output, targets, _class_axes(output.shape, targets.shape))
    classes, counted = output.shape[axis], targets[targets != IGNORED]
    if not len(counted):
        raise ValueError(f"every target in y is {IGNORED}, which is ignored, so nothing is left.")
    if int(counted.min()) < 0 or int(counted.max()) >= classes:
        raise ValueError(
            f"y holds classes from {int(counted.min())} to {int(counted.max())}, expected "
            f"0 … {classes - 1} for the model's {classes} outputs ({IGNORED} is ignored)."
        )
    logits = output.movedim(axis, 1)
    found = functional.cross_entropy(logits, targets.long(), reduction="sum", ignore_index=IGNORED)
    return found, len(counted)


def _of_probabilities(output: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, int]:
    if targets.shape != output.shape:
        raise ValueError(
            f"y is of type {targets.dtype} and shape {list(targets.shape)}, expected whole class "
            f"numbers {_expected(output.shape)} or probabilities {list(output.shape)}."
        )
    off = {axis: float((targets.sum(dim=axis) - 1.0).abs().max()) for axis in {1, output.dim() - 1}}
    fits = [axis for axis, most in off.items() if most <= 1e-3]
    if float(targets.min()) < 0 or not fits:
        raise ValueError(
            "y holds no probabilities: every row must be at least 0 and add up to 1 (smallest "
            f"{float(targets.min()):.3g}, sums off by up to {min(off.values()):.3g})."
        )
    axis = _axis(output, targets, fits)
    found = functional.cross_entropy(
        output.movedim(axis, 1), targets.to(output.dtype).movedim(axis, 1), reduction="sum"
    )
    return found, output.numel() // output.shape[axis]


def _class_axes(output: torch.Size, targets: torch.Size) -> list[int]:
    """Axes of the output that may hold the classes, for class numbers of a shape."""
    axes = {1: (*output[:1], *output[2:]), len(output) - 1: output[:-1]}
    return [axis for axis, shape in axes.items() if axis and tuple(targets) == tuple(shape)]


def _axis(output: torch.Tensor, targets: torch.Tensor, fits: list[int]) -> int:
    """The one axis that holds the classes."""
    shapes = f"{list(targets.shape)} and the model's output {list(output.shape)}"
    if len(fits) > 1:
        raise ValueError(
            f"y has shape {shapes}, whose classes may lie along axis 1 or the last one; use a "
            "function of (output, y) instead."
        )
    if not fits:
        raise ValueError(
            f"y holds whole numbers in shape {shapes}, expected one class for every input, "
            f"{_expected(output.shape)}; probabilities are floats."
        )
    if output.shape[fits[0]] < 2:
        raise ValueError(
            f"the model's output has shape {list(output.shape)}, but cross_entropy expects "
            "[B, O] with at least 2 outputs; use a function of (output, y) instead."
        )
    return fits[0]


def _expected(output: torch.Size) -> str:
    """The shapes of class numbers."""
    first, last = [*output[:1], *output[2:]], [*output[:-1]]
    return f"{first}" if first == last else f"{first} (classes along axis 1) or {last}"


def _own(loss: Callable[..., torch.Tensor], output: torch.Tensor, y: object) -> torch.Tensor:
    targets = torch.as_tensor(y) if hasattr(y, "__array__") else y
    if isinstance(targets, torch.Tensor):
        targets = targets.to(output.device)
        if targets.is_floating_point():
            targets = targets.to(output.dtype)
    try:
        found = loss(output, targets)
    except (RuntimeError, TypeError, IndexError, ValueError) as error:
        raise ValueError(
            f"the loss cannot take an output of shape {list(output.shape)} and type "
            f"{output.dtype} with this y: {reason(error)}."
        ) from error
    if not isinstance(found, torch.Tensor):
        raise TypeError(
            f"the loss returns a {type(found).__name__}, expected a scalar tensor with its graph."
        )
    if found.numel() != 1 or found.is_complex():
        raise ValueError(
            f"the loss has shape {list(found.shape)} and type {found.dtype}, expected one real "
            "number: sum or average it over the batch."
        )
    if not found.requires_grad:
        raise ValueError("the loss does not depend on the model's output.")
    return found.reshape(())
