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
from finitewidth.measure.update.one_pass import start_step_descent
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
    """

    start: Ensemble
    step: UpdateEnsemble | None
    descent: DescentEnsemble | None

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
        average = averages.mean(np.array(found))
        left_out = len(self.step.updates) - len(found)
        note = f"{left_out} of {len(self.step.updates)} seeds are left out: not finite."
        return average.doubted(note if left_out else "")


def measure(
    make_model: Callable[..., Any],
    X: object,
    y: object,
    loss: object,
    learning_rate: float | None,
    seeds: int | Sequence[int],
    workers: int,
    progress: Progress | None,
) -> Measured:
    """All three, in one pass over the seeds; the step and the descent need targets and a rate."""
    shared: Any = {"seeds": seeds, "workers": workers, "progress": progress}
    if y is None or learning_rate is None:
        return Measured(ensemble(make_model, X, **shared), None, None)
    return Measured(
        *start_step_descent(make_model, X, y, loss, learning_rate=learning_rate, **shared)  # type: ignore[arg-type]
    )
