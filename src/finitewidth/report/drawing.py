"""From a `Plot` to a matplotlib figure."""

from collections.abc import Sequence
from itertools import count
from math import floor, log10
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from finitewidth.report import style
from finitewidth.report.axes import Axes
from finitewidth.report.series import Band, Curve, Points, Steps

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Canvas
    from matplotlib.figure import Figure


def draw(plot: Axes) -> "Figure":
    """The figure; to be called within `style.style`, which also imports matplotlib."""
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.add_subplot()
    _series(axes, plot)
    _axes(axes, plot)
    _legend(figure, axes)
    _fit_labels(figure, axes)
    return figure


def draw_panels(plots: Sequence[Axes]) -> "Figure":
    """Plots below one another, with the legend of the first above all where they share it."""
    from matplotlib.figure import Figure

    width, height = style.SIZE
    figure = Figure(figsize=(width, height * (0.25 + 0.75 * len(plots))))
    places = [figure.add_subplot(len(plots), 1, row + 1) for row in range(len(plots))]
    for axes, plot in zip(places, plots, strict=True):
        _series(axes, plot)
        _axes(axes, plot)
    _legend(figure, places[0])
    for axes in places:
        _fit_labels(figure, axes)
    return figure


def _series(axes: "Canvas", plot: Axes) -> None:
    looks = {Curve: count(), Points: count(), Band: count(), Steps: count()}
    for place, one in enumerate(plot.series):
        look = next(looks[type(one)]) % len(style.MARKERS)
        colour = style.COLOURS[place % len(style.COLOURS)]
        if isinstance(one, Curve):
            _curve(axes, one, colour, look)
        elif isinstance(one, Points):
            _points(axes, one, colour, look)
        elif isinstance(one, Band):
            _band(axes, one, colour, look)
        else:
            _steps(axes, one, colour, look)


def _curve(axes: "Canvas", curve: Curve, colour: str, look: int) -> None:
    axes.plot(
        curve.x,
        curve.y,
        color=colour,
        linestyle=style.DASHES[look],
        marker=style.MARKERS[look] if curve.marked else "",
        label=curve.label,
        zorder=2,
    )


def _points(axes: "Canvas", points: Points, colour: str, look: int) -> None:
    """Full markers for trusted points, hollow ones with a thin bar for the others."""
    for trusted in (True, False):
        chosen = points.trusted == trusted
        if not chosen.any():
            continue
        label = points.label if trusted else f"{points.label} (not trusted)"
        axes.errorbar(
            points.x[chosen],
            points.y[chosen],
            yerr=points.std_error[chosen],
            fmt=style.MARKERS[look],
            color=colour,
            markerfacecolor=colour if trusted else "white",
            markeredgewidth=1.4,
            elinewidth=1.6 if trusted else 1.0,
            label=label,
            zorder=3,
        )


def _band(axes: "Canvas", band: Band, colour: str, look: int) -> None:
    """The line and the band, whose thin edges have the line's dashes: they differ in grey too."""
    dashes = style.DASHES[look]
    axes.plot(band.x, band.middle, color=colour, linestyle=dashes, label=band.label, zorder=2)
    axes.fill_between(band.x, band.low, band.high, color=colour, alpha=0.12, linewidth=0, zorder=1)
    for edge in (band.low, band.high):
        axes.plot(band.x, edge, color=colour, linestyle=dashes, linewidth=0.7, zorder=1)


def _steps(axes: "Canvas", steps: Steps, colour: str, look: int) -> None:
    axes.stairs(
        steps.heights,
        steps.edges,
        fill=True,
        facecolor=(colour, 0.15),
        edgecolor=colour,
        linestyle=style.DASHES[look],
        linewidth=1.6,
        label=steps.label,
        zorder=2,
    )


def _axes(axes: "Canvas", plot: Axes) -> None:
    axes.set_xlabel(plot.x_label)
    axes.set_ylabel(plot.y_label)
    if plot.log_x:
        axes.set_xscale("log")
        _log_ticks(axes.xaxis, *axes.get_xlim())
    if plot.log_y:
        axes.set_yscale("log")
        _log_ticks(axes.yaxis, *axes.get_ylim())
    if plot.from_zero:
        axes.set_ylim(bottom=0.0)
    if plot.x_ticks is not None:
        axes.set_xticks(list(plot.x_ticks), [plain(tick) for tick in plot.x_ticks])
        axes.xaxis.set_minor_locator(_no_ticks())


def _no_ticks() -> Any:
    from matplotlib.ticker import NullLocator

    return NullLocator()


def _log_ticks(axis: Any, low: float, high: float) -> None:
    """Labels 1, 2, 5, 10, … on a short axis, powers of ten on a long one, as plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    decades = np.log10(high / low)
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if decades < 2.5 else (1.0,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))
    axis.set_minor_formatter(NullFormatter())


def plain(value: float) -> str:
    """A tick's number: 0.02, 500, 2×10⁶."""
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.6g}".replace("-", "−")
    power = floor(log10(abs(value)) + 1e-9)
    digits = f"{value / 10.0**power:.4g}".replace("-", "−")
    front = "" if digits == "1" else "−" if digits == "−1" else f"{digits}×"
    return f"{front}10{str(power).translate(_SUPERSCRIPT)}"


_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _legend(figure: "Figure", axes: "Canvas") -> None:
    """Above the axes, where it hides nothing, in as many columns as the figure is wide."""
    handles, labels = axes.get_legend_handles_labels()
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    renderer = FigureCanvasAgg(figure).get_renderer()
    for columns in (3, 2, 1):
        legend = figure.legend(
            handles, labels, loc="outside upper left", ncols=columns, borderaxespad=0.1
        )
        width = legend.get_window_extent(renderer).width
        if width <= figure.bbox.width or columns == 1:
            return
        legend.remove()


def _fit_labels(figure: "Figure", axes: "Canvas") -> None:
    """Break labels longer than their axis; each takes room from the other, so look again."""
    for _ in range(3):
        figure.draw_without_rendering()
        y = _fit(axes, axes.yaxis.label, "height")
        x = _fit(axes, axes.xaxis.label, "width")
        if not (x or y):
            return


def _fit(axes: "Canvas", label: Any, side: str) -> bool:
    """Break a label into lines no longer than the side of the axes; whether it was too long."""
    text, room = label.get_text(), getattr(axes.get_window_extent(), side)
    letters = len(text)
    while getattr(label.get_window_extent(), side) > room and letters > 1:
        letters = int(letters * 0.95)
        lines = wrap(text, letters, break_long_words=False, break_on_hyphens=False)
        label.set_text("\n".join(lines))
    return letters < len(text)
