"""`along_line`: the law of the trajectory along a line of the (n, d) plane."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from finitewidth._shapes import Float
from finitewidth.estimate import Estimate
from finitewidth.network import MLP
from finitewidth.network.words import as_json
from finitewidth.report import (
    Column,
    Later,
    Page,
    Panels,
    Plot,
    Points,
    Provenance,
    Record,
    Section,
    Shown,
    Table,
)
from finitewidth.simulate.curves import bands
from finitewidth.simulate.runs.run import Inputs, Run, in_turn
from finitewidth.statistics.spread import log_spread_by_moments

Start = Callable[[MLP, np.ndarray, Sequence[float]], Estimate]
"""(net, x, levels) → quantiles of K(x, x) at initialisation, `finitewidth.law.start_quantiles`."""

BAND = [Column("10 %", digits=2), Column("90 %", digits=2)]


@dataclass(frozen=True, eq=False)
class Line(Shown):
    """Runs of networks on one line, on the same data with the same seed.

    Attributes
    ----------
    runs : sequence of Run
        ``.name``, ``.trajectory``, and whether the learning rate was ``.given``.
    inputs : Inputs
        The training inputs and what they are.
    start : callable, optional
        Quantiles of the kernel at step 0 by a theory, for the figure.
    """

    runs: Sequence[Run]
    inputs: Inputs
    start: Start | None = None

    @property
    def size(self) -> int:
        """Number of networks of each kind."""
        return self.runs[0].trajectory.size

    def page(self) -> Page:
        """Spread at the start, and kernel, loss and features after training, a row a network."""
        net, first, last = self.runs[0].trajectory.net, self.runs[0], self.runs[-1]
        steps = min(run.trajectory.steps_done for run in self.runs)
        few = [] if self.size >= bands.LEAST else [
            f"{self.size} networks say little about a law; take 200."
        ]  # fmt: skip
        changed = [
            f"{_shown(bands.median(ratios(run)[:, -1]))} at {run.name}" for run in (first, last)
        ]
        words = (
            f"{net.act.name}, n_in {net.n_in}, {net.law.name} weights, {net.parametrization} "
            f"parametrization; {self.inputs.in_words()}"
        )
        return Page(
            f"After {steps} steps along the line K_T/K_0 is {' and '.join(changed)} (median)",
            [
                *(line for run in self.runs for line in run.trajectory.divergence(run.name)),
                *few,
                words,
            ],
            [
                Section("Along the line", [self._kernels(steps)]),
                Section("Loss and learning rate", [self._losses()], detail=True),
                Section("The curves", [Later(self.panels)]),
            ],
            Provenance.now(first.trajectory.seed),
            self._record,
        )

    def _record(self) -> Record:
        """Spreads, and every network's curves."""
        nets = [run.trajectory.net for run in self.runs]
        network = {name: value for name, value in as_json(nets[0]).items() if name != "widths"}
        network |= {"depth": [net.depth for net in nets], "width": [net.widths[0] for net in nets]}
        found = Record(self.inputs.as_json(self.runs[0].trajectory), network)
        for run in self.runs:
            name = f"d{run.trajectory.net.depth}"
            method = f"simulated networks, {run.trajectory.method}"
            found.exact(f"{name}_beta", run.trajectory.net.beta, "exact")
            run.put_rate(found, f"{name}_learning_rate")
            if self.size >= bands.LEAST:
                found.estimate(f"{name}_log_kernel_sd", log_spread(run, method))
            found.exact(f"{name}_kernel_ratio", ratios(run), method)
            run.trajectory.put(found, f"{name}_")
        return found

    def _kernels(self, steps: int) -> Table:
        rows: list[list[Any]] = []
        for run in self.runs:
            method = run.trajectory.method
            spread = log_spread(run, method) if self.size >= bands.LEAST else "–"
            rows.append([run.name, run.trajectory.net.beta, spread,
                         *_median_and_band(ratios(run)[:, -1]),
                         bands.median(run.trajectory.loss[:, -1]),
                         bands.median(run.trajectory.features_moved[:, -1])])  # fmt: skip
        return Table(
            f"After {steps} steps along the line",
            [
                Column("hidden", meaning="width × number of hidden layers"),
                Column("β", digits=3),
                Column("sd ln K_0", meaning="standard deviation over networks; K is the mean of "
                       "the kernel's diagonal"),
                Column("K_T/K_0", meaning="median over networks; T is the last step", digits=3),
                *BAND,
                Column("loss", meaning="median", digits=3),
                Column("features", digits=3, meaning="median of ‖Φ_T − Φ_0‖/‖Φ_0‖, last hidden "
                       "layer"),
            ],
            rows,
            bands.in_words(self.size),
        )  # fmt: skip

    def _losses(self) -> Table:
        return Table(
            "Learning rate and loss",
            [
                Column("hidden", meaning="width × number of hidden layers"),
                Column("λ", meaning="the learning rate: " + self.runs[0].rule, digits=2),
                Column("loss", meaning="median", digits=3),
                *BAND,
            ],
            [
                [run.name, run.trajectory.learning_rate,
                 *_median_and_band(run.trajectory.loss[:, -1])]
                for run in self.runs
            ],
            bands.in_words(self.size),
        )  # fmt: skip

    def panels(self) -> Panels:
        """K_t over the median of K_0, K_t/K_0 and the loss against the step."""
        names = [f"{run.name}, β {run.trajectory.net.beta:.3g}" for run in self.runs]

        def plot(title: str, label: str, curves: list[np.ndarray], log_y: bool) -> Plot:
            series = [bands.of_networks(*pair) for pair in zip(names, curves, strict=True)]
            return Plot(title, "Against the step.", "step", label, series, log_y=log_y)

        kernels = [sizes(run) / np.median(sizes(run)[:, 0]) for run in self.runs]
        first = plot("Kernel", "K_t / median of K_0", kernels, True)
        values, errors = np.hstack([self.at_start(run) for run in self.runs])
        if len(values):
            points = Points("exact law at step 0", np.zeros(len(values)), values, errors)
            first = replace(first, series=[*first.series, points])
        losses = [run.trajectory.loss for run in self.runs]
        return Panels(
            "The law of the trajectory along a line",
            f"Hidden layers as width × number. {bands.in_words(self.size)} K is the mean of the "
            "kernel's diagonal.",
            [
                first,
                plot("Movement", "K_t / K_0", [ratios(run) for run in self.runs], False),
                plot("Loss", "loss ½ Σ (N − y)²", losses, all((one > 0).all() for one in losses)),
            ],
        )

    def at_start(self, run: Run) -> tuple[np.ndarray, np.ndarray]:
        """Quantiles of K_0 over its median and their errors by `start`, where it covers it."""
        net, nothing = run.trajectory.net, np.zeros(0)
        few = self.size < bands.LEAST
        if self.start is None or len(self.inputs.X) > 1 or net.n_out > 1 or few:
            return nothing, nothing
        try:
            found = self.start(net, self.inputs.X[0], bands.BAND)
        except ValueError:
            return nothing, nothing  # another activation or weight law has no exact law to draw
        return found.value / found.value[1], found.std_error / found.value[1]


