"""What `finitewidth simulate` shows: loss, kernel and features against the step."""

from dataclasses import dataclass

import numpy as np
import typer

from finitewidth.cli.results import Results, describe, in_words
from finitewidth.report import Column, Table
from finitewidth.simulate import Trajectory

ROWS = 8
"""Steps of the table, the first and the last among them."""

BAND = (0.1, 0.5, 0.9)
LEAST = 10
"""Networks from which quantiles are shown."""


@dataclass(frozen=True)
class Trained:
    """One parametrization's run.

    Attributes
    ----------
    name : str
    rate : float
        The learning rate.
    given : bool
        Whether the rate was asked for.
    trajectory : Trajectory
    """

    name: str
    rate: float
    given: bool
    trajectory: Trajectory

    @property
    def features_moved(self) -> np.ndarray:
        """‖Φ_t − Φ_0‖/‖Φ_0‖ of the last hidden layer's feature kernel, [size, steps + 1]."""
        kernels = self.trajectory.features
        if kernels.shape[2] == 0:
            return np.zeros(kernels.shape[:2])
        last = kernels[:, :, -1]
        start = np.linalg.norm(last[:, :1], axis=(2, 3))
        return np.linalg.norm(last - last[:, :1], axis=(2, 3)) / start

    @property
    def curves(self) -> dict[str, np.ndarray]:
        """{name: [size, steps + 1]} of everything that is shown."""
        return {
            "loss": self.trajectory.loss,
            "kernel_moved": self.trajectory.distance,
            "features_moved": self.features_moved,
            "alignment": self.trajectory.alignment,
        }


@dataclass(frozen=True)
class TrainingView:
    """Runs on the same data with the same seed."""

    runs: list[Trained]
    told: str
    inputs: int
    seed: int
    precision: str

    def results(self) -> Results:
        """Every network's curve for ``--json``: facts about these networks, without an error."""
        net = self.runs[0].trajectory.net
        given = {"data": self.told, "inputs": self.inputs, "seed": self.seed}
        given |= {"precision": self.precision, "size": self.runs[0].trajectory.size}
        found = Results(describe(net) | given)
        for run in self.runs:
            method = f"simulated networks, {run.trajectory.method}"
            found.exact(f"{run.name}_learning_rate", run.rate, "given" if run.given else "½/λ_max")
            found.exact(f"{run.name}_steps", float(run.trajectory.steps_done), method)
            for name, values in run.curves.items():
                found.exact(f"{run.name}_{name}", values, method)
        return found

    def print(self) -> None:
        """Header, one table for each run, and what the numbers say."""
        from rich.console import Console

        console = Console()
        first = self.runs[0].trajectory
        console.print(in_words(first.net), highlight=False)
        widest = max(first.net.widths, default=0)
        weights = f"{widest**2:.3g} weights in the largest hidden layer; " if widest else ""
        console.print(
            f"{weights}{self.precision}; {self.inputs} inputs of {self.told}; mean |x|² = n_in; "
            "loss ½ Σ (N − y)².",
            highlight=False,
        )
        for run in self.runs:
            typer.echo()
            console.print(self._table(run))
            if run.trajectory.diverged_at is not None:
                typer.echo(
                    f"The run diverges at step {run.trajectory.diverged_at}; the record ends "
                    "before it. Lower --lr."
                )
        typer.echo()
        console.print(self.sentence(), highlight=False)

    def _table(self, run: Trained) -> Table:
        trajectory = run.trajectory
        last = trajectory.steps_done
        shown = sorted({round(k) for k in np.linspace(0, last, min(ROWS, last + 1))})
        rows = [
            [step, *(_cell(values[:, step]) for values in run.curves.values())] for step in shown
        ]
        how = "given" if run.given else "½ over the largest eigenvalue of the mean kernel at step 0"
        size, method = trajectory.size, trajectory.method
        seen = "One network" if size == 1 else f"{size} networks"
        if size == 1:
            spread = "; one network says nothing about the spread over seeds"
        elif size < LEAST:
            spread = "; smallest, median and largest"
        else:
            spread = "; median [10 %, 90 %]"
        return Table(
            f"{run.name}: learning rate {run.rate:.4g}",
            [
                "step",
                "loss",
                Column("kernel moved", meaning="‖K_t − K_0‖/‖K_0‖"),
                Column("features moved", meaning="‖Φ_t − Φ_0‖/‖Φ_0‖ of the last "
                       "hidden layer's feature kernel Φ"),
                Column("alignment", meaning="of K_t with yyᵀ, from −1 to 1"),
            ],
            rows,
            f"{seen}, {method} matrices{spread}. Learning rate: {how}.",
        )  # fmt: skip

    def sentence(self) -> str:
        """How far the features moved, in words."""
        parts = []
        for run in self.runs:
            moved = float(np.median(run.features_moved[:, -1]))
            parts.append(f"by {_percent(moved)} in {run.name}")
        steps = min(run.trajectory.steps_done for run in self.runs)
        typical = " (median)" if self.runs[0].trajectory.size > 1 else ""
        return (
            f"After {steps} steps the features of the last hidden layer have moved "
            + " and ".join(parts)
            + typical
            + "."
        )


def _percent(share: float) -> str:
    return f"{100 * share:.3g}%"


def _cell(values: np.ndarray) -> str | float:
    if len(values) == 1:
        return float(values[0])
    if len(values) < LEAST:
        low, middle, high = values.min(), np.median(values), values.max()
    else:
        low, middle, high = np.quantile(values, BAND)
    return f"{middle:.3g} [{low:.2g}, {high:.2g}]"
