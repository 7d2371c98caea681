"""The loss of a step: the squared error, the cross-entropy, or the user's own function."""

from collections.abc import Callable

import torch
from torch.nn import functional

Loss = str | Callable[..., torch.Tensor]
"""``"mse"``, ``"cross_entropy"``, or a function (output, y) -> scalar."""

NAMED = ("mse", "cross_entropy")


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
    elif not callable(loss):
        raise TypeError(
            f"loss is {type(loss).__name__}, expected 'mse', 'cross_entropy' or a function of "
            "(output, y) that returns a scalar tensor."
        )


def value(loss: Loss, output: torch.Tensor, y: object) -> torch.Tensor:
    """The loss of a batch, a scalar with its graph.

    Parameters
    ----------
    loss : str or callable
        "mse": ½ Σ_{b,o} (N_o(x_b) − y_bo)². "cross_entropy": Σ_b of the cross-entropy with
        softmax N(x_b). Both are sums over the batch, not averages.
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
    if loss == "mse":
        found = 0.5 * (output - _like_output(y, output)).square().sum()
    elif loss == "cross_entropy":
        found = _cross_entropy(output, y)
    else:
        assert callable(loss)
        found = _own(loss, output, y)
    if not bool(torch.isfinite(found.detach())):
        number = float(found.detach())
        raise ValueError(f"the loss before the step is {number}, expected a finite number.")
    return found


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
        raise ValueError(
            f"y has shape {list(targets.shape)} and the model's output {list(output.shape)}; the "
            "squared error needs one target for every output."
        )
    return targets.to(output.dtype).reshape(output.shape)


def _cross_entropy(output: torch.Tensor, y: object) -> torch.Tensor:
    if output.dim() != 2 or output.shape[1] < 2:
        raise ValueError(
            f"the model's output has shape {list(output.shape)}, but cross_entropy expects "
            "[B, O] with at least 2 outputs; use a function of (output, y) instead."
        )
    targets, (batch, classes) = _numbers(y, output), output.shape
    if targets.dtype == torch.bool:
        raise TypeError("y is of type torch.bool, expected whole class numbers or probabilities.")
    if not targets.is_floating_point():
        if targets.shape != (batch,):
            raise ValueError(
                f"y holds whole numbers in shape {list(targets.shape)}, expected one class for "
                f"every input, [{batch}]; probabilities are floats."
            )
        if int(targets.min()) < 0 or int(targets.max()) >= classes:
            raise ValueError(
                f"y holds classes from {int(targets.min())} to {int(targets.max())}, expected "
                f"0 … {classes - 1} for the model's {classes} outputs."
            )
        return functional.cross_entropy(output, targets.long(), reduction="sum")
    if targets.shape != output.shape:
        raise ValueError(
            f"y is of type {targets.dtype} and shape {list(targets.shape)}, expected whole class "
            f"numbers [{batch}] or probabilities {list(output.shape)}."
        )
    off = float((targets.sum(dim=1) - 1.0).abs().max())
    if float(targets.min()) < 0 or off > 1e-3:
        raise ValueError(
            "y holds no probabilities: every row must be at least 0 and add up to 1 (smallest "
            f"{float(targets.min()):.3g}, sums off by up to {off:.3g})."
        )
    return functional.cross_entropy(output, targets.to(output.dtype), reduction="sum")


def _own(loss: Callable[..., torch.Tensor], output: torch.Tensor, y: object) -> torch.Tensor:
    targets = torch.as_tensor(y) if hasattr(y, "__array__") else y
    if isinstance(targets, torch.Tensor):
        targets = targets.to(output.device)
        if targets.is_floating_point():
            targets = targets.to(output.dtype)
    try:
        found = loss(output, targets)
    except (RuntimeError, TypeError, IndexError, ValueError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise ValueError(
            f"the loss cannot take an output of shape {list(output.shape)} and type "
            f"{output.dtype} with this y: {reason}."
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
