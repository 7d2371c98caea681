"""A whole run: batch after batch of networks, written as it goes, to the end or a divergence."""

import warnings
from dataclasses import dataclass

import numpy as np
import torch

from finitewidth.simulate.dense.draw import BLOCK, batches
from finitewidth.simulate.matrices.threads import lent_to_products
from finitewidth.simulate.progress import reporting
from finitewidth.simulate.training import draw, steps
from finitewidth.simulate.training.networks import Networks
from finitewidth.simulate.training.problem import Problem
from finitewidth.simulate.training.store import Store
from finitewidth.simulate.training.trajectory import Trajectory


@dataclass(frozen=True)
class How:
    """How a run is done; of no influence on the law of its result.

    Attributes
    ----------
    method : str
        ``"dense"`` or ``"deferred"``.
    at_once : int
        Most networks held at a time.
    device : str
    """

    method: str
    at_once: int
    device: str


class _Arrays:
    """The arrays of the result, filled by network and step."""

    def __init__(self, problem: Problem) -> None:
        size, count = problem.size, problem.steps + 1
        probes, hidden = problem.probes, problem.net.depth - 1
        kernel = probes if "kernels" in problem.record else 0
        feature = probes if "features" in problem.record else 0
        self.outputs = np.empty((size, count, *problem.y.shape))
        self.loss = np.empty((size, count))
        self.kernels = np.empty((size, count, kernel, kernel))
        self.features = np.empty((size, count, hidden, feature, feature))

    def put(self, first: int, last: int, at: int, found: steps.Observation) -> None:
        for name, array in found.items():
            getattr(self, name)[first:last, at] = array

    def until(self, last: int) -> dict[str, np.ndarray]:
        return {name: array[:, : last + 1] for name, array in vars(self).items()}


def _not_finite(found: steps.Observation) -> int | None:
    """The first network of a batch with a number that is not finite."""
    size = len(found["loss"])
    good = np.ones(size, dtype=bool)
    for array in found.values():
        good &= np.isfinite(array.reshape(size, -1)).all(axis=1)
    return None if good.all() else int(np.argmin(good))


def _draw(problem: Problem, how: How, first: int, last: int, rng: np.random.Generator) -> Networks:
    dtype, device = getattr(torch, problem.precision), torch.device(how.device)
    if how.method == "dense":
        return draw.stored(problem.net, rng, last - first, dtype, device)
    return draw.deferred(problem.net, problem.seed, first, last, dtype, device)


class _Run:
    def __init__(self, problem: Problem, how: How, store: Store, progress: object) -> None:
        self.problem, self.how, self.store, self.progress = problem, how, store, progress
        self.arrays = _Arrays(problem)
        self.limit = problem.steps  # the last step that no network so far has failed to reach
        self.diverged: int | None = None

    def fails(self, network: int, at: int) -> None:
        """Network `network` has no finite numbers at step `at`: the record ends before it."""
        if at == 0:
            raise RuntimeError(
                f"network {network} has outputs or kernels beyond the range of "
                f"{self.problem.precision} before the first step; use fewer layers or smaller "
                "gains."
            )
        self.limit, self.diverged = at - 1, network

    def replay(self, first: int, last: int) -> tuple[int, bool]:
        """Take what the store has of a batch; how many steps that are, and whether it is all."""
        known = 0
        for record in self.store.records(first, last):
            if record.step > self.limit:
                return known, True
            if "diverged" in record.note:
                self.fails(int(record.note["diverged"]), record.step)
                return known, True
            self.arrays.put(first, last, record.step, record.arrays)
            known = record.step + 1
        return known, known > self.limit

    def train(self, first: int, last: int, rng: np.random.Generator, known: int) -> None:
        """Train a batch of which `known` steps are in the store; write the others."""
        networks = _draw(self.problem, self.how, first, last, rng)
        start, state = self.store.state(first, last)
        if start > known:  # a power failure can take the last records and leave the state
            start, state = 0, None
        if state is not None:
            draw.restore(networks, state)
        on = steps.data(self.problem, torch.device(self.how.device))
        for at in range(start, self.limit + 1):
            found, seen = steps.observe(networks, self.problem, on, last - first)
            bad = _not_finite(found)
            if bad is not None:
                self.store.diverged(first, last, at, first + bad)
                self.fails(first + bad, at)
                return
            if at >= known:
                self.arrays.put(first, last, at, found)
                self.store.append(first, last, at, found)
            if at < self.limit:
                steps.descend(networks, self.problem, on, seen, at)
                self.store.keep(first, last, at + 1, lambda: draw.state_of(networks))
            self.report((last - first) * (at + 1) + first * (self.problem.steps + 1))

    def report(self, done: int) -> None:
        self._report(done, self.problem.size * (self.problem.steps + 1))

    def all(self) -> Trajectory:
        """Every batch in turn."""
        problem, how = self.problem, self.how
        quiet = np.errstate(over="ignore", invalid="ignore")  # divergence is looked for below
        with quiet, torch.no_grad(), reporting(self.progress, "network steps") as self._report:
            for first, last, rng in batches(problem.size, problem.seed, min(how.at_once, BLOCK)):
                known, done = self.replay(first, last)
                if not done:
                    self.train(first, last, rng, known)
                elif how.method == "dense" and last % BLOCK and last < problem.size:
                    _draw(problem, how, first, last, rng)  # the next batch continues the stream
                self.report(last * (problem.steps + 1))
            self.store.forget()
        return self.result()

    def result(self) -> Trajectory:
        """The trajectory up to the last step that all networks reached."""
        problem, diverged_at = self.problem, None
        if self.diverged is not None:
            diverged_at = self.limit + 1
            warnings.warn(
                f"training diverges: network {self.diverged} has numbers beyond the range of "
                f"{problem.precision} after step {diverged_at} of {problem.steps}, so the record "
                f"ends with step {self.limit}; lower learning_rate={problem.learning_rate:g}.",
                RuntimeWarning,
                stacklevel=5,
            )
        arrays = self.arrays.until(self.limit)
        if problem.single_output:
            arrays["outputs"] = arrays["outputs"][..., 0]
        return Trajectory(
            net=problem.net,
            y=problem.y[:, 0] if problem.single_output else problem.y,
            learning_rate=problem.learning_rate,
            **arrays,
            at_inputs=problem.probe is None,
            method=self.how.method,
            diverged_at=diverged_at,
            diverged=self.diverged,
            seed=problem.seed,
        )


def run(problem: Problem, how: How, store: Store, progress: object) -> Trajectory:
    """Train all networks of the problem, or those steps of them that the store lacks."""
    with lent_to_products():
        return _Run(problem, how, store, progress).all()
