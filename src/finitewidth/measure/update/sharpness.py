"""λ_max of a loss: the curvature that gradient descent meets while the kernel stays as it is."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from torch import nn

from finitewidth._shapes import Float
from finitewidth.measure.factory import Factory
from finitewidth.measure.kernel.blocks import Blocks
from finitewidth.measure.kernel.selection import Selection
from finitewidth.measure.model.coupling import refuse_coupling
from finitewidth.measure.model.model import Forward, Model, reason
from finitewidth.measure.model.randomness import refuse_randomness
from finitewidth.measure.seeds import checked_seeds, one_by_one, over_seeds
from finitewidth.measure.spectrum import KernelOperator, largest_eigenvalue
from finitewidth.measure.update.loss import Loss, check_loss, curvature
from finitewidth.measure.update.working import Working, prepared
from finitewidth.statistics.blocks import Progress

FRACTION = 0.5
"""Of 1/λ_max: the rate where none is given. The fastest error then halves in a step."""


DENSE = 512
"""Inputs × outputs up to which the kernel is formed."""


def sharpness(
    make_model: Factory,
    X: object,
    y: object,
    loss: Loss = "mse",
    *,
    seeds: int | Sequence[int] = 32,
    workers: int = 1,
    forward: Forward | None = None,
    progress: Progress | None = None,
) -> Float[np.ndarray, " S"]:
    """λ_max of every seed: the largest eigenvalue of K with all outputs, times that of ∂²L/∂N².

    Gradient descent at rate λ on outputs that are linear in θ, N = N₀ + J(θ − θ₀), has the Hessian
    Jᵀ ∂²L/∂N² J, at most c JJᵀ = c K where c bounds ∂²L/∂N² (`loss.curvature`). So the loss falls
    in every step with λ < 2/λ_max, λ_max = c λ_max(K). For the squared error c is the Hessian
    itself: beyond 2/λ_max the error along the first eigenvector grows.

    Parameters
    ----------
    make_model, X, y, loss, seeds, workers, forward, progress
        As in `update_ensemble`.

    Raises
    ------
    ValueError, TypeError
        As `update_ensemble`.
    """
    check_loss(loss)
    chosen = checked_seeds(seeds)
    one = partial(_one, X=X, y=y, loss=loss, forward=forward)
    sent: dict[str, object] = {"make_model": make_model, "loss": loss, "forward": forward}
    alone = partial(one_by_one, one, make_model)
    return np.array(over_seeds(alone, chosen, workers, sent, progress))


def _one(
    model: nn.Module, seed: int, first: bool, *, X: object, y: object, loss: Loss,
    forward: Forward | None,
) -> float:  # fmt: skip
    del seed
    with prepared(Model(model, forward), X, None, y, loss, "double") as work:
        if first:
            refuse_randomness(work.model, work.x)
            refuse_coupling(work.model, work.x)
        return sharpness_of(work)


def sharpness_of(work: Working) -> float:
    """λ_max of one network."""
    output = work.model.shaped(work.x)
    return curvature(work.loss, output, work.y) * _largest(work, output)


def _largest(work: Working, output: torch.Tensor) -> float:
    """λ_max(K): of the matrix where it is small, else by products with it."""
    size = output.numel()
    if size > DENSE:
        try:
            kernel = KernelOperator.of(output, work.parameters)
            return largest_eigenvalue(kernel.__matmul__, size)
        except (RuntimeError, NotImplementedError) as error:
            if size > 8 * DENSE:
                raise ValueError(
                    "the model holds an operation that cannot be differentiated twice, which the "
                    f"largest eigenvalue of its kernel at {size} outputs needs: {reason(error)}; "
                    "take fewer inputs."
                ) from error
    whole = Blocks(work.model, Selection("all"), None, None).kernel(work.x, None)
    return float(torch.linalg.eigvalsh(whole.permute(0, 2, 1, 3).reshape(size, size).double())[-1])
