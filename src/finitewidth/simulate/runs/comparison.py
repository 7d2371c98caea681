"""What `finitewidth simulate` shows: loss, kernel and features against the step."""

from dataclasses import dataclass

import numpy as np
import typer

from finitewidth.cli.results import Results, describe, in_words
from finitewidth.simulate.runs.run import Trained
from finitewidth.estimate import Estimate
from finitewidth.law.sampler.quantile import from_sorted
from finitewidth.report import Column, Table

ROWS = 8
"""Steps of the table, the first and the last among them."""

BAND = (0.1, 0.5, 0.9)
BANDED = ("loss", "kernel_moved", "features_moved")

LEAST = 10
"""Networks from which quantiles are shown."""


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
        for line in self.header():
            console.print(line, highlight=False)
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

    def header(self) -> list[str]:
        """The network; precision, data and loss."""
        net = self.runs[0].trajectory.net
        widest = max(net.widths, default=0)
        weights = f"{widest**2:.3g} weights in the largest hidden layer; " if widest else ""
        return [in_words(net), weights + data_in_words(self.precision, self.inputs, self.told)]

    def _table(self, run: Trained) -> Table:
        trajectory = run.trajectory
        last = trajectory.steps_done
        shown = sorted({round(k) for k in np.linspace(0, last, min(ROWS, last + 1))})
        rows = [
            [
                step,
                *(with_band(run.curves[name][:, step]) for name in BANDED),
                median(run.curves["alignment"][:, step]),
            ]
            for step in shown
        ]
        size, method = trajectory.size, trajectory.method
        seen = "One network" if size == 1 else f"{size} networks"
        if size == 1:
            spread = "; one network says nothing about the spread over seeds"
        elif size < LEAST:
            spread = "; smallest, median and largest"
        else:
            spread = "; median with its standard error [10 %, 90 %]"
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
            f"{seen}, {method} matrices{spread}. Learning rate: {run.rule}.",
        )  # fmt: skip

    def sentence(self) -> str:
        """How far the features moved, in words."""
        if not self.runs[0].trajectory.net.widths:
            return "Without a hidden layer there are no features, and the kernel stays what it is."
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


def data_in_words(precision: str, inputs: int, told: str) -> str:
    """Precision, data and loss of a run."""
    many = "1 input" if inputs == 1 else f"{inputs} inputs"
    return f"{precision}; {many} of {told}; mean |x|² = n_in; loss ½ Σ (N − y)²."


def median(values: np.ndarray) -> Estimate | float:
    """The median over networks, with its error (order statistics) where there are enough."""
    if len(values) < LEAST:
        return float(np.median(values))
    found = from_sorted(np.sort(values), np.array(0.5))
    return Estimate(float(found.value), float(found.std_error), len(values), found.method)


def with_band(values: np.ndarray) -> str | float:
    """One number, or the median of many with their spread."""
    if len(values) == 1:
        return float(values[0])
    low, _, high = np.quantile(values, BAND if len(values) >= LEAST else (0.0, 0.5, 1.0))
    middle = median(values)
    shown = f"{middle:.3g}" if isinstance(middle, float) else str(middle)
    return f"{shown} [{low:.2g}, {high:.2g}]"
