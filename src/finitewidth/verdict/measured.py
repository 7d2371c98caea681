"""What is measured for a verdict: the kernel at the start, one step, and a descent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finitewidth.estimate import Estimate
from finitewidth.measure import (
    DescentEnsemble,
    Ensemble,
    UpdateEnsemble,
    averages,
    ensemble,
)
from finitewidth.measure.update.loss import Loss
from finitewidth.measure.update.one_pass import start_step_descent
from finitewidth.measure.update.sharpness import FRACTION, sharpness
from finitewidth.statistics.blocks import Progress
from finitewidth.statistics.spread import log_spread_by_jackknife
from finitewidth.verdict import regimes


@dataclass(frozen=True)
class Measured:
    """The three ensembles of one model.

    Attributes
    ----------
    start : Ensemble
    step : UpdateEnsemble or None
        None without targets.
    descent : DescentEnsemble or None
        None without targets.
    learning_rate : float or None
        Of both; None without targets.
    sharpness : array [S] or None
        λ_max of the loss at every seed; None without targets.
    """

    start: Ensemble
    step: UpdateEnsemble | None = None
    descent: DescentEnsemble | None = None
    learning_rate: float | None = None
    sharpness: np.ndarray | None = None

    @property
    def log_spread(self) -> Estimate:
        """Standard deviation over seeds of ln(mean diagonal), with its jackknife error."""
        dead = [s for s, k in zip(self.start.seeds, self.start.diagonals, strict=True) if k <= 0]
        if dead:
            raise ValueError(
                f"the kernel of {len(dead)} of {len(self.start.seeds)} seeds is 0 at every input "
                f"(seed {dead[0]} first): no gradient reaches their parameters, as in a dead ReLU "
                "network; widen the layers, or train biases."
            )
        values = self.start.diagonals
        found = Estimate(*log_spread_by_jackknife(values), len(values), averages.METHOD)
        return found.doubted(averages.of_two(len(values)))

    @property
    def diverged(self) -> Estimate | None:
        """Share of seeds whose loss does not fall."""
        if self.descent is None:
            return None
        flags = self.descent.diverged
        return regimes.share(int(flags.sum()), len(flags))

    @property
    def step_change(self) -> Estimate | None:
        """E ‖ΔK‖/‖K‖ of one step, over the seeds where it is finite."""
        if self.step is None:
            return None
        found = [u.distance_actual for u in self.step.updates if u.distance_actual is not None]
        if len(found) < 2:
            return None
        values = np.array(found)
        left_out = len(self.step.updates) - len(found)
        note = f"{left_out} of {len(self.step.updates)} seeds are left out: not finite."
        return averages.mean(values).doubted(
            note if left_out else averages.few_carry_the_mean(values)
        )

    @property
    def rate_times_sharpness(self) -> Estimate | None:
        """Over seeds, rate × λ_max: 2 is where descent of a fixed kernel stops to converge."""
        if self.sharpness is None or self.learning_rate is None:
            return None
        return averages.mean(self.learning_rate * self.sharpness)


def measure(
    make_model: Callable[..., Any],
    X: object,
    y: object,
    loss: Loss,
    learning_rate: float | None,
    *,
    max_steps: int,
    seeds: int | Sequence[int],
    workers: int,
    forward: Any,
    progress: Progress | None,
) -> Measured:
    """All three in one pass over the seeds; the step and the descent need targets.

    Without a rate it is ½ over the largest λ_max of the seeds, at which none diverges while its
    kernel is as at the start, and λ_max takes a pass of its own.
    """
    done = _Stages(progress, 2 if learning_rate is None and y is not None else 1)
    shared: Any = {"seeds": seeds, "workers": workers, "forward": forward}
    if y is None:
        return Measured(ensemble(make_model, X, progress=done.stage(0), **shared))
    found, place = None, 0
    if learning_rate is None:
        found, place = sharpness(make_model, X, y, loss, progress=done.stage(0), **shared), 1
        largest = float(found.max())
        if not largest > 0:
            raise ValueError(
                "the loss is not curved where the model starts, so that 1/λ_max is no rate; give "
                "learning_rate."
            )
        learning_rate = FRACTION / largest
    start, step, descent, found = start_step_descent(
        make_model, X, y, loss, learning_rate=learning_rate, max_steps=max_steps, known=found,
        progress=done.stage(place), **shared,
    )  # fmt: skip
    return Measured(start, step, descent, learning_rate, found)


class _Stages:
    """One progress over several passes of the same seeds."""

    def __init__(self, progress: Progress | None, count: int) -> None:
        self.progress, self.count = progress, count

    def stage(self, place: int) -> Progress | None:
        """Progress of one of them."""
        progress = self.progress
        if progress is None:
            return None
        return lambda done, total: progress(place * total + done, self.count * total)
