"""`Plot`: a figure of finished results."""

from typing import TYPE_CHECKING

from finitewidth.report import drawing
from finitewidth.report.axes import Axes
from finitewidth.report.drawn import Drawn

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Plot(Axes, Drawn):
    """One pair of axes, drawn; parameters as of `Axes`."""

    def draw(self) -> "Figure":
        """As of `Drawn`."""
        return drawing.draw(self)
