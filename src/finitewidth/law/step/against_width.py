"""The figure of a step: both parts of the mean against the width."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from finitewidth._shapes import Float
from finitewidth.estimate import Estimate
from finitewidth.law.crossing import known
from finitewidth.law.exact_law import ExactLaw
from finitewidth.network import MLP, Widths
from finitewidth.network.words import in_words
from finitewidth.report import Curve, Plot, Points
from finitewidth.statistics.blocks import Progress

NARROWEST = 8
WORK = 3e7
"""Networks times parameters that one simulated point may take: about a second."""

ENOUGH = 0.05
"""Relative error of a simulated crossing term that is aimed at."""

FEWEST = 200
"""Networks below which no point is simulated."""

Simulated = Callable[
    [MLP, Float[np.ndarray, " n_in"], float, float, int, int], tuple[Estimate, Estimate]
]
"""Called with (net, x, target, learning rate, size, seed): the mean change of K by crossings and
with the pattern frozen, per unit of learning rate, in steps of `size` networks. That of
`fw.simulate.step_means`."""


def against_width(
    law: ExactLaw,
    rate: float,
    target: float,
    seed: int,
    simulated: Simulated | None = None,
    progress: Progress | None = None,
) -> Plot | None:
    """|E ΔK|/λ by crossings and with the pattern frozen, in networks of one width and this depth.

    Parameters
    ----------
    law : ExactLaw
        Its depth, input and other fields are kept; widths from a quarter of its widest layer to
        sixteen times that, as far as the crossing term is known there.
    rate, target : float
        λ, at which the points are simulated, and t.
    seed : int
        Of the points and of the conditional Monte Carlo.
    simulated : callable, optional
        What draws the points; none are drawn without it.
    progress : callable, optional
        Called with (widths done, widths in all).

    Returns
    -------
    Plot or None
        None where no crossing changes K, which a logarithmic axis cannot show.
    """
    widest = max(width for width, _ in law.net.runs)
    wanted = sorted({max(NARROWEST, round(widest * 2.0**power)) for power in range(-2, 5)})
    laws = [one for width in wanted if (one := _of_width(law, width, target)) is not None]
    widths = [one.net.runs[0][0] for one in laws]
    frozen = [-one.update_mean(1.0) for one in laws]
    crossing = [-float(one.crossing_mean(1.0, target, seed=seed).value) for one in laws]
    if not all(crossing):
        return None
    x = np.array(widths, dtype=float)
    series: list[Curve | Points] = [
        Curve("crossing term", x, crossing),
        Curve("pattern frozen (exact)", x, frozen),
        Curve("slope −1/2", x, crossing[-1] * (x / x[-1]) ** -0.5),
        Curve("slope −1", x, frozen[-1] * (x / x[-1]) ** -1.0),
    ]
    seen = []
    for done, one in enumerate(laws):
        pair = None if simulated is None else _seen(one, rate, target, seed, simulated)
        seen += [(widths[done], *pair)] if pair else []
        if progress is not None:
            progress(done + 1, len(laws))
    for label, place in (("crossings, simulated", 1), ("frozen, simulated", 2)):
        # a logarithmic axis has no place for a mean whose sign is not resolved
        good = [(row[0], row[place]) for row in seen if row[place].value > row[place].std_error]
        if good:
            series.append(Points.of(label, [w for w, _ in good], [one for _, one in good]))
    sizes = ", ".join(f"{row[1].size} at width {row[0]}" for row in seen) or "none"
    points = (
        f" Points: steps of λ = {rate:g} of dense networks ({sizes}), one standard error; hollow "
        "beyond the linear range."
    )
    return Plot(
        title="The first step against the width",
        sentence=(
            f"Mean change of K per unit of learning rate, t = {target:g}, in networks of equal "
            f"widths with the depth and input of {in_words(law.net)}."
            + ("" if simulated is None else points)
        ),
        x_label="width n",
        y_label="−E ΔK / λ",
        series=series,
        log_x=True,
        log_y=True,
        x_ticks=[float(width) for width in widths[:: 1 if len(widths) < 6 else 2]],
    )


def _of_width(law: ExactLaw, width: int, target: float) -> ExactLaw | None:
    """The law at another width, or None where it is too narrow for this target."""
    same = replace(law.net, widths=Widths([(width, len(law.net.widths))]))
    try:
        known.check_target(same, target)
    except ValueError:
        return None
    return ExactLaw(same, power_sums=(float(law.squared_norm),))


def _seen(
    law: ExactLaw, rate: float, target: float, seed: int, simulated: Simulated
) -> tuple[Estimate, Estimate] | None:
    """−(crossing term)/λ and −(frozen derivative), by steps on the same networks."""
    net = law.net
    parameters = sum(layer.fan_in * layer.fan_out for layer in net.layers())
    term = law.crossing_mean(rate, target, seed=seed)
    jumps = law.step_variance(rate, target, seed=seed).jumps
    size = int(min(jumps / (ENOUGH * float(term.value)) ** 2 + FEWEST, WORK / parameters))
    if size < FEWEST:
        return None
    x = np.full(net.n_in, (float(law.squared_norm) / net.n_in) ** 0.5)
    crossing, frozen = simulated(net, x, target, rate, size, seed)
    inside = rate <= term.largest_rate
    note = "" if inside else f"λ = {rate:g} is beyond the linear range"
    return (
        replace(crossing, value=-crossing.value, trusted=inside, note=note),
        replace(frozen, value=-frozen.value),
    )
