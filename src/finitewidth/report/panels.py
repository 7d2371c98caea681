"""`Panels`: several plots of the same things, below one another in one file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from finitewidth.report import drawing
from finitewidth.report.drawn import Drawn
from finitewidth.report.plot import Plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Panels(Drawn):
    """Plots whose series are the same things, seen in several quantities; one legend for all.

    Parameters
    ----------
    title, sentence : str
        As of a `Plot`, for all of them.
    plots : sequence of Plot
        From top to bottom; the labels of their series agree, but the last series of the first
        panel may be missing below.

    Raises
    ------
    ValueError
        Without plots, a title or a sentence, or if the labels of the series differ.
    """

    title: str
    sentence: str
    plots: Sequence[Plot]

    def __post_init__(self) -> None:
        for name in ("title", "sentence", "plots"):
            if not getattr(self, name):
                raise ValueError(f"{name} of the panels {self.title!r} is empty; give one.")
        labels = [[one.label for one in plot.series] for plot in self.plots]
        for plot, found in zip(self.plots, labels, strict=True):
            if found != labels[0][: len(found)]:
                raise ValueError(
                    f"the series of {plot.title!r} are {found}, but the first panel has "
                    f"{labels[0]}; panels share one legend, so give the same labels."
                )

    def draw(self) -> "Figure":
        """As of `Drawn`."""
        return drawing.draw_panels(self.plots)
