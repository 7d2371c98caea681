"""`DeferredSGD`, and the refusal of every other optimiser for deferred layers."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from finitewidth.simulate.deferred.linear import DeferredWeight


class DeferredSGD(torch.optim.SGD):
    """``torch.optim.SGD`` for models with `DeferredLinear` layers among others.

    Ordinary parameters move as they do there. So does the matrix Ŵ = scale · W of a deferred
    layer, V = momentum V + Σ u xᵀ + weight_decay Ŵ and Ŵ −= lr V, without being drawn: the
    gradient is a sum of outer products of vectors that the matrix was asked about. Parameter
    groups and learning-rate schedulers work.

    Parameters
    ----------
    params : iterable
        Of ``model.parameters()``, or parameter groups.
    lr, momentum, weight_decay : float
        As there. Its other options are not offered.

    Raises
    ------
    ValueError
        In a step, if the gradient is not finite.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr=lr, momentum=momentum, weight_decay=weight_decay)

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step; a closure evaluates the model again first."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        moves = []
        for group in self.param_groups:
            for weight in group["params"]:
                layer = _layer_of(weight)
                found = None if layer is None else layer.gradient()
                if layer is not None and found is not None:
                    moves.append((layer, group, found))
        super().step()
        for layer, group, (u, x) in moves:
            mix = torch.eye(u.shape[1], dtype=u.dtype, device=u.device)[None] / layer.scale
            layer.matrix.descend(
                u, x, group["lr"], group["momentum"], group["weight_decay"], mix=mix
            )
        return loss


def _layer_of(weight: Any) -> Any:
    """The deferred layer that a parameter stands for; None for ordinary ones."""
    if not isinstance(weight, DeferredWeight) or weight.layer is None:
        return None
    return weight.layer()


def _refuse(optimizer: Any, *_: Any) -> None:
    """Called by PyTorch before every step of every optimiser."""
    if isinstance(optimizer, DeferredSGD):
        return
    if any(
        isinstance(weight, DeferredWeight)
        for group in optimizer.param_groups
        for weight in group["params"]
    ):
        name = type(optimizer).__name__
        reason = "use finitewidth.simulate.deferred.DeferredSGD"
        if name != "SGD":
            reason = (
                "it treats every weight by itself, which needs them all, and a deferred matrix has "
                f"drawn few; {reason}, or the model with .to_linear() layers"
            )
        raise RuntimeError(f"{name} cannot train a DeferredLinear layer: {reason}.")


register_optimizer_step_pre_hook(_refuse)
