"""`finitewidth simulate --line`: the law of the trajectory along a line of the (n, d) plane."""

from dataclasses import dataclass, replace

import numpy as np
import typer

from finitewidth.cli.results import Results, describe
from finitewidth.simulate.curves.figure import of_networks, spread_in_words
from finitewidth.simulate.runs.run import Trained
from finitewidth.simulate.runs.comparison import BAND, LEAST, data_in_words, median
from finitewidth.estimate import Estimate
from finitewidth.law import KernelLaw
from finitewidth.law.sampler.quantile import from_sorted
from finitewidth.network import MLP, on_line
from finitewidth.report import Column, Panels, Plot, Points, Table

EXACT = 2**17
"""Draws of the exact law at initialisation: quantiles to 0.5 %."""


def networks(net: MLP, line: str, depths: str | None) -> list[MLP]:
    """The networks of ``--line`` and ``--depths``.

    Raises
    ------
    ValueError
        For text that names no line, or depths that are missing or no whole numbers.
    """
    name, _, text = line.partition("=")
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if name not in ("beta", "ratio") or not 0 < value < float("inf"):
        raise ValueError(f"--line is {line!r}, expected beta=0.5 (Σ 1/n) or ratio=0.25 (d/n).")
    if depths is None:
        raise ValueError("--line needs the depths on it; give --depths 3,5,9.")
    try:
        found = [int(part) for part in depths.split(",")]
    except ValueError:
        raise ValueError(f"--depths is {depths!r}, expected whole numbers: 3,5,9.") from None
    return on_line(net, found, **{name: value})


@dataclass(frozen=True)
class LineView:
    """Runs of networks on one line, on the same data with the same seed."""

    runs: list[Trained]
    told: str
    inputs: int
    seed: int
    precision: str

    def results(self) -> Results:
        """Spreads and quantiles for ``--json``."""
        nets = [run.trajectory.net for run in self.runs]
        given = {name: value for name, value in describe(nets[0]).items() if name != "widths"}
        given |= {"depth": [net.depth for net in nets], "width": [net.widths[0] for net in nets]}
        given |= {"data": self.told, "inputs": self.inputs, "seed": self.seed}
        given |= {"precision": self.precision, "size": self.runs[0].trajectory.size}
        found = Results(given)
        for run in self.runs:
            d, method = run.trajectory.net.depth, f"simulated networks, {run.trajectory.method}"
            found.exact(f"d{d}_beta", run.trajectory.net.beta, "exact")
            found.exact(f"d{d}_learning_rate", run.rate, "given" if run.given else "½/λ_max")
            if run.trajectory.size >= LEAST:
                found.estimate(f"d{d}_log_kernel_sd", log_spread(sizes(run)[:, 0], method))
            for name, values in (("kernel_ratio", ratios(run)), *run.curves.items()):
                found.exact(f"d{d}_{name}", values, method)
        return found

    def print(self) -> None:
        """Header, one row a network, and what the columns are."""
        from rich.console import Console

        console = Console()
        net, size = self.runs[0].trajectory.net, self.runs[0].trajectory.size
        console.print(
            f"{net.act.name}, n_in {net.n_in}, {net.law.name} weights, {net.parametrization} "
            f"parametrization; {data_in_words(self.precision, self.inputs, self.told)}",
            highlight=False,
        )
        typer.echo()
        console.print(self._table())
        for run in self.runs:
            if run.trajectory.diverged_at is not None:
                typer.echo(
                    f"{run.name}: a network diverges at step {run.trajectory.diverged_at}; the "
                    "record of all ends before it. Lower --lr."
                )
        if size < LEAST:
            typer.echo(f"{size} networks say little about a law; give --size 200.")

    def _table(self) -> Table:
        size = self.runs[0].trajectory.size
        rows: list[list] = []
        for run in self.runs:
            net = run.trajectory.net
            start = sizes(run)[:, 0]
            spread = log_spread(start, run.trajectory.method) if size >= LEAST else "–"
            shown: list[Estimate | float] = []
            for values in (ratios(run)[:, -1], run.trajectory.loss[:, -1]):
                low, _, high = np.quantile(values, BAND)
                shown += [median(values), float(low), float(high)]
            shown += [median(run.features_moved[:, -1])]
            rows.append([run.name, net.beta, run.rate, spread, *shown])
        steps = min(run.trajectory.steps_done for run in self.runs)
        return Table(
            f"After {steps} steps along the line",
            [
                Column("hidden", meaning="width × number of hidden layers"),
                Column("β", digits=3),
                Column("λ", meaning="the learning rate: " + self.runs[0].rule, digits=2),
                Column("sd ln K_0", meaning="standard deviation over networks; K is the mean of "
                       "the kernel's diagonal"),
                Column("K_T/K_0", meaning="median over networks; T is the last step", digits=3),
                *(band := [Column("10 %", digits=2), Column("90 %", digits=2)]),
                Column("loss", meaning="median", digits=3),
                *band,
                Column("features", digits=3, meaning="median of ‖Φ_T − Φ_0‖/‖Φ_0‖, last hidden "
                       "layer"),
            ],
            rows,
            spread_in_words(size),
        )  # fmt: skip

    def panels(self, X: np.ndarray) -> Panels:
        """K_t over the median of K_0, K_t/K_0 and the loss against the step."""
        size = self.runs[0].trajectory.size
        names = [f"{run.name}, β {run.trajectory.net.beta:.3g}" for run in self.runs]

        def plot(title: str, label: str, curves: list[np.ndarray], log_y: bool) -> Plot:
            series = [of_networks(*pair) for pair in zip(names, curves, strict=True)]
            return Plot(title, "Against the step.", "step", label, series, log_y=log_y)

        kernels = [sizes(run) / np.median(sizes(run)[:, 0]) for run in self.runs]
        first = plot("Kernel", "K_t / median of K_0", kernels, True)
        values, errors = np.hstack([exact_quantiles(run, X) for run in self.runs])
        if len(values):
            points = Points("exact law at step 0", np.zeros(len(values)), values, errors)
            first = replace(first, series=[*first.series, points])
        losses = [run.trajectory.loss for run in self.runs]
        return Panels(
            "The law of the trajectory along a line",
            f"Hidden layers as width × number. {spread_in_words(size)} K is the mean of the "
            "kernel's diagonal.",
            [
                first,
                plot("Movement", "K_t / K_0", [ratios(run) for run in self.runs], False),
                plot("Loss", "loss ½ Σ (N − y)²", losses, all((one > 0).all() for one in losses)),
            ],
        )