def sizes(run: Run) -> Float[np.ndarray, "size T"]:
    """Mean of the kernel's diagonal."""
    return np.diagonal(run.trajectory.kernels, axis1=2, axis2=3).mean(axis=2)


def ratios(run: Run) -> Float[np.ndarray, "size T"]:
    """K_t/K_0."""
    found = sizes(run)
    return found / found[:, :1]


def log_spread(run: Run, method: str) -> Estimate:
    """Standard deviation of ln K_0 over networks."""
    start = sizes(run)[:, 0]
    return Estimate(*log_spread_by_moments(start), len(start), method)


def _median_and_band(values: np.ndarray) -> list[Estimate | float]:
    low, _, high = np.quantile(values, bands.BAND)
    return [bands.median(values), float(low), float(high)]


def _shown(value: Estimate | float) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def along_line(
    nets: Sequence[MLP],
    X: ArrayLike,
    y: ArrayLike,
    steps: int,
    size: int = 1,
    seed: int = 0,
    method: str = "auto",
    *,
    start: Start | None = None,
    **options: Any,
) -> Line:
    """Train networks of a line, and show the law of their trajectories beside each other.

    Parameters
    ----------
    nets : sequence of MLP
        Of equal widths and different depths, as `finitewidth.network.on_line` makes them.
    start : callable, optional
        (net, x, levels) → `Estimate` of the quantiles of K(x, x) at initialisation, drawn into
        the figure at step 0 where there is one input; a ValueError says that it does not cover a
        network. `finitewidth.law.start_quantiles` is the exact law's.
    X, y, steps, size, seed, method, **options
        As in `compare`; names are ``WIDTH × HIDDEN``, in names of stores ``WIDTHxHIDDEN``.

    Returns
    -------
    Line

    Raises
    ------
    ValueError, TypeError, RuntimeError
        As `compare`.
    """
    named = {f"{net.widths[0]} × {len(net.widths)}": net for net in nets}
    return Line(*in_turn(named, X, y, steps, size, seed, method, **options), start)
