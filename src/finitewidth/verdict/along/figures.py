"""Figures along an argument: randomness and movement on logarithmic axes, with thresholds."""

from collections.abc import Sequence
from math import exp

import numpy as np

from finitewidth.estimate import Estimate
from finitewidth.report import Curve, Plot, Points
from finitewidth.verdict import regimes
from finitewidth.verdict.along.powers import QUANTITIES, less_one
from finitewidth.verdict.along.values import Along
from finitewidth.verdict.page.tables import WORST, agreement


def plots(along: Along) -> list[Plot]:
    """In the order of the page; what was not measured or is nowhere above 0 is left out."""
    setting = along.checks[0].setting
    random = {f"sd of ln K = {regimes.RANDOM:g} (log-normal)": exp(regimes.RANDOM**2) - 1}
    if setting.max_dispersion is not None:
        random[f"limit {setting.max_dispersion:g}"] = setting.max_dispersion - 1
    change = {}
    if setting.max_kernel_change is not None:
        change[f"limit {setting.max_kernel_change:g}"] = setting.max_kernel_change
    found = [
        _against(
            along,
            "dispersion",
            "Randomness between seeds",
            "E K²/(E K)² − 1, the variance of the kernel over its squared mean; above the line of "
            f"{regimes.RANDOM:g} a kernel is strongly random.",
            random,
        ),
        _law(along),
        _against(
            along,
            "kernel_change",
            "One step",
            "The kernel's relative change in one SGD step.",
            change,
        ),
        _against(
            along,
            "movement",
            "Where the descent takes the kernel",
            "How far the kernel moves while the loss falls by a factor e.",
            {"1 %, below it frozen": regimes.MOVES, "10 %, above it features": regimes.LEARNS},
        ),
    ]
    return [plot for plot in found if plot is not None]


def _law(along: Along) -> Plot | None:
    """The dispersion at the first input, which the exact law knows."""
    found = along.rows("dispersion_first_input")
    measured = [(v, less_one(row.measured)) for v, row in found]
    above = [(v, one) for v, one in measured if float(one.value) > 0]
    if len(found) < 2 or not above:
        return None
    exact = [float(getattr(row.theory, "value", row.theory)) - 1.0 for _, row in found]  # type: ignore[arg-type]
    told = agreement([row for _, row in found]) or "No error here is trusted enough for a z."
    values = [v for v, _ in found]
    return Plot(
        f"Randomness at the first input against {along.argument}, beside the exact law",
        f"E K²/(E K)² − 1 at one input, where its exact law is known. {told}",
        along.argument,
        "E K²/(E K)² − 1 at the first input",
        [
            Curve("exact law", values, exact, marked=True),
            Points.of("measured", [v for v, _ in above], [one for _, one in above]),
        ],
        log_x=True,
        log_y=True,
        x_ticks=[float(v) for v in values],
    )


def _against(
    along: Along, quantity: str, title: str, what: str, lines: dict[str, float]
) -> Plot | None:
    """Measured numbers, their fitted power and horizontal lines."""
    values, estimates = along.series(quantity)
    shown = [(v, one) for v, one in zip(values, estimates, strict=True) if float(one.value) > 0]
    if not shown:
        return None
    at, positive = [v for v, _ in shown], [one for _, one in shown]
    series: list[Curve | Points] = [Points.of("measured", at, positive)]
    power, told = along.power(quantity), ""
    if power is not None:
        series.append(_line(at, positive, float(power.value)))
        told = f" It goes like {along.argument} to the power {power}."
    series += [Curve(label, [at[0], at[-1]], [value, value]) for label, value in lines.items()]
    left_out = len(values) - len(shown)
    if left_out:
        told += f" {left_out} of {len(values)} numbers are not above 0 and not shown."
    return Plot(
        f"{title} against {along.argument}",
        f"{what}{told} {_judged(along, quantity)}",
        along.argument,
        QUANTITIES[quantity],
        series,
        log_x=True,
        log_y=True,
        x_ticks=[float(v) for v in at],
    )


def _line(at: Sequence[int], estimates: Sequence[Estimate], slope: float) -> Curve:
    """The fitted power through its points."""
    logs = np.log([float(one.value) for one in estimates]) - slope * np.log(at)
    weight = [(float(e.value) / max(float(e.std_error), 1e-300)) ** 2 for e in estimates]
    level = float(np.average(logs, weights=weight))
    return Curve(f"fitted power {slope:.2f}", at, np.exp(level + slope * np.log(at)))


def _judged(along: Along, quantity: str) -> str:
    """Whether the limit on a quantity is kept; of the movement, the verdicts."""
    if quantity == "movement":
        return f"Verdicts: {', '.join(f'{v} {one.verdict}' for v, one in along)}."
    outcomes = [row.outcome for _, row in along.rows(quantity)]
    if not all(outcomes):
        return "No limit is set."
    return f"The limit: {next(word for word in WORST if word in outcomes)}."