def sizes(run: Trained) -> np.ndarray:
    """Mean of the kernel's diagonal, [size, steps + 1]."""
    return np.diagonal(run.trajectory.kernels, axis1=2, axis2=3).mean(axis=2)


def ratios(run: Trained) -> np.ndarray:
    """K_t/K_0, [size, steps + 1]."""
    found = sizes(run)
    return found / found[:, :1]


def log_spread(values: np.ndarray, method: str) -> Estimate:
    """Standard deviation of ln K over networks; its error by the fourth moment (delta method)."""
    logs = np.log(values)
    centred = logs - logs.mean()
    variance = float((centred**2).sum() / (len(logs) - 1))
    if variance == 0.0:
        return Estimate(0.0, 0.0, len(logs), method)
    fourth = float((centred**4).mean())
    error = max(fourth - variance**2, 0.0) ** 0.5 / (2 * (variance * len(logs)) ** 0.5)
    return Estimate(variance**0.5, error, len(logs), method)


def exact_quantiles(run: Trained, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles of K_0 over its median and their errors by the exact law, where it covers it."""
    net, nothing = run.trajectory.net, np.zeros(0)
    if len(X) > 1 or net.n_out > 1 or run.trajectory.size < LEAST:
        return nothing, nothing
    try:
        drawn = KernelLaw(net, X[0]).sample(EXACT, seed=0)
    except ValueError:
        return nothing, nothing  # another activation or weight law has no exact law to draw
    found = from_sorted(np.sort(drawn.kernel), np.array(BAND))
    return found.value / found.value[1], found.std_error / found.value[1]
