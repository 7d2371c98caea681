"""The figures of a verdict, each with the sentence that says what it shows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from finitewidth.report import Curve, Plot, Points
from finitewidth.report.axes import whole_ticks
from finitewidth.verdict import regimes
from finitewidth.verdict.measurement import Measurement
from finitewidth.verdict.page.tables import largest

if TYPE_CHECKING:
    from finitewidth.verdict.measured import Measured


def training(measured: "Measured", verdict: str) -> list[Plot]:
    """Of the descent, where there was one and something to show."""
    if measured.descent is None:
        return []
    found = measured.descent.falls(), movements(measured, verdict)
    return [plot for plot in found if plot is not None]


def kernels(measured: "Measured", table: Sequence[Measurement]) -> Plot:
    """The mean diagonal of every seed, on a logarithmic axis."""
    start = measured.start
    rows = {row.name: row for row in table}
    seeds, values = start.seeds, start.diagonals
    middle = float(np.exp(np.log(values).mean()))
    factor = float(np.exp(regimes.RANDOM))
    ends = [min(seeds) - 0.5, max(seeds) + 0.5]
    series: list[Curve | Points] = [
        Points("one seed each", seeds, values, np.zeros(len(values))),
        Curve("their geometric mean", ends, [middle, middle]),
        Curve(f"a factor e^{regimes.RANDOM:g} above", ends, [middle * factor, middle * factor]),
        Curve(f"a factor e^{regimes.RANDOM:g} below", ends, [middle / factor, middle / factor]),
    ]
    exact = rows["mean"].theory
    if isinstance(exact, float):
        series.append(Curve("E K, exact law", ends, [exact, exact]))
    spread = measured.log_spread
    side = regimes.compare(spread, regimes.RANDOM)
    told = {-1: "below", 0: "within two errors of", 1: "above"}[side]
    dispersion = rows["dispersion"]
    limit = dispersion.outcome and (
        f" The limit on the dispersion, which is {dispersion.measured}: {dispersion.outcome}."
    )
    return Plot(
        "The kernel at the start, seed by seed",
        f"The standard deviation of ln K over {len(values)} seeds is {spread}, {told} "
        f"{regimes.RANDOM:g}, from which on a kernel is called strongly random: then one in three "
        f"seeds lies outside the two lines around the middle.{limit}",
        "seed",
        "mean diagonal of K",
        series,
        log_y=True,
        x_ticks=whole_ticks(min(seeds), max(seeds)),
    )


def movements(measured: "Measured", verdict: str) -> Plot | None:
    """How far the kernel of every seed went, and the thresholds."""
    assert measured.descent is not None
    found = [one for one in measured.descent.movements if one]
    estimate = measured.descent.movement
    if len(found) < 2 or estimate is None:
        return None
    ends = [0.5, len(found) + 2.5]
    label = measured.descent.movement_in_words[1]
    short = measured.descent.falls_short
    where = "not enough to place it" if short else placed(float(estimate.value))
    return Plot(
        "Where the descent takes the kernel",
        f"{label}, {estimate} on average: {where}. Verdict: {verdict}.",
        "seeds whose loss falls, counted; right, their mean",
        label,
        [
            Points("one seed each", np.arange(1, len(found) + 1), found, np.zeros(len(found))),
            Points.of("mean and its standard error", [len(found) + 2], [estimate]),
            Curve("1 %, below it frozen", ends, [regimes.MOVES] * 2),
            Curve("10 %, above it feature learning", ends, [regimes.LEARNS] * 2),
        ],
        log_y=True,
        x_ticks=whole_ticks(1, len(found)),
    )


def placed(movement: float) -> str:
    """Where a movement lies between the thresholds."""
    if movement < regimes.MOVES:
        return "below the line of 1 %"
    return "above the line of 10 %" if movement > regimes.LEARNS else "between the two lines"


def layers(shares: Sequence[Measurement]) -> Plot:
    """Shares of the mean diagonal."""
    place = np.arange(1, len(shares) + 1)
    exact = [one.theory for one in shares]
    series: list[Curve | Points] = [
        Points(
            "measured",
            place,
            [100 * float(one.measured.value) for one in shares],
            [100 * float(one.measured.std_error) for one in shares],
        )
    ]
    if all(isinstance(value, float) for value in exact):
        shown = [100 * float(value) for value in exact]  # type: ignore[arg-type]
        series.insert(0, Curve("exact law", place, shown, marked=True))
    return Plot(
        "Which layers carry the kernel",
        f"{largest(shares)} Bars are one standard error over seeds; no limit is set on shares.",
        "layer, counted from the input",
        "share of E K (%)",
        series,
        from_zero=True,
        x_ticks=[float(p) for p in place] if len(place) <= 20 else None,
    )
