"""What Propositions 3 to 5 of Hanin & Nica (2020) share: moments up to a constant."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from finitewidth.estimate import Estimate
from finitewidth.report import Table
from finitewidth.reproduce import open_constants
from finitewidth.reproduce.compare import Comparison, Quantity, Steps, all_numbers
from finitewidth.reproduce.networks import SETTING, SOURCE, Drawn, nets, networks_of
from finitewidth.reproduce.ratio_figure import ratio_figures
from finitewidth.reproduce.result import Number, Progress, Reproduction


@dataclass(frozen=True)
class Statement:
    """A `Comparison` whose rows are one network each, by `row`."""

    key: str
    title: str
    caption: str
    row: Callable[[Drawn], Quantity]


def proposition(
    number: int,
    about: str,
    sentence: str,
    statements: Sequence[Statement],
    simulated: Mapping[str, Callable[[Drawn], Estimate]],
    *,
    quick: bool,
    seed: int,
    progress: Progress | None,
    further: Sequence[Table] = (),
    numbers: Mapping[str, Number] | None = None,
) -> Reproduction:
    """Its statements in random networks, the constants that they leave open, and their figures.

    `simulated` are estimates of what stands in ≃, by name of the form in
    `finitewidth.law.paper.forms`; `sentence` is what is to be concluded.
    """
    steps = Steps(progress, len(nets(quick)) + 1)
    rows: list[list[Quantity]] = [[] for _ in statements]
    for net in nets(quick):
        drawn = Drawn(net, networks_of(net, quick), seed)
        for one, statement in zip(rows, statements, strict=True):
            one.append(statement.row(drawn))
        steps.done()
    comparisons = [
        Comparison(statement.key, statement.title, statement.caption, one)
        for one, statement in zip(rows, statements, strict=True)
    ]
    plots = ratio_figures(simulated, quick, seed)
    steps.done()
    left = tuple(simulated)
    return Reproduction(
        f"proposition{number}",
        f"Proposition {number} of Hanin & Nica (2020): {about}",
        SOURCE,
        f"{SETTING} Δ on ½N² per unit of rate, activation pattern frozen.",
        [sentence],
        [*(one.table() for one in comparisons), *further, open_constants.table(left, quick)],
        plots,
        all_numbers(comparisons) | open_constants.constants(left, quick) | dict(numbers or {}),
        seed,
        main=2,
    )
