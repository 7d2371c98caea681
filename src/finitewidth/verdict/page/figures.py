"""The figures of a verdict, each with the sentence that says what it shows."""

import numpy as np

from finitewidth.cli.check_tables import PASSED, largest
from finitewidth.measure import Descent, DescentEnsemble
from finitewidth.report import Curve, Plot, Points
from finitewidth.verdict import Check, regimes


def plots(check: Check) -> list[Plot]:
    """In the order of the page."""
    found = [kernels(check)]
    descent = check.measured.descent
    if descent is not None:
        losses, moves = falls(descent), movements(check)
        found += [plot for plot in (losses, moves) if plot is not None]
    return [*found, layers(check)]


def row(check: Check, name: str):
    """A row of the table, None if it has none of that name."""
    return next((one for one in check.table if one.name == name), None)


def kernels(check: Check) -> Plot:
    """The mean diagonal of every seed, on a logarithmic axis."""
    start = check.measured.start
    seeds, values = start.seeds, start.diagonals
    middle = float(np.exp(np.log(values).mean()))
    factor = float(np.exp(regimes.RANDOM))
    ends = [min(seeds) - 0.5, max(seeds) + 0.5]
    series: list[Curve | Points] = [
        Points("one seed each", seeds, values, np.zeros(len(values))),
        Curve("their geometric mean", ends, [middle, middle]),
        Curve("a factor e^0.5 above", ends, [middle * factor, middle * factor]),
        Curve("a factor e^0.5 below", ends, [middle / factor, middle / factor]),
    ]
    mean = row(check, "mean")
    assert mean is not None
    if isinstance(mean.theory, float):
        series.append(Curve("E K, exact law", ends, [mean.theory, mean.theory]))
    spread = check.measured.log_spread
    side = regimes.compare(spread, regimes.RANDOM)
    told = {-1: "below", 0: "within two errors of", 1: "above"}[side]
    dispersion = row(check, "dispersion")
    assert dispersion is not None
    limit = "" if dispersion.passed is None else (
        f" The limit on the dispersion, which is {dispersion.measured}: "
        f"{PASSED[dispersion.passed]}."
    )  # fmt: skip
    return Plot(
        "The kernel at the start, seed by seed",
        f"The standard deviation of ln K over {len(values)} seeds is {spread}, {told} 0.5, from "
        "which on a kernel is called strongly random: then one in three seeds lies outside the "
        f"two lines around the middle.{limit}",
        "seed",
        "mean diagonal of K",
        series,
        log_y=True,
        x_ticks=whole(min(seeds), max(seeds)),
    )


def whole(low: int, high: int) -> list[float]:
    """A few whole numbers from `low` to `high`."""
    return [float(k) for k in range(low, high + 1, -(-(high - low + 1) // 8))]


def falls(descent: DescentEnsemble) -> Plot | None:
    """The loss of the fastest, the middle and the slowest seed."""
    fallen = [one for one in descent.descents if not one.diverged]
    others = [one for one in descent.descents if one.diverged and len(one.losses) > 1]
    ranked = sorted(fallen, key=lambda one: (len(one.losses), -one.folds))
    chosen: list[tuple[str, Descent]] = []
    if ranked:
        chosen = [("the fastest seed", ranked[0])]
        if len(ranked) > 2:
            chosen.append(("the middle one", ranked[len(ranked) // 2]))
        if len(ranked) > 1:
            chosen.append(("the slowest that falls", ranked[-1]))
    if others:
        chosen.append(("one that does not fall", others[0]))
    if not chosen:
        return None
    longest = max(len(one.losses) for _, one in chosen) - 1
    target = np.exp(-1.0)
    reached = sum(one.folds >= 1 for one in fallen)
    away = len(descent.descents) - len(fallen)
    count = len(descent.descents)
    if not away:
        rest = "it falls for every seed."
    else:
        most = away / count > regimes.DIVERGING
        rest = f"that of {away} does not fall, {'' if most else 'not '}most of them."
    return Plot(
        "The descent: loss on the batch",
        f"Full-batch gradient descent at the given rate: the loss of {reached} of {count} seeds "
        f"falls to 1/e within {int(descent.steps.max())} steps; {rest}",
        "step",
        "loss over loss at the start",
        [
            *(
                Curve(label, np.arange(len(one.losses)), one.losses / one.losses[0], marked=True)
                for label, one in chosen
            ),
            Curve("1/e, where a descent ends", [0, longest], [target, target]),
        ],
        log_y=True,
        x_ticks=whole(0, longest),
    )


def movements(check: Check) -> Plot | None:
    """How far the kernel of every seed went, and the thresholds."""
    measured = check.measured
    assert measured.descent is not None
    found = [
        one.moved / min(max(one.folds, 1e-12), 1e12)
        for one in measured.descent.descents
        if not one.diverged and one.moved
    ]
    estimate = measured.descent.movement
    if len(found) < 2 or estimate is None:
        return None
    ends = [0.5, len(found) + 2.5]
    return Plot(
        "Where the descent takes the kernel",
        f"‖K_T − K_0‖/‖K_0‖ over the factors of e that the loss fell, {estimate} on average: "
        f"{placed(float(estimate.value))}. Verdict: {check.verdict}.",
        "seeds whose loss falls, counted; right, their mean",
        "‖K_T − K_0‖/‖K_0‖ per factor e of the loss",
        [
            Points("one seed each", np.arange(1, len(found) + 1), found, np.zeros(len(found))),
            Points.of("mean and its standard error", [len(found) + 2], [estimate]),
            Curve("1 %, below it frozen", ends, [regimes.MOVES] * 2),
            Curve("10 %, above it feature learning", ends, [regimes.LEARNS] * 2),
        ],
        log_y=True,
        x_ticks=whole(1, len(found)),
    )


def placed(movement: float) -> str:
    """Where a movement lies between the thresholds."""
    if movement < regimes.MOVES:
        return "below the line of 1 %"
    return "above the line of 10 %" if movement > regimes.LEARNS else "between the two lines"


def layers(check: Check) -> Plot:
    """Shares of the mean diagonal."""
    place = np.arange(1, len(check.shares) + 1)
    exact = [one.theory for one in check.shares]
    series: list[Curve | Points] = [
        Points(
            "measured",
            place,
            [100 * float(one.measured.value) for one in check.shares],
            [100 * float(one.measured.std_error) for one in check.shares],
        )
    ]
    if all(isinstance(value, float) for value in exact):
        shown = [100 * float(value) for value in exact]  # type: ignore[arg-type]
        series.insert(0, Curve("exact law", place, shown, marked=True))
    return Plot(
        "Which layers carry the kernel",
        f"{largest(check.shares)} Bars are one standard error over seeds; no limit is set on "
        "shares.",
        "layer, counted from the input",
        "share of E K (%)",
        series,
        from_zero=True,
        x_ticks=[float(p) for p in place] if len(place) <= 20 else None,
    )
