"""`update_ensemble`: how far one step moves the kernel, over seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import overload

import numpy as np
from torch import nn

from finitewidth._shapes import Bool, Float
from finitewidth.estimate import Estimate
from finitewidth.measure import averages, pages
from finitewidth.measure.factory import Factory
from finitewidth.measure.model.model import Forward, Model
from finitewidth.measure.seeds import checked_seeds, one_by_one, over_seeds
from finitewidth.measure.update.loss import Loss, reduced
from finitewidth.measure.update.one_step import check_arguments, measured
from finitewidth.measure.update.results import KernelUpdate, mean_diagonal
from finitewidth.report import Page, Shown
from finitewidth.statistics.blocks import Progress


@dataclass(frozen=True)
class UpdateEnsemble(Shown):
    """One step of one model at many seeds.

    Estimates are averages over the seeds whose step is finite; those that use the actual change
    are None if no seed's is, and not trusted if some are left out or too few carry the average.

    Attributes
    ----------
    seeds : list of int
        In the order measured.
    updates : list of KernelUpdate
        One a seed.
    """

    seeds: list[int]
    updates: list[KernelUpdate]

    def page(self) -> Page:
        """The change to first order and the actual one, over seeds and of every seed."""
        away, count = int(self.diverged.sum()), len(self.seeds)
        rate = self.updates[0].learning_rate
        finite = [u.relative_actual for u in self.updates if u.relative_actual is not None]
        series = {"pattern_frozen": self.relative_by_first_order}
        if len(finite) == count:
            series["real_step"] = np.array(finite)
        return pages.page(
            f"One SGD step of rate {rate:g}, over {count} seeds",
            [
                f"The step of {away} of {count} seeds diverges." if away else "No step diverges.",
                *filter(None, [self.first_order_note]),
            ],
            [
                ("kernel", "E K before, mean diagonal", self.kernel),
                ("first_order", "E ΔK, pattern frozen", self.first_order),
                ("actual", "E ΔK, real step", self.actual),
                ("crossing", "their difference", self.crossing),
                ("relative_first_order", "E ΔK/E K, pattern frozen", self.relative_first_order),
                ("relative_actual", "E ΔK/E K, real step", self.relative_actual),
                ("relative_crossing", "their difference over E K", self.relative_crossing),
                ("nonlinearity", "how far from proportional to the rate", self.nonlinearity),
                ("crossed", "(neuron, input) pairs that cross 0", self.crossed),
                ("crossed_fraction", "of all pairs", self.crossed_fraction),
            ],
            pages.by_seed(
                "What one step does to the kernel, seed by seed",
                "Change of the mean diagonal over the mean diagonal; a real step also carries "
                "neurons across 0.",
                "ΔK/K",
                self.seeds,
                **series,
            ),
            seeds=self.seeds,
            samples={
                "relative_first_order": self.relative_by_first_order,
                "relative_actual": [update.relative_actual for update in self.updates],
            },
            inputs={"learning_rate": rate},
        )

    @property
    def diverged(self) -> Bool[np.ndarray, " S"]:
        """Whose step diverged, `KernelUpdate.diverged`."""
        return np.array([update.diverged for update in self.updates])

    @property
    def finite(self) -> Bool[np.ndarray, " S"]:
        """Whose kernel after the step is finite."""
        return np.array([update.actual is not None for update in self.updates])

    @property
    def first_order_note(self) -> str:
        """Of the first seed that has one, `KernelUpdate.first_order_note`."""
        return next(filter(None, (update.first_order_note for update in self.updates)), "")

    @property
    def kernel(self) -> Estimate:
        """Mean diagonal before the step, over all seeds."""
        return averages.mean(self._before)

    @property
    def first_order(self) -> Estimate:
        """Mean diagonal of the change to first order, over all seeds."""
        return self._settled(_average(self._first_order, "first-order change"))

    @property
    def actual(self) -> Estimate | None:
        """Mean diagonal of the actual change."""
        return self._finite_average(self._actual, "actual change")

    @property
    def crossing(self) -> Estimate | None:
        """Mean diagonal of actual − first order."""
        return self._settled(self._finite_average(self._crossing, "crossing term"))

    @property
    def limit(self) -> Estimate | None:
        """Mean diagonal of λ lim_{μ→0} E ΔK(μ)/μ, crossings included, from the rates λ and λ/2.

        E ΔK(μ)/μ = s + cμ + …; the two rates give λs = 4ΔK(λ/2) − ΔK(λ).
        """
        whole, half = self._two_rates
        return self._finite_average(4 * half - whole, "change at small rates")

    @property
    def nonlinearity(self) -> Estimate | None:
        """cλ/s of `limit`: how far the mean change is from proportional to the rate.

        Proportionality holds to a tenth up to about 0.1 λ/|nonlinearity|. For smooth activations s
        is the first order; with ReLU-like ones it holds the crossings, too, and one network is too
        few to see it: their term is a sum of jumps of both signs.
        """
        whole, half = self._two_rates
        if len(whole) < 2:
            return None
        above, below = 2 * whole - 4 * half, 4 * half - whole
        if below.mean() == 0:
            return None
        found = averages.ratio(above, below).doubted(
            averages.too_few_carry(below, "change at small rates")
        )
        return self._marked(found, len(self.seeds) - len(whole))

    @property
    def relative_first_order(self) -> Estimate:
        """E ΔK/E K of the mean diagonals, to first order."""
        return self._settled(_ratio(self._first_order, self._before, "first-order change"))

    @property
    def relative_actual(self) -> Estimate | None:
        """E ΔK/E K of the mean diagonals."""
        return self._finite_ratio(self._actual, "actual change")

    @property
    def relative_crossing(self) -> Estimate | None:
        """E (actual − first order)/E K of the mean diagonals."""
        return self._settled(self._finite_ratio(self._crossing, "crossing term"))

    @property
    def relative(self) -> Float[np.ndarray, " T"]:
        """ΔK/K of the mean diagonal of every seed whose step is finite."""
        return np.array([u.relative_actual for u in self.updates if u.actual is not None], float)

    @property
    def relative_by_first_order(self) -> Float[np.ndarray, " S"]:
        """The same to first order, of every seed."""
        return np.array([update.relative_first_order for update in self.updates])

    @property
    def crossed(self) -> Estimate | None:
        """(Neuron, input) pairs that crossed; None if they cannot be counted."""
        counts = [update.crossed for update in self.updates]
        counted = np.array([count for count in counts if count is not None], dtype=float)
        if len(counted) < 2:
            return None
        return self._marked(averages.mean(counted), len(counts) - len(counted))

    @property
    def crossed_fraction(self) -> Estimate | None:
        """Of all pairs."""
        found = [update.crossed_fraction for update in self.updates]
        counted = np.array([fraction for fraction in found if fraction is not None])
        if len(counted) < 2:
            return None
        return self._marked(averages.mean(counted), len(found) - len(counted))

    @property
    def _before(self) -> np.ndarray:
        return np.array([mean_diagonal(update.before) for update in self.updates])

    @property
    def _first_order(self) -> np.ndarray:
        return np.array([mean_diagonal(update.first_order) for update in self.updates])

    @property
    def _actual(self) -> np.ndarray:
        found = [update.actual for update in self.updates if update.actual is not None]
        return np.array([mean_diagonal(actual) for actual in found])

    @property
    def _two_rates(self) -> tuple[np.ndarray, np.ndarray]:
        pairs = [
            (mean_diagonal(update.actual), mean_diagonal(update.actual_at_half))
            for update in self.updates
            if update.actual is not None and update.actual_at_half is not None
        ]
        return np.array([whole for whole, _ in pairs]), np.array([half for _, half in pairs])

    @property
    def _crossing(self) -> np.ndarray:
        return self._actual - self._first_order[self.finite]

    def _finite_average(self, values: np.ndarray, name: str) -> Estimate | None:
        if len(values) < 2:
            return None
        return self._marked(_average(values, name), len(self.seeds) - len(values))

    def _finite_ratio(self, values: np.ndarray, name: str) -> Estimate | None:
        if len(values) < 2:
            return None
        found = _ratio(values, self._before[self.finite], name)
        return self._marked(found, len(self.seeds) - len(values))

    @overload
    def _settled(self, found: Estimate) -> Estimate: ...
    @overload
    def _settled(self, found: None) -> None: ...
    def _settled(self, found: Estimate | None) -> Estimate | None:
        """Marked where the first order of a seed is not to be trusted."""
        notes = (u.first_order_note for u in self.updates if not u.first_order_trusted)
        return None if found is None else found.doubted(next(notes, ""))

    def _marked(self, found: Estimate, left_out: int) -> Estimate:
        if not left_out:
            return found
        note = f"{left_out} of {len(self.seeds)} seeds are left out: their step is not finite."
        return found.doubted(note)


def _average(values: np.ndarray, name: str) -> Estimate:
    return averages.mean(values).doubted(averages.too_few_carry(values, name))


def _ratio(above: np.ndarray, below: np.ndarray, name: str) -> Estimate:
    return averages.ratio(above, below).doubted(averages.too_few_carry(above, name))


def update_ensemble(
    make_model: Factory,
    X: object,
    y: object,
    loss: Loss = "mse",
    *,
    learning_rate: float,
    seeds: int | Sequence[int] = 32,
    workers: int = 1,
    reduction: str = "sum",
    X_probe: object = None,
    forward: Forward | None = None,
    precision: str = "double",
    target_error: float | None = None,
    memory_budget: int | None = None,
    progress: Progress | None = None,
) -> UpdateEnsemble:
    """One SGD step of a model at many seeds, with the spread between them.

    Parameters
    ----------
    make_model : callable
        As in `ensemble`.
    X, y, loss, learning_rate, reduction, X_probe, forward, precision, memory_budget
        As in `kernel_update`; the data are the same for all seeds.
    seeds : int or sequence of int
        How many (0, 1, …), or which.
    workers : int
        Processes; 1 measures in this process, so that closures work. The numbers are the same.
    target_error : float, optional
        Stop once the standard error of the relative actual change is at most this, e.g. 0.01 for
        one percent of the kernel; looked at after every 16 seeds, in their order.
    progress : callable, optional
        Called with (seeds done, seeds in all).

    Returns
    -------
    UpdateEnsemble

    Raises
    ------
    ValueError, TypeError
        As `kernel_update` and `ensemble`.
    """
    check_arguments(loss, learning_rate, precision, 0.5)
    loss = reduced(loss, reduction)
    chosen = checked_seeds(seeds)
    if target_error is not None and not target_error > 0:
        raise ValueError(f"target_error is {target_error}, expected a number above 0.")
    one = partial(
        _one, X=X, y=y, loss=loss, learning_rate=learning_rate, X_probe=X_probe,
        forward=forward, precision=precision, memory_budget=memory_budget,
    )  # fmt: skip

    def precise(found: list[KernelUpdate]) -> bool:
        change = UpdateEnsemble(chosen[: len(found)], found).relative_actual
        return change is not None and change.std_error <= target_error

    updates = over_seeds(
        partial(one_by_one, one, make_model),
        chosen,
        workers,
        {"make_model": make_model, "loss": loss, "forward": forward},
        progress,
        enough=None if target_error is None else precise,
    )
    return UpdateEnsemble(chosen[: len(updates)], updates)


def _one(
    model: nn.Module, seed: int, first: bool, *, X: object, y: object, loss: Loss,
    learning_rate: float, X_probe: object, forward: Forward | None, precision: str,
    memory_budget: int | None,
) -> KernelUpdate:  # fmt: skip
    return measured(
        Model(model, forward), X, y, loss, learning_rate=learning_rate, X_probe=X_probe,
        precision=precision, find_range=False, tolerance=0.5, memory_budget=memory_budget,
        check=first, place=seed,
    )  # fmt: skip
