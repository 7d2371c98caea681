"""The figures of a sweep: randomness and movement on logarithmic axes, with their thresholds."""

from collections.abc import Sequence
from math import exp

import numpy as np

from finitewidth.cli.check_tables import PASSED, agreement
from finitewidth.cli.check_view import Setting
from finitewidth.estimate import Estimate
from finitewidth.report import Curve, Plot, Points
from finitewidth.verdict import Row, regimes
from finitewidth.verdict.along import QUANTITIES, less_one
from finitewidth.verdict.sweep import Sweep


def plots(sweep: Sweep, setting: Setting) -> list[Plot]:
    """In the order of the page; what was not measured or is nowhere above 0 is left out."""
    random = {"sd of ln K = 0.5 (log-normal)": exp(regimes.RANDOM**2) - 1}
    if setting.max_dispersion is not None:
        random[f"limit {setting.max_dispersion:g}"] = setting.max_dispersion - 1
    change = {}
    if setting.max_kernel_change is not None:
        change[f"limit {setting.max_kernel_change:g}"] = setting.max_kernel_change
    found = [
        _against(
            sweep,
            "dispersion",
            "Randomness between seeds",
            "E K²/(E K)² − 1, the variance of the kernel over its squared mean; above the line of "
            "0.5 a kernel is strongly random.",
            random,
        ),
        _law(sweep),
        _against(
            sweep,
            "kernel_change",
            "One step",
            "The kernel's relative change in one SGD step.",
            change,
        ),
        _against(
            sweep,
            "movement",
            "Where the descent takes the kernel",
            "How far the kernel moves while the loss falls by a factor e.",
            {"1 %, below it frozen": regimes.MOVES, "10 %, above it features": regimes.LEARNS},
        ),
    ]
    return [plot for plot in found if plot is not None]


def rows(sweep: Sweep, quantity: str) -> list[tuple[int, Row]]:
    """A row of every table that has it, with its value."""
    pairs = zip(sweep.values, sweep.checks, strict=True)
    return [(value, row) for value, one in pairs for row in one.table if row.name == quantity]


def _law(sweep: Sweep) -> Plot | None:
    """The dispersion at the first input, which the exact law knows."""
    found = [(v, row) for v, row in rows(sweep, "dispersion_first_input")]
    measured = [(v, less_one(row.measured)) for v, row in found]
    above = [(v, one) for v, one in measured if float(one.value) > 0]
    if len(found) < 2 or not above:
        return None
    exact = [float(getattr(row.theory, "value", row.theory)) - 1.0 for _, row in found]  # type: ignore[arg-type]
    told = agreement([row for _, row in found]) or "No error here is trusted enough for a z."
    values = [v for v, _ in found]
    return Plot(
        f"Randomness at the first input against {sweep.argument}, beside the exact law",
        f"E K²/(E K)² − 1 at one input, where its exact law is known. {told}",
        sweep.argument,
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
    sweep: Sweep, quantity: str, title: str, what: str, lines: dict[str, float]
) -> Plot | None:
    """Measured numbers, their fitted power and horizontal lines."""
    values, estimates = sweep.series(quantity)
    shown = [(v, one) for v, one in zip(values, estimates, strict=True) if float(one.value) > 0]
    if not shown:
        return None
    at, positive = [v for v, _ in shown], [one for _, one in shown]
    series: list[Curve | Points] = [Points.of("measured", at, positive)]
    power, told = sweep.power(quantity), ""
    if power is not None:
        series.append(_line(at, positive, float(power.value)))
        told = f" It goes like {sweep.argument} to the power {power}."
    series += [Curve(label, [at[0], at[-1]], [value, value]) for label, value in lines.items()]
    left_out = len(values) - len(shown)
    if left_out:
        told += f" {left_out} of {len(values)} numbers are not above 0 and not shown."
    return Plot(
        f"{title} against {sweep.argument}",
        f"{what}{told} {_judged(sweep, quantity)}",
        sweep.argument,
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


def _judged(sweep: Sweep, quantity: str) -> str:
    """Whether the limit on a quantity is kept; of the movement, the verdicts."""
    if quantity == "movement":
        pairs = zip(sweep.values, sweep.checks, strict=True)
        return f"Verdicts: {', '.join(f'{v} {one.verdict}' for v, one in pairs)}."
    passed = [row.passed for _, row in rows(sweep, quantity)]
    if any(one is None for one in passed):
        return "No limit is set."
    return f"The limit: {PASSED[all(passed)]}."
