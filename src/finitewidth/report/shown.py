"""`Shown`: what makes a result print, render in a notebook, and write itself in every form."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from finitewidth._files import to_write, writing
from finitewidth.report import html, markdown
from finitewidth.report.content import Content
from finitewidth.report.drawn import FORMATS
from finitewidth.report.record import Record
from finitewidth.report.terminal import Terminal

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Shown(ABC):
    """A result that shows itself; subclasses write `page`."""

    @abstractmethod
    def page(self) -> "Page":
        """Title, sentences, tables, figures, provenance and numbers, each said once."""

    def __rich__(self) -> Terminal:
        return self.terminal()

    def terminal(self, verbose: bool = False) -> Terminal:
        """A rich renderable; verbose: with the sections of detail and the legends of tables."""
        return Terminal(self.page(), verbose)

    def _repr_html_(self) -> str:
        return html.fragment(self.page())

    def markdown(self, path: str | Path | None = None, figures: str = ".svg") -> str:
        """The result as Markdown.

        Parameters
        ----------
        path : str or path, optional
            FILE.md, to be written with its figures beside it, as FILE-1.svg and so on; without
            it figures are left out.
        figures : str
            ``".svg"`` or ``".png"``.

        Raises
        ------
        ValueError
            For another ending of either, or a folder that does not exist.
        """
        if path is None:
            return markdown.text(self.page())
        return markdown.write(self.page(), path, figures)[0].read_text(encoding="utf-8")

    def html(self, path: str | Path | None = None) -> str:
        """The result as one self-contained HTML file; `path`, FILE.html: where to write it.

        Raises
        ------
        ValueError
            For a name that does not end in .html, or a folder that does not exist.
        RuntimeError
            If jinja2 is not installed, or matplotlib is not and there is a figure.
        """
        target = None if path is None else to_write(path, ".html")
        document = html.document(self.page())
        if target is not None:
            with writing(target):
                target.write_text(document, encoding="utf-8", newline="\n")
        return document

    def record(self) -> Record:
        """Inputs and named results.

        Raises
        ------
        ValueError
            If the result has no numbers of its own.
        """
        found = self.page().numbers
        if found is None:
            raise ValueError(f"{type(self).__name__} has no numbers to be written as JSON.")
        return found if isinstance(found, Record) else found()

    def to_json(self) -> str:
        """The numbers as JSON: inputs, results, samples, seeds, network, version."""
        return self.record().to_json()

    def plot(self, path: str | Path | None = None) -> "Figure":
        """The first figure; `path`: FILE.png or FILE.svg, and FILE-2.png for the second one.

        Raises
        ------
        ValueError
            If there is no figure, for another ending, or a folder that does not exist.
        RuntimeError
            If matplotlib is not installed.
        """
        first = None if path is None else to_write(path, *FORMATS)
        drawings = self.page().drawings()
        if not drawings:
            raise ValueError(f"there is no figure of this {type(self).__name__}.")
        if first is not None:
            for place, drawn in enumerate(drawings, start=1):
                drawn.save(first if place == 1 else first.with_stem(f"{first.stem}-{place}"))
        return drawings[0].figure()


class Page(Content, Shown):
    """A page put together by hand shows itself like any result; parameters as of `Content`."""

    def page(self) -> "Page":
        """Itself."""
        return self
