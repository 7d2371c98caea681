"""`Drawn`: what every kind of figure can do once it knows how to draw itself."""

from abc import ABC, abstractmethod
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from finitewidth._files import writing
from finitewidth.report.inline import inline
from finitewidth.report.style import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".png", ".svg")


class Drawn(ABC):
    """A figure with a heading and a sentence; subclasses write `draw`.

    Attributes
    ----------
    title : str
        Its heading on a page.
    sentence : str
        What it shows and what to conclude; stands beside it on a page.
    """

    title: str
    sentence: str

    @abstractmethod
    def draw(self) -> "Figure":
        """The matplotlib figure; called within `style.style`, which also imports matplotlib."""

    def figure(self) -> "Figure":
        """The matplotlib figure, drawn afresh, of no pyplot state.

        Raises
        ------
        RuntimeError
            If matplotlib is not installed.
        """
        with style():
            return self.draw()

    def svg(self, prefix: str = "") -> str:
        """An ``<svg>`` element for an HTML page; the same bytes in every run.

        Parameters
        ----------
        prefix : str
            Put before every id, so that several figures can share a page.
        """
        buffer = StringIO()
        with style():
            self.draw().savefig(buffer, format="svg", metadata=_no_metadata("svg"))
        return inline(buffer.getvalue(), prefix, self.title)

    def save(self, path: str | Path) -> Path:
        """Write a PNG or SVG file, by the ending of `path`, and return the path.

        Raises
        ------
        ValueError
            For another ending.
        """
        path = Path(path)
        if path.suffix not in FORMATS:
            raise ValueError(f"path is {str(path)!r}, expected a name ending in .png or .svg.")
        kind = path.suffix[1:]
        with style(), writing(path):
            self.draw().savefig(path, format=kind, metadata=_no_metadata(kind))
        return path


def _no_metadata(kind: str) -> dict[str, None]:
    """Dates and program versions would make the bytes differ from run to run."""
    if kind == "png":
        return {"Software": None}
    return {"Creator": None, "Date": None, "Format": None, "Type": None}
