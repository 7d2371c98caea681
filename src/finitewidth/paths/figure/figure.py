"""`PathFigure`: four paths through a network, as in Figures 1 and 2 of Hanin & Nica (2020)."""

from typing import TYPE_CHECKING

from finitewidth.paths.figure import drawing
from finitewidth.paths.figure.strands import Strands
from finitewidth.report.drawn import Drawn

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class PathFigure(Strands, Drawn):
    """Paths through a network, drawn; parameters as of `Strands`."""

    def draw(self) -> "Figure":
        """As of `Drawn`."""
        return drawing.draw(self)
