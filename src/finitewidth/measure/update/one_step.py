"""`kernel_update`: how far one gradient step moves the kernel."""

import math

import numpy as np
import torch
from torch import nn

from finitewidth.measure.kernel.blocks import Blocks
from finitewidth.measure.kernel.selection import Selection
from finitewidth.measure.model.coupling import refuse_coupling
from finitewidth.measure.model.model import Forward, Model
from finitewidth.measure.model.randomness import refuse_randomness
from finitewidth.measure.update.crossings import Crossed, Sides, crossed, sides
from finitewidth.measure.update.derivative import directional_derivative
from finitewidth.measure.update.loss import Loss, check_loss, reduced
from finitewidth.measure.update.ranges import Range, first_order_range
from finitewidth.measure.update.results import KernelUpdate
from finitewidth.measure.update.working import Working, prepared


def kernel_update(
    model: nn.Module,
    X: object,
    y: object,
    loss: Loss = "mse",
    *,
    learning_rate: float,
    reduction: str = "sum",
    X_probe: object = None,
    forward: Forward | None = None,
    precision: str = "double",
    find_range: bool = True,
    tolerance: float = 0.1,
    memory_budget: int | None = None,
) -> KernelUpdate:
    """ΔK of one SGD step θ → θ − λ∇L: to first order, and as it is.

    Parameters
    ----------
    model : torch.nn.Module
        Left as it is: every step is taken back.
    X : tensor or array [B, …]
        The batch of the step; or a tuple or a mapping of them.
    y : object
        Its targets: for "mse" of the output's shape, for "cross_entropy" class numbers [B], or
        [B, …] for outputs [B, O, …] or [B, …, O], of which −100 does not count, or probabilities
        in the output's shape; for a function whatever it takes.
    loss : "mse", "cross_entropy" or callable
        ½ Σ_{b,o} (N_o(x_b) − y_bo)², Σ_b of the cross-entropy (sums over the batch), or a function
        (output, y) -> scalar tensor, with the output in the model's own shape.
    learning_rate : float
        λ > 0, of the loss with its reduction.
    reduction : "sum" or "mean"
        "mean" divides by the number of terms, as PyTorch does: all B·O numbers of "mse", which
        then is half of ``torch.nn.MSELoss()``, or the targets of "cross_entropy" that count.
    X_probe : tensor or array [B', …], optional
        Inputs whose kernel is watched, e.g. held-out ones; X if not given.
    forward : callable, optional
        As in `kernel`.
    precision : "double" or "model"
        "double" takes the step in float64, where the difference of two kernels keeps its
        digits at small λ; "model" in the model's own precision.
    find_range : bool
        Whether to look for the learning rate up to which the first order holds, at the price of
        some more kernels.
    tolerance : float
        How far, relative to the first order, the actual change may be there.
    memory_budget : int, optional
        Bytes for intermediate results; half of the free memory if not given.

    Returns
    -------
    KernelUpdate
        A step that diverges is a verdict in it, not an error.

    Raises
    ------
    ValueError, TypeError
        As `kernel`; for targets that do not fit the loss, a loss that is no scalar or not finite,
        and an operation that cannot be differentiated twice.

    Notes
    -----
    Frozen parameters stay where they are. The difference of two kernels is rounded to about
    1e-15 of the kernel in float64 and 1e-6 in float32, whatever the size of the change.
    """
    return measured(
        Model(model, forward), X, y, reduced(loss, reduction), learning_rate=learning_rate,
        X_probe=X_probe, precision=precision, find_range=find_range, tolerance=tolerance,
        memory_budget=memory_budget,
    )  # fmt: skip


def measured(
    model: Model,
    X: object,
    y: object,
    loss: Loss,
    *,
    learning_rate: float,
    X_probe: object,
    precision: str,
    find_range: bool,
    tolerance: float,
    memory_budget: int | None,
    check: bool = True,
) -> KernelUpdate:
    """As `kernel_update`; `check` looks for randomness and coupling in the forward pass."""
    check_arguments(loss, learning_rate, precision, tolerance)
    with prepared(model, X, X_probe, y, loss, precision) as working:
        if check:
            for x in dict.fromkeys((working.x, working.probe)):
                refuse_randomness(working.model, x)
                refuse_coupling(working.model, x)
        return Measurement(working, memory_budget).update(
            float(learning_rate), tolerance if find_range else None
        )


