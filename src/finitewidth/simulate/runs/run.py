"""Runs of several networks, one after the other, on the same data with the same seed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from finitewidth.network import MLP
from finitewidth.report import Record
from finitewidth.simulate.inputs import input_rows
from finitewidth.simulate.progress import reporting
from finitewidth.simulate.runs import rate
from finitewidth.simulate.training.train import train
from finitewidth.simulate.training.trajectory import Trajectory

FLOAT32 = 2**14
"""Width from which single precision is taken: matrices of that width are deferred, and their rows
are what the time goes into."""


@dataclass(frozen=True)
class Run:
    """One network's run.

    Attributes
    ----------
    name : str
        In tables and legends.
    trajectory : Trajectory
    given : bool
        Whether its learning rate was given, rather than chosen by the kernel at the start.
    """

    name: str
    trajectory: Trajectory
    given: bool

    @property
    def rule(self) -> str:
        """Where the learning rate comes from."""
        return "given" if self.given else rate.in_words(self.trajectory.size)

    def put_rate(self, record: Record, name: str) -> None:
        """The learning rate into a record."""
        record.exact(name, self.trajectory.learning_rate, "given" if self.given else "½/λ_max")


@dataclass(frozen=True, eq=False)
class Inputs:
    """The training inputs of several runs.

    Attributes
    ----------
    X : array [B, n_in]
        In the precision of the runs.
    description : str
        What the data are; empty: not said.
    """

    X: np.ndarray
    description: str

    def in_words(self) -> str:
        """Precision, data and loss of the runs."""
        many = "1 input" if len(self.X) == 1 else f"{len(self.X)} inputs"
        of = f" of {self.description}" if self.description else ""
        mean = float((self.X.astype(np.float64) ** 2).sum(axis=1).mean())
        size = "n_in" if np.isclose(mean, self.X.shape[1], rtol=1e-5) else f"{mean:.4g}"
        return f"{self.X.dtype}; {many}{of}; mean |x|² = {size}; loss ½ Σ (N − y)²."

    def as_json(self, trajectory: Trajectory) -> dict[str, Any]:
        """What was asked for, with the runs' seed and size."""
        return {
            "data": self.description,
            "inputs": len(self.X),
            "seed": trajectory.seed,
            "precision": str(self.X.dtype),
            "size": trajectory.size,
        }


def work(nets: Iterable[MLP], inputs: int, steps: int, size: int) -> float:
    """How long training them takes, in layers times networks at initialisation, roughly."""
    neurons = sum(width * count for net in nets for width, count in net.runs)
    return 10.0 * size * (steps + 1) * neurons * inputs


def in_turn(
    nets: Mapping[str, MLP],
    X: ArrayLike,
    y: ArrayLike,
    steps: int,
    size: int = 1,
    seed: int = 0,
    method: str = "auto",
    *,
    learning_rate: float | None = None,
    data: str = "",
    store: str | None = None,
    progress: Callable[[int, int], object] | bool = False,
    **descent: Any,
) -> tuple[list[Run], Inputs]:
    """Train every network, or read or finish its run; arguments as of `compare`."""
    if not nets:
        raise ValueError("there are no networks to be trained; give one or more.")
    widest = max((width for net in nets.values() for width, _ in net.runs), default=0)
    single = widest >= FLOAT32
    single = single or getattr(X, "dtype", None) == np.float32
    rows = input_rows(next(iter(nets.values())), X).astype(np.float32 if single else np.float64)
    runs: list[Run] = []
    with reporting(progress, "network steps") as report:
        for place, (name, net) in enumerate(nets.items()):
            chosen = learning_rate
            if chosen is None:
                chosen = rate.default_rate(net, rows, y, size, seed, method)
            trajectory = train(
                net,
                rows,
                y,
                chosen,
                steps,
                size,
                seed,
                method,
                store=f"{store}.{name.replace(' × ', 'x')}" if store and place else store,
                progress=lambda done, of, before=place: report(before * of + done, len(nets) * of),
                **descent,
            )
            runs.append(Run(name, trajectory, learning_rate is not None))
    return runs, Inputs(rows, data)
