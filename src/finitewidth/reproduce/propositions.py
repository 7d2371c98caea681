"""What Propositions 3 to 5 of Hanin & Nica (2020) share: parts of K, up to a constant."""

from collections.abc import Callable, Mapping, Sequence

from finitewidth.estimate import Estimate
from finitewidth.report import Table
from finitewidth.reproduce import open_constants
from finitewidth.reproduce.compare import Comparison, all_numbers
from finitewidth.reproduce.networks import SETTING, SOURCE, Drawn
from finitewidth.reproduce.ratio_figure import ratio_figures
from finitewidth.reproduce.result import Number, Reproduction


def proposition(
    number: int,
    about: str,
    sentence: str,
    comparisons: Sequence[Comparison],
    simulated: Mapping[str, Callable[[Drawn], Estimate]],
    *,
    quick: bool,
    seed: int,
    further: Sequence[Table] = (),
    numbers: Mapping[str, Number] | None = None,
) -> Reproduction:
    """The proposition's tables, the constants that it leaves open, and their figures.

    Parameters
    ----------
    number, about : int, str
        Of the proposition.
    sentence : str
        What is to be concluded.
    comparisons : sequence of Comparison
    simulated : mapping of str to callable
        Estimates of what stands in ≃, by name of the form in `finitewidth.law.paper.forms`.
    quick, seed : bool, int
        As of `finitewidth.reproduce.reproduce`.
    further, numbers : optional
        Tables and numbers besides.
    """
    quantities = tuple(simulated)
    return Reproduction(
        f"proposition{number}",
        f"Proposition {number} of Hanin & Nica (2020): {about}",
        SOURCE,
        f"{SETTING} Δ on ½N² per unit of rate, activation pattern frozen.",
        [sentence],
        [
            *(one.table() for one in comparisons),
            *further,
            open_constants.table(quantities, quick),
        ],
        ratio_figures(simulated, quick, seed),
        {
            **all_numbers(comparisons),
            **open_constants.constants(quantities, quick),
            **(numbers or {}),
        },
        seed,
        main=2,
    )
