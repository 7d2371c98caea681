"""The kernel at the start, one step and a descent of every seed, each network made once."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from finitewidth._shapes import Float
from finitewidth._whole_number import whole_number
from finitewidth.measure.ensembles import Ensemble, gathered
from finitewidth.measure.factory import Factory
from finitewidth.measure.model.model import Forward, Model
from finitewidth.measure.one_seed import OneSeed, measure_model
from finitewidth.measure.seeds import checked_seeds, one_by_one, over_seeds
from finitewidth.measure.update.derivative import LOOKED_AT
from finitewidth.measure.update.descent import (
    Descent,
    DescentEnsemble,
    descended,
    refuse_no_fall,
)
from finitewidth.measure.update.ensemble import UpdateEnsemble
from finitewidth.measure.update.loss import Loss
from finitewidth.measure.update.one_step import Measurement, check_arguments
from finitewidth.measure.update.results import KernelUpdate
from finitewidth.measure.update.sharpness import sharpness_of
from finitewidth.measure.update.working import prepared
from finitewidth.statistics.blocks import Progress


def start_step_descent(
    make_model: Factory,
    X: object,
    y: object,
    loss: Loss = "mse",
    *,
    learning_rate: float,
    seeds: int | Sequence[int] = 32,
    workers: int = 1,
    max_steps: int = 100,
    forward: Forward | None = None,
    known: Float[np.ndarray, " S"] | None = None,
    progress: Progress | None = None,
) -> tuple[Ensemble, UpdateEnsemble, DescentEnsemble, Float[np.ndarray, " S"]]:
    """`ensemble`, `update_ensemble`, `descent_ensemble` and `sharpness` of the same seeds at once.

    Each network is made once and its first kernel computed once, in float64 if the model runs in
    it. The numbers are those of the three alone, to the rounding of the model's precision at the
    start, and to that of float64 in what a step changes.

    Parameters
    ----------
    make_model, X, y, loss, learning_rate, seeds, workers, max_steps, forward, progress
        As in `descent_ensemble`.
    known : array [S], optional
        `sharpness`, if it is known.

    Raises
    ------
    ValueError, TypeError
        As the three.
    """
    check_arguments(loss, learning_rate, "double", 0.5)
    chosen = checked_seeds(seeds)
    one = partial(
        _one, X=X, y=y, loss=loss, learning_rate=float(learning_rate),
        max_steps=whole_number(max_steps, "max_steps", 1), forward=forward, sharp=known is None,
    )  # fmt: skip
    sent: dict[str, Any] = {"make_model": make_model, "loss": loss, "forward": forward}
    found = over_seeds(partial(one_by_one, one, make_model), chosen, workers, sent, progress)
    starts, steps, descents, sharp = (list(each) for each in zip(*found, strict=True))
    return (
        gathered(chosen, starts),
        UpdateEnsemble(chosen, steps),
        DescentEnsemble(chosen, descents),
        np.array(sharp) if known is None else known,
    )


def _one(
    model: nn.Module, seed: int, first: bool, *, X: object, y: object, loss: Loss,
    learning_rate: float, max_steps: int, forward: Forward | None, sharp: bool,
) -> tuple[OneSeed, KernelUpdate, Descent, float]:  # fmt: skip
    with prepared(Model(model, forward), X, None, y, loss, "double") as work:
        refuse_no_fall(work, seed)
        start = measure_model(work.model, work.x, check=first)
        known = work.dtype == torch.float64  # else the step's own sums are in float64
        step = Measurement(work, None, start.kernel if known else None)
        return (
            start,
            step.update(learning_rate, None, seed, LOOKED_AT if first else 1),
            descended(work, learning_rate, max_steps, torch.from_numpy(step.before)),
            sharpness_of(work) if sharp else 0.0,
        )
