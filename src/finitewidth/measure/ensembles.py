"""`ensemble`: how a model's kernel differs between seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from finitewidth._shapes import Float
from finitewidth.estimate import Estimate
from finitewidth.measure import averages, pages
from finitewidth.measure.batched import batch_size, measure_batch
from finitewidth.measure.factory import Factory
from finitewidth.measure.model.model import Forward
from finitewidth.measure.one_seed import OneSeed
from finitewidth.measure.seeds import checked_seeds, over_seeds
from finitewidth.report import Page, Shown
from finitewidth.statistics.blocks import Progress
from finitewidth.statistics.spread import normal_error


@dataclass(frozen=True)
class Ensemble(Shown):
    """Kernels of one model at many seeds, traced over outputs.

    Attributes
    ----------
    seeds : list of int
        In the order measured.
    kernels : array [S, B, B]
    layer_parts : dict of str to array [S]
        Each layer's part of the mean diagonal.
    """

    seeds: list[int]
    kernels: Float[np.ndarray, "S B B"]
    layer_parts: dict[str, Float[np.ndarray, " S"]]

    @cached_property
    def diagonals(self) -> Float[np.ndarray, " S"]:
        """The mean diagonal of every kernel, (1/B) Σ_b K(x_b, x_b)."""
        return np.einsum("sbb->s", self.kernels) / self.kernels.shape[1]

    @property
    def mean(self) -> Estimate:
        """Over seeds, of the mean diagonal."""
        return averages.mean(self.diagonals)

    @property
    def variance(self) -> Estimate:
        """Over seeds, of the mean diagonal."""
        return averages.variance(self.diagonals)

    @property
    def dispersion(self) -> Estimate:
        """E K²/(E K)² of the mean diagonal."""
        return averages.dispersion(self.diagonals)

    @property
    def mean_kernel(self) -> Estimate:
        """[B, B], entry by entry."""
        return averages.mean(self.kernels)

    @property
    def entry_variance(self) -> Float[np.ndarray, "B B"]:
        """[B, B], the unbiased variance of every entry over seeds."""
        return self.kernels.var(axis=0, ddof=1)

    @cached_property
    def eigenvalues(self) -> Float[np.ndarray, "S B"]:
        """Of every kernel, ascending."""
        return np.linalg.eigvalsh(self.kernels)

    @property
    def trace(self) -> Estimate:
        """Over seeds, of Σ_b K(x_b, x_b)."""
        return averages.mean(self.diagonals * self.kernels.shape[1])

    @property
    def top_eigenvalue(self) -> Estimate:
        """Over seeds, of the largest eigenvalue."""
        return averages.mean(self.eigenvalues[:, -1])

    @cached_property
    def _conditions(self) -> Float[np.ndarray, " S"]:
        """Largest/smallest eigenvalue of every kernel, at most 10¹²/B."""
        largest = self.eigenvalues[:, -1]
        return largest / np.maximum(self.eigenvalues[:, 0], self._rounding)

    @property
    def _rounding(self) -> Float[np.ndarray, " S"]:
        """The eigenvalue below which one is rounding, B · 10⁻¹² of the largest."""
        return self.kernels.shape[1] * 1e-12 * self.eigenvalues[:, -1]

    def _unless_singular(self, found: Estimate) -> Estimate:
        singular = int((self.eigenvalues[:, 0] <= self._rounding).sum())
        if not singular:
            return found
        return found.doubted(
            f"{singular} of {len(self.seeds)} kernels are singular to rounding (more inputs than "
            "directions of the gradient, or equal inputs); the number is a lower bound."
        )

    @property
    def condition(self) -> Estimate:
        """Median over seeds of largest/smallest eigenvalue; its average may not exist.

        An eigenvalue below B · 10⁻¹² of the largest is rounding and counts as that bound; the
        estimate is then not trusted, nor is it from fewer than 16 seeds. How far the score of one
        seed lies from it is `log10_condition_spread`.
        """
        return self._unless_singular(averages.median(self._conditions))

    @property
    def log10_condition(self) -> Estimate:
        """Over seeds, of log10(largest/smallest eigenvalue), the score of one seed.

        An eigenvalue below B · 10⁻¹² of the largest is rounding and counts as that bound; the
        estimate is then not trusted.
        """
        return self._unless_singular(averages.mean(np.log10(self._conditions)))

    @property
    def log10_condition_spread(self) -> Estimate:
        """Standard deviation over seeds of log10(condition): how far one seed's score lies."""
        values = np.log10(self._conditions)
        sd, size = float(values.std(ddof=1)), len(values)
        found = Estimate(sd, normal_error(sd, size), size, averages.METHOD)
        return found.doubted(averages.of_two(size))

    @property
    def layer_shares(self) -> dict[str, Estimate]:
        """E K^(j)/E K for the part K^(j) of each layer; they sum to 1."""
        return {
            name: averages.ratio(part, self.diagonals) for name, part in self.layer_parts.items()
        }

    def page(self) -> Page:
        """Mean, spread and conditioning, and every seed's mean diagonal."""
        values, count = self.diagonals, len(self.seeds)
        alive = bool((values > 0).all())  # a kernel of 0 has no condition number
        shares = [(f"share_{name}", name, part) for name, part in self.layer_shares.items()]
        spread = max(float(self.dispersion.value) - 1, 0.0) ** 0.5
        said = f"Two seeds differ by about {100 * spread:.2g} % (standard deviation over mean)."
        return pages.page(
            f"The kernel at {self.kernels.shape[1]} inputs, over {count} seeds",
            [said],
            [
                ("mean", "E K, mean diagonal", self.mean),
                ("variance", "its variance", self.variance),
                ("dispersion", "E K²/(E K)²", self.dispersion),
                ("top_eigenvalue", "largest eigenvalue of K", self.top_eigenvalue),
                ("condition", "condition number, median", self.condition if alive else None),
                ("log10_condition", "log10 of it, mean", self.log10_condition if alive else None),
            ],
            pages.by_seed(
                "The kernel, seed by seed", said, "mean diagonal of K", self.seeds,
                one_seed_each=values,
            ),
            seeds=self.seeds,
            samples={"mean": values, "top_eigenvalue": self.eigenvalues[:, -1]},
            details={"Each layer's share of the kernel": shares if alive else []},
        )  # fmt: skip


