"""`descent_ensemble`: how far the kernel moves while the loss falls by a factor e, over seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil, e, log

import numpy as np
import torch
from torch import nn

from finitewidth._shapes import Bool, Float
from finitewidth._whole_number import whole_number
from finitewidth.estimate import Estimate
from finitewidth.measure import averages, pages
from finitewidth.measure.factory import Factory
from finitewidth.measure.kernel.blocks import Blocks
from finitewidth.measure.kernel.selection import Selection
from finitewidth.measure.model.coupling import refuse_coupling
from finitewidth.measure.model.model import Forward, Model, gradients
from finitewidth.measure.model.randomness import refuse_randomness
from finitewidth.measure.seeds import checked_seeds, one_by_one, over_seeds
from finitewidth.measure.update.loss import Loss, reduced, value
from finitewidth.measure.update.one_step import check_arguments
from finitewidth.measure.update.working import Working, prepared
from finitewidth.report import Page, Plot, Shown
from finitewidth.statistics.blocks import Progress

MOST_FOLDS = 5.0
"""Factors e that count: a loss that one step takes to nearly 0 has fallen by as much as matters."""

MAX_STEPS = 1000
"""Where a descent ends that has not fallen by a factor e."""

EXPLODED = 1e3
"""A loss so many times that of the start ends a descent."""


@dataclass(frozen=True)
class Descent(Shown):
    """Gradient descent on one batch, from one initialisation.

    Attributes
    ----------
    losses : array [T + 1]
        Before each step and after the last, all finite.
    finite : bool
        Whether the loss stayed finite and below 1000 times that of the start.
    moved : float or None
        ‖K_T − K_0‖/‖K_0‖ (Frobenius, traced over outputs); None if K_T is not finite.
    """

    losses: Float[np.ndarray, " T"]
    finite: bool
    moved: float | None

    @property
    def folds(self) -> float:
        """ln(L_0/L_T), how many factors of e the loss fell."""
        return log(self.losses[0] / self.losses[-1]) if self.losses[-1] > 0 else float("inf")

    @property
    def diverged(self) -> bool:
        """Whether it ended no lower than it began."""
        return not self.finite or self.moved is None or bool(self.losses[-1] >= self.losses[0])

    @property
    def slow(self) -> bool:
        """Whether the loss fell, but by less than a factor e."""
        return not self.diverged and bool(self.losses[-1] * e > self.losses[0])

    @property
    def movement(self) -> float | None:
        """‖K_T − K_0‖/‖K_0‖ per factor e of the loss; None if it diverged.

        Where the loss fell by less, it is what the kernel moved till then: nothing is extrapolated.
        """
        if self.diverged or self.moved is None:
            return None
        return self.moved / min(max(self.folds, 1.0), MOST_FOLDS)

    def page(self) -> Page:
        """How far the loss fell and the kernel moved."""
        end = "does not fall" if self.diverged else "falls"
        return pages.page(
            "Gradient descent on one batch",
            [f"The loss {end}; steps taken: {len(self.losses) - 1}."],
            [
                ("loss_start", "loss at the start", float(self.losses[0])),
                ("loss_end", "loss at the end", float(self.losses[-1])),
                ("moved", "‖K_T − K_0‖/‖K_0‖", self.moved),
                (
                    "movement",
                    "the same per factor e of the loss",
                    None if self.slow else self.movement,
                ),
            ],
            pages.falls([self.losses], [self.diverged]),
        )


@dataclass(frozen=True)
class DescentEnsemble(Shown):
    """Gradient descent of one model at many seeds.

    Attributes
    ----------
    seeds : list of int
    descents : list of Descent
        One a seed.
    """

    seeds: list[int]
    descents: list[Descent]

    @property
    def diverged(self) -> Bool[np.ndarray, " S"]:
        """Of every seed, `Descent.diverged`."""
        return np.array([descent.diverged for descent in self.descents])

    @property
    def movement(self) -> Estimate | None:
        """E ‖K_T − K_0‖/‖K_0‖ per factor e of the loss, over the seeds that did not diverge.

        None if fewer than two did not; not trusted if few seeds carry it, or some losses fell by
        less than a factor: those count with what the kernel moved till then.
        """
        values = np.array([one for one in self.movements if one is not None])
        if len(values) < 2:
            return None
        note, slow = averages.few_carry_the_mean(values), int(self.slow.sum())
        if slow:
            note = (
                f"The loss of {slow} of {len(values)} seeds fell by less than a factor e, by "
                f"{100 * self.fall:.2g} % in {int(self.steps[self.slow].max())} steps, and the "
                "kernel would move further; raise max_steps or the learning rate."
            )
        return averages.mean(values).doubted(note)

    @property
    def slow(self) -> Bool[np.ndarray, " S"]:
        """Of every seed, `Descent.slow`."""
        return np.array([descent.slow for descent in self.descents])

    @property
    def falls_short(self) -> bool:
        """Whether that is most of those that fall, so that there is no movement per factor e."""
        return self.slow_share > 0.5

    @property
    def slow_share(self) -> float:
        """Of the seeds that did not diverge."""
        return int(self.slow.sum()) / max(len(self.seeds) - int(self.diverged.sum()), 1)

    @property
    def movement_in_words(self) -> tuple[str, str]:
        """What `movement` is, for JSON and for people."""
        if self.falls_short:
            return "moved", f"‖K_T − K_0‖/‖K_0‖ over the fall of {100 * self.fall:.2g} %"
        return "movement", "‖K_T − K_0‖/‖K_0‖ per factor e of the loss"

    @property
    def fall(self) -> float:
        """1 − L_T/L_0, averaged over the seeds whose loss fell by less than a factor e; or 0."""
        falls = [1.0 - d.losses[-1] / d.losses[0] for d in self.descents if d.slow]
        return float(np.mean(falls)) if falls else 0.0

    @property
    def steps_needed(self) -> int:
        """About how many steps take those seeds to a factor e, at the pace so far; or 0."""
        paces = [(len(d.losses) - 1) / d.folds for d in self.descents if d.slow]
        return ceil(max(paces)) if paces else 0

    @property
    def movements(self) -> list[float | None]:
        """Of every seed, `Descent.movement`."""
        return [descent.movement for descent in self.descents]

    def falls(self) -> Plot | None:
        """The figure of the losses; None where no descent made a step."""
        return pages.falls([one.losses for one in self.descents], [*map(bool, self.diverged)])

    def page(self) -> Page:
        """How far the kernel moves, and how the loss falls."""
        away, count = int(self.diverged.sum()), len(self.seeds)
        return pages.page(
            f"Gradient descent on one batch, over {count} seeds",
            [f"The loss of {count - away} of {count} seeds falls."],
            [
                (*self.movement_in_words, self.movement),
                ("steps", "steps", averages.mean(self.steps)),
            ],
            self.falls(),
            seeds=self.seeds,
            samples={self.movement_in_words[0]: self.movements, "steps": self.steps},
        )

    @property
    def steps(self) -> Float[np.ndarray, " S"]:
        """Steps that every seed took."""
        return np.array([len(descent.losses) - 1.0 for descent in self.descents])


def descent_ensemble(
    make_model: Factory,
    X: object,
    y: object,
    loss: Loss = "mse",
    *,
    learning_rate: float,
    seeds: int | Sequence[int] = 32,
    workers: int = 1,
    max_steps: int = MAX_STEPS,
    reduction: str = "sum",
    forward: Forward | None = None,
    progress: Progress | None = None,
) -> DescentEnsemble:
    """Full-batch gradient descent until the loss has fallen by a factor e, at many seeds.

    Parameters
    ----------
    make_model, X, y, loss, learning_rate, seeds, workers, reduction, forward, progress
        As in `update_ensemble`.
    max_steps : int
        Where a descent ends whose loss has not fallen so far.

    Returns
    -------
    DescentEnsemble
        A descent that diverges is a verdict in it, not an error.

    Raises
    ------
    ValueError, TypeError
        As `update_ensemble`; for a loss that is not above 0 at the start, since it cannot fall by
        a factor.
    """
    check_arguments(loss, learning_rate, "double", 0.5)
    loss = reduced(loss, reduction)
    chosen = checked_seeds(seeds)
    max_steps = whole_number(max_steps, "max_steps", 1)
    one = partial(
        _one, X=X, y=y, loss=loss, learning_rate=float(learning_rate), max_steps=max_steps,
        forward=forward,
    )  # fmt: skip
    sent: dict[str, object] = {"make_model": make_model, "loss": loss, "forward": forward}
    alone = partial(one_by_one, one, make_model)
    return DescentEnsemble(chosen, over_seeds(alone, chosen, workers, sent, progress))


def _one(
    model: nn.Module, seed: int, first: bool, *, X: object, y: object, loss: Loss,
    learning_rate: float, max_steps: int, forward: Forward | None,
) -> Descent:  # fmt: skip
    with prepared(Model(model, forward), X, None, y, loss, "double") as working:
        refuse_no_fall(working, seed)
        if first:
            refuse_randomness(working.model, working.x)
            refuse_coupling(working.model, working.x)
        return descended(working, learning_rate, max_steps)


def refuse_no_fall(work: Working, seed: int) -> None:
    """Refuse a loss that cannot fall by a factor.

    Raises
    ------
    ValueError
        If it is not above 0 at the start.
    """
    if not work.loss_before > 0:
        raise ValueError(
            f"the loss of seed {seed} is {work.loss_before:.3g} at the start, so it cannot fall "
            "by a factor; use a loss that is above 0, such as a sum of squares."
        )


def descended(
    work: Working, learning_rate: float, max_steps: int, before: torch.Tensor | None = None
) -> Descent:
    """A descent from where the parameters are, which are put back afterwards.

    Parameters
    ----------
    work : Working
    learning_rate : float
    max_steps : int
    before : tensor [B, B], optional
        The kernel there, if it is known.
    """
    with work.stepped(0.0):
        return _descend(work, learning_rate, max_steps, _kernel(work) if before is None else before)


def _descend(work: Working, learning_rate: float, max_steps: int, before: torch.Tensor) -> Descent:
    losses = [work.loss_before]
    direction = work.direction
    finite = True
    for _ in range(max_steps):
        for parameter, part in zip(work.parameters, direction, strict=True):
            parameter.data.add_(part, alpha=learning_rate)
        output = work.model(work.x)
        if not bool(torch.isfinite(output).all()):
            finite = False
            break
        try:
            found = value(work.loss, output, work.y)
        except ValueError:  # not finite
            finite = False
            break
        losses.append(float(found.detach()))
        if losses[-1] > EXPLODED * losses[0]:
            finite = False
            break
        if losses[-1] * e <= losses[0]:
            break
        direction = [-part for part in gradients(found, work.parameters)]
    return Descent(np.array(losses), finite, _moved(work, before) if finite else None)


def _moved(work: Working, before: torch.Tensor) -> float | None:
    try:
        after = _kernel(work)
    except ValueError:  # the output is finite, a gradient is not
        return None
    found = float((after - before).norm() / before.norm())
    return found if np.isfinite(found) else None


def _kernel(work: Working) -> torch.Tensor:
    blocks = Blocks(work.model, Selection("trace"), None, None)
    return blocks.kernel(work.x, None).detach().double()
