"""The figure of `finitewidth step`: both parts of the first step against the width."""

from dataclasses import replace

import numpy as np

from finitewidth import simulate
from finitewidth.cli.results import in_words
from finitewidth.estimate import Estimate
from finitewidth.law.exact_law import ExactLaw
from finitewidth.network import Widths
from finitewidth.report import Curve, Plot, Points
from finitewidth.statistics.blocks import Progress

NARROWEST = 8
WORK = 3e7
"""Networks times parameters that one simulated point may take: about a second."""

ENOUGH = 0.05
"""Relative error of a simulated crossing term that is aimed at."""


def split_plot(
    law: ExactLaw, rate: float, target: float, seed: int, progress: Progress | None = None
) -> Plot:
    """|E ΔK|/λ by crossings and with the pattern frozen, in networks of one width and this depth.

    Parameters
    ----------
    law : ExactLaw
        Its depth, input and other fields are kept; widths from a quarter of its widest layer to
        sixteen times that.
    rate, target : float
        λ, at which the points are simulated, and t.
    seed : int
        Of the points and of the conditional Monte Carlo.
    progress : callable, optional
        Called with (widths done, widths in all).
    """
    widest = max(width for width, _ in law.net.runs)
    widths = sorted({max(NARROWEST, round(widest * 2.0**power)) for power in range(-2, 5)})
    laws = [_of_width(law, width) for width in widths]
    frozen = [-one.update_mean(1.0) for one in laws]
    crossing = [-float(one.crossing_mean(1.0, target, seed=seed).value) for one in laws]
    x = np.array(widths, dtype=float)
    series: list[Curve | Points] = [
        Curve("crossing term", x, crossing),
        Curve("pattern frozen (exact)", x, frozen),
        Curve("slope −1/2", x, crossing[-1] * (x / x[-1]) ** -0.5),
        Curve("slope −1", x, frozen[-1] * (x / x[-1]) ** -1.0),
    ]
    found = []
    for done, one in enumerate(laws):
        seen = _seen(one, rate, target, seed)
        found += [(widths[done], *seen)] if seen else []
        if progress is not None:
            progress(done + 1, len(laws))
    for label, place in (("crossings, simulated", 1), ("frozen, simulated", 2)):
        # a logarithmic axis has no place for a mean whose sign is not resolved
        good = [(row[0], row[place]) for row in found if row[place].value > row[place].std_error]
        if good:
            series.append(Points.of(label, [w for w, _ in good], [one for _, one in good]))
    sizes = ", ".join(f"{row[1].size} at width {row[0]}" for row in found) or "none"
    return Plot(
        title="The first step against the width",
        sentence=(
            f"Mean change of K per unit of learning rate, t = {target:g}, in networks of equal "
            f"widths with the depth and input of {in_words(law.net)}. Points: steps of λ = "
            f"{rate:g} of dense networks ({sizes}), one standard error; hollow beyond the linear "
            "range."
        ),
        x_label="width n",
        y_label="−E ΔK / λ",
        series=series,
        log_x=True,
        log_y=True,
        x_ticks=[float(width) for width in widths[:: 1 if len(widths) < 6 else 2]],
    )


def _of_width(law: ExactLaw, width: int) -> ExactLaw:
    same = replace(law.net, widths=Widths([(width, len(law.net.widths))]))
    return ExactLaw(same, power_sums=(float(law.squared_norm),))


def _seen(law: ExactLaw, rate: float, target: float, seed: int) -> tuple[Estimate, Estimate] | None:
    """−(crossing term)/λ and −(frozen derivative), by steps on the same networks."""
    net = law.net
    parameters = sum(layer.fan_in * layer.fan_out for layer in net.layers())
    term = law.crossing_mean(rate, target, seed=seed)
    if term.value == 0.0:
        return None
    jumps = law.step_variance(rate, target, seed=seed).jumps
    size = int(min(jumps / (ENOUGH * float(term.value)) ** 2 + 200, WORK / parameters))
    if size < 200:
        return None
    x = np.full(net.n_in, (float(law.squared_norm) / net.n_in) ** 0.5)
    real, kept = (
        simulate.first_step(net, x, target, rate, size=size, seed=seed, pattern=pattern)
        for pattern in ("real", "frozen")
    )
    pairs = [(real.after - kept.after, rate <= term.largest_rate), (real.first_order, True)]
    found = []
    for change, inside in pairs:
        values = -np.ravel(change) / rate
        note = "" if inside else f"λ = {rate:g} is beyond the linear range"
        error = float(values.std(ddof=1)) / size**0.5
        found.append(Estimate(float(values.mean()), error, size, "dense", False, inside, note))
    return found[0], found[1]