def check_arguments(loss: object, learning_rate: object, precision: str, tolerance: float) -> None:
    """Refuse what has no meaning.

    Raises
    ------
    ValueError, TypeError
        For another loss; a rate that is not finite and positive; another precision; a tolerance
        outside (0, 1).
    """
    check_loss(loss)
    try:
        rate = float(learning_rate)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise TypeError(
            f"learning_rate is {type(learning_rate).__name__}, expected one number."
        ) from None
    if isinstance(learning_rate, bool) or not (math.isfinite(rate) and rate > 0):
        raise ValueError(f"learning_rate is {learning_rate}, expected a number above 0.")
    if precision not in ("double", "model"):
        raise ValueError(f"precision is {precision!r}, expected 'double' or 'model'.")
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance is {tolerance}, expected a number between 0 and 1.")


LARGEST = 1e150
"""Beyond it a square overflows; such a change counts as not finite."""

_TOGETHER = 64
"""Inputs whose activations are looked at together."""


class Measurement:
    """Kernels and patterns along one direction.

    Parameters
    ----------
    working : Working
    memory_budget : int or None
    before : array [B, B], optional
        The kernel where the step begins, if it is known.
    """

    def __init__(
        self, working: Working, memory_budget: int | None, before: np.ndarray | None = None
    ) -> None:
        self.working, self.memory_budget = working, memory_budget
        self.before = self._kernel() if before is None else before
        self.pattern = self._pattern()

    def update(self, learning_rate: float, tolerance: float | None) -> KernelUpdate:
        """Of one rate."""
        work = self.working
        derivative = directional_derivative(
            work.model, work.direction, work.probe, self.memory_budget
        )
        first_order = learning_rate * _array(derivative)
        if not float(np.abs(first_order).max()) < LARGEST:
            raise ValueError(
                f"learning_rate is {learning_rate:g}, where the first-order change of the kernel "
                f"goes beyond {LARGEST:g}; use a smaller rate."
            )
        with work.stepped(learning_rate):
            loss_after = work.loss_here()
            actual = self._change_here()
            switched = self._crossed_here()
        diverged = (
            actual is None or loss_after is None or _exploded(work, loss_after, learning_rate)
        )
        known = {learning_rate: actual}

        def change(rate: float) -> np.ndarray | None:
            if rate not in known:
                with work.stepped(rate):
                    known[rate] = self._change_here()
            return known[rate]

        found = Range(None, "Not asked for.")
        if tolerance is not None:
            found = first_order_range(learning_rate, first_order, change, tolerance)
        return KernelUpdate(
            learning_rate=learning_rate,
            before=self.before,
            first_order=first_order,
            actual=actual,
            actual_at_half=change(learning_rate / 2),
            loss_before=work.loss_before,
            loss_after=loss_after,
            diverged=diverged,
            crossed=switched.count,
            pairs=switched.pairs,
            crossed_note=switched.note,
            first_order_range=found.rate,
            range_note=found.note,
            precision=str(work.dtype).removeprefix("torch."),
            notes=work.notes,
        )

    def _kernel(self) -> np.ndarray:
        blocks = Blocks(
            self.working.model, Selection("trace"),
            None if self.working.dtype == torch.float64 else torch.float64, self.memory_budget,
        )  # fmt: skip
        return _array(blocks.kernel(self.working.probe, None))

    def _change_here(self) -> np.ndarray | None:
        """Of the kernel at the parameters as they are now, None if it is not finite."""
        if not self._is_finite_here():
            return None
        found = self._kernel() - self.before
        return found if float(np.abs(found).max()) < LARGEST else None

    def _is_finite_here(self) -> bool:
        return bool(torch.isfinite(self.working.model.unchecked(self.working.probe)).all())

    def _pattern(self) -> list[Sides]:
        work = self.working
        return [sides(work.model.outputs(few)) for few in work.probe.split(_TOGETHER)]

    def _crossed_here(self) -> Crossed:
        after: list[Sides | None] = [None] * len(self.pattern)
        if self._is_finite_here():
            after = [*self._pattern()]
        parts = [crossed(one, two) for one, two in zip(self.pattern, after, strict=True)]
        for part in parts:
            if part.count is None:
                return part
        return Crossed(
            sum(part.count or 0 for part in parts), sum(part.pairs or 0 for part in parts)
        )


def _exploded(work: Working, loss_after: float, learning_rate: float) -> bool:
    """Whether the loss rose by more than the first order let it fall, rounding aside."""
    rounding = 1e4 * torch.finfo(work.dtype).eps * (abs(work.loss_before) + abs(loss_after))
    return loss_after - work.loss_before > learning_rate * work.slope + rounding


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().double().cpu().numpy()