def ensemble(
    make_model: Factory,
    X: object,
    seeds: int | Sequence[int] = 32,
    workers: int = 1,
    *,
    forward: Forward | None = None,
    target_error: float | None = None,
    progress: Progress | None = None,
) -> Ensemble:
    """The kernel of a model at many seeds, with the spread between them.

    Parameters
    ----------
    make_model : callable
        Returns a new module at every call, drawn with the global random numbers of torch, NumPy or
        Python, which are seeded before and put back afterwards, or by an argument seed.
    X : tensor or array [B, …]
        Or a tuple or a mapping of them.
    seeds : int or sequence of int
        How many (0, 1, …), or which.
    workers : int
        Processes; 1 measures in this process, so that closures work. The numbers are the same.
    forward : callable, optional
        As in `kernel`.
    target_error : float, optional
        Stop once the mean diagonal's relative standard error is at most this; looked at after
        every 16 seeds, in their order.
    progress : callable, optional
        Called with (seeds done, seeds in all).

    Returns
    -------
    Ensemble

    Raises
    ------
    ValueError
        As `kernel`; for fewer than two seeds or repeated ones; for a factory that fails, ignores
        its seed, draws random numbers of its own, returns one module again and again, or cannot
        be sent to other processes.
    TypeError
        As `kernel`, and for a factory that is none.

    Examples
    --------
    >>> import finitewidth as fw
    >>> import torch
    >>> from torch import nn
    >>> def make_model():
    ...     return nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 1))
    >>> kernels = fw.measure.ensemble(make_model, torch.eye(4), seeds=16)
    >>> kernels.kernels.shape
    (16, 4, 4)
    >>> print(f"{kernels.mean.value:.2f} +- {kernels.mean.std_error:.2f}")
    6.49 +- 0.16
    """
    chosen = checked_seeds(seeds)
    if target_error is not None and not 0 < target_error < 1:
        raise ValueError(f"target_error is {target_error}, expected a number between 0 and 1.")

    def precise(found: list[OneSeed]) -> bool:
        average = gathered(chosen, found).mean
        return average.std_error <= target_error * abs(average.value)

    found = over_seeds(
        partial(measure_batch, make_model, X, forward),
        chosen,
        workers,
        {"make_model": make_model, "forward": forward},
        progress,
        together=lambda model: batch_size(model, X, forward),
        enough=None if target_error is None else precise,
    )
    return gathered(chosen, found)


def gathered(seeds: list[int], found: list[OneSeed]) -> Ensemble:
    """The measurements of the first of these seeds as one."""
    names = list(dict.fromkeys(name for one in found for name in one.shares))
    return Ensemble(
        seeds[: len(found)],
        np.stack([one.kernel for one in found]),
        {name: np.array([one.shares.get(name, 0.0) for one in found]) for name in names},
    )
