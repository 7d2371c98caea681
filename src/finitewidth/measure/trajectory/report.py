"""`TrainingReport`: what a recorded training did to the kernel, with figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from finitewidth.measure.trajectory.reading import open_record
from finitewidth.report import Column, Curve, Page, Plot, Provenance, Record, Section, Shown, Table

if TYPE_CHECKING:
    import xarray

ROWS = 8
"""Records of the table, the first and the last among them."""

QUANTITIES = {
    "distance": Column("distance", meaning="‖K_t − K_0‖/‖K_0‖ on the probe set"),
    "trace": Column("trace", meaning="of the kernel"),
    "effective_rank": Column("rank", meaning="effective rank: exp of the eigenvalues' entropy"),
    "alignment": Column("alignment", meaning="of the kernel with the targets, from −1 to 1"),
    "loss": Column("loss", meaning="as handed over to the recorder"),
}


class TrainingReport(Shown):
    """The trajectory that a `Recorder` wrote.

    Parameters
    ----------
    data : xarray.Dataset, str or path
        As `open_record` reads it, or its file.
    levels : mapping of str to float
        Lines in the figure of the kernel's size, e.g. its exact mean at the start.
    """

    def __init__(
        self, data: "xarray.Dataset | str | Path", levels: Mapping[str, float] | None = None
    ) -> None:
        self.data = open_record(data) if isinstance(data, str | Path) else data
        self.levels = levels or {}

    def page(self) -> Page:
        """How far the kernel moved, beside the distance of two seeds; figures by step."""
        data = self.data
        last, end = int(data.step[-1]), float(data.distance[-1])
        grown = float(data.trace[-1] / data.trace[0])
        lead = (
            f"After {last} steps the kernel lies {end:.3g} times its norm from its start and its "
            f"trace is {grown:.3g} times as large. {self._beyond()}"
        )
        figures = [self._distance(), self._size(), self._shares(), self._loss()]
        return Page(
            "The kernel during training",
            [lead],
            [
                Section("By step", [self._table()]),
                Section("Figures", [plot for plot in figures if plot is not None]),
            ],
            Provenance.now(None, begun=str(data.attrs["begun"]), records=str(len(data.step))),
            self._record,
        )

    def _record(self) -> Record:
        attrs = {str(name): value for name, value in self.data.attrs.items()}
        found = Record({"steps": self.data.step.values.tolist(), **attrs})
        for name in QUANTITIES:
            if name in self.data and np.isfinite(self.data[name].values).all():
                found.exact(name, self.data[name].values, "recorded")
        found.exact("layer_share", self.data.layer_share.values, "recorded")
        return found

    def _beyond(self) -> str:
        """Whether that is more than two seeds differ, where a null band was given."""
        if "moved_at" not in self.data:
            return ""
        moved = int(self.data.moved_at.sel(quantity="distance"))
        middle = float(self.data.distance_null.sel(quantile=0.5, method="nearest"))
        share = f"{100 * float(self.data['quantile'][-1]):g} % of pairs of seeds"
        if moved < 0:
            return f"Pairs of seeds differ as much (half of them by {middle:.3g} or more)."
        return (
            f"From step {moved} on it is farther from its start than {share} are from each other "
            f"(half of them: {middle:.3g})."
        )

    def _table(self) -> Table:
        data, known = self.data, [name for name in QUANTITIES if name in self.data]
        count = len(data.step)
        rows = []
        for place in sorted({round(k) for k in np.linspace(0, count - 1, min(ROWS, count))}):
            values = (float(data[name][place]) for name in known)
            numbers = (value if np.isfinite(value) else None for value in values)
            rows.append([int(data.step[place]), *numbers])
        left = "" if len(rows) == count else f"{len(rows)} of {count} records."
        columns = ["step", *(QUANTITIES[name] for name in known)]
        return Table("The kernel on the probe set", columns, rows, left)

    def _distance(self) -> Plot | None:
        steps, distance = self.data.step.values[1:], self.data.distance.values[1:]
        if not len(steps) or not (distance > 0).all():
            return None
        series = [Curve("training", steps, distance, marked=True)]
        told = "‖K_t − K_0‖/‖K_0‖ of the trained network."
        if "distance_null" in self.data:
            told += " The lines are how far two seeds lie apart before any training."
            for level, value in zip(
                self.data["quantile"].values, self.data.distance_null.values, strict=True
            ):
                label = f"pairs of seeds: {100 * level:g} % below"
                series.append(Curve(label, steps[[0, -1]], [value, value]))
        return Plot(
            "How far training moves the kernel", f"{told} {self._beyond()}".strip(), "step",
            "distance to the start", series, log_x=True, log_y=True,
        )  # fmt: skip

    def _size(self) -> Plot:
        size = self.data.trace.values / len(self.data.input)
        steps = self.data.step.values
        series = [Curve("training", steps, size, marked=True)]
        series += [
            Curve(name, steps[[0, -1]], [value, value]) for name, value in self.levels.items()
        ]
        return Plot(
            "The size of the kernel",
            f"The mean diagonal begins at {size[0]:.3g} and ends at {size[-1]:.3g}.",
            "step", "mean diagonal of K", series, log_y=True,
        )  # fmt: skip

    def _shares(self) -> Plot:
        layers = np.arange(1, self.data.sizes["layer"] + 1)
        return Plot(
            "Which layers carry the kernel",
            "Each layer's part of the trace at the first and at the last record.",
            "layer (the last is the output)",
            "share of the trace",
            [
                Curve(f"step {int(self.data.step[place])}", layers,
                      self.data.layer_share.values[place], marked=True)
                for place in (0, -1)
            ],
            from_zero=True,
            x_ticks=[float(layer) for layer in layers],
        )  # fmt: skip

    def _loss(self) -> Plot | None:
        losses = self.data.loss.values
        known = np.isfinite(losses) & (losses > 0) & (self.data.step.values > 0)
        if known.sum() < 2:
            return None
        return Plot(
            "The loss",
            f"As handed over: {losses[known][0]:.3g} at first, {losses[known][-1]:.3g} at last.",
            "step", "loss",
            [Curve("loss", self.data.step.values[known], losses[known], marked=True)],
            log_x=True, log_y=True,
        )  # fmt: skip
