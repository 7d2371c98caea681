"""`Axes`: what a figure shows, in numbers and words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finitewidth.report.series import Band, Curve, Points, Series, Steps


@dataclass(frozen=True, eq=False)
class Axes:
    """A figure of finished results: theory curves, points with error bars, bands, histograms.

    Parameters
    ----------
    title : str
        Its heading on a page.
    sentence : str
        What it shows and what to conclude; stands beside it on a page.
    x_label, y_label : str
        Labels of the axes, with units.
    series : sequence of Curve, Points, Band or Steps
        In the order of the legend; colours, dashes and markers follow it.
    log_x, log_y : bool
        Logarithmic axes.
    from_zero : bool
        Whether the vertical axis starts at 0, as it should for shares and counts.
    x_ticks : sequence of float, optional
        Where the horizontal axis is labelled, e.g. at the depths that were computed.

    Raises
    ------
    ValueError
        Without a title, a sentence, labels or series, or for numbers ≤ 0 on a logarithmic axis.
    TypeError
        For a series of another type.
    """

    title: str
    sentence: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    log_x: bool = False
    log_y: bool = False
    from_zero: bool = False
    x_ticks: Sequence[float] | None = None

    def __post_init__(self) -> None:
        for name in ("title", "sentence", "x_label", "y_label"):
            if not str(getattr(self, name)).strip():
                raise ValueError(
                    f"{name} of the plot {self.title!r} is empty; every figure says what it shows "
                    "and what its axes are."
                )
        if self.log_y and self.from_zero:
            raise ValueError(
                f"the plot {self.title!r} has log_y and from_zero, but a logarithmic axis has no "
                "0; choose one of them."
            )
        if not self.series:
            raise ValueError(f"the plot {self.title!r} has no series; give at least one.")
        for one in self.series:
            if not isinstance(one, Curve | Points | Band | Steps):
                raise TypeError(
                    f"a series of {self.title!r} is a {type(one).__name__}, expected Curve, "
                    "Points, Band or Steps."
                )
            if self.log_x:
                self._positive(one, one.edges if isinstance(one, Steps) else one.x, "log_x")
            if self.log_y and not isinstance(one, Steps):  # empty bins are fine
                self._positive(one, one.low if isinstance(one, Band) else one.y, "log_y")

    def _positive(self, one: Series, values: Any, axis: str) -> None:
        if (values <= 0).any():
            raise ValueError(
                f"{one.label!r} holds {np.min(values):g}, which a logarithmic axis cannot show; "
                f"use {axis}=False, or plot the absolute value and say so in the label."
            )


def whole_ticks(low: int, high: int) -> list[float]:
    """At most eight whole numbers from `low` to `high`, evenly spaced."""
    return [float(k) for k in range(low, high + 1, -(-(high - low + 1) // 8))]
