"""The figure of the propositions: value over form against d/n, by theory and by simulation."""

from collections.abc import Callable, Mapping

from finitewidth.estimate import Estimate
from finitewidth.network import MLP
from finitewidth.report import Curve, Plot, Points
from finitewidth.reproduce.compare import scalar
from finitewidth.reproduce.networks import Drawn
from finitewidth.reproduce.open_constants import EXACT, law_at, over_form

NARROW, WIDE = 20, 1000
DEPTHS = [2, 4, 6, 8]


def ratio_figures(
    simulated: Mapping[str, Callable[[Drawn], Estimate]], quick: bool, seed: int
) -> list[Plot]:
    """For every quantity, exact over form at two widths and simulated over form at the narrow one.

    Parameters
    ----------
    simulated : mapping of str to callable
        Estimates by name of the form in `finitewidth.law.paper.forms`.
    quick : bool
        Fewer networks.
    seed : int
        Of the networks.
    """
    size = 300 if quick else 40_000
    drawn = [Drawn(MLP.equal_width(4, NARROW, depth - 1), size, seed) for depth in DEPTHS]
    return [
        _figure(name, [(one, estimate(one)) for one in drawn])
        for name, estimate in simulated.items()
    ]


def _figure(name: str, found: list[tuple[Drawn, Estimate]]) -> Plot:
    symbol = EXACT[name][0]
    curves = []
    for width in (NARROW, WIDE):
        step = 1 if width == NARROW else width // 20
        ratios = [depth / width for depth in range(2 * width // NARROW, width // 2 + 1, step)]
        values = [over_form(law_at(ratio, width), name) for ratio in ratios]
        curves.append(Curve(f"exact, n = {width}", ratios, values))
    return Plot(
        title=f"{symbol} over the paper's form",
        sentence=(
            "≃ says that value over form, as corrected, stays between two constants. |x|² = n_0. "
            f"Points are {found[0][0].size} networks each, one standard error; hollow where few "
            "networks carry the average, which is then likely too small."
        ),
        x_label="d/n",
        y_label=f"{symbol} over its form",
        series=[
            *curves,
            Points.of(
                f"simulated, n = {NARROW}",
                [depth / NARROW for depth in DEPTHS],
                [scalar(estimate, over=drawn.form(name)) for drawn, estimate in found],
            ),
        ],
        from_zero=True,
        x_ticks=[0.1, 0.2, 0.3, 0.4, 0.5],
    )
