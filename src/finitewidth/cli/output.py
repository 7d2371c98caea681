"""The options of what is shown and written, and the one function that does it."""

import sys
from dataclasses import dataclass

import cyclopts

from finitewidth._extras import needed_for
from finitewidth._files import to_write
from finitewidth._large import allow_large
from finitewidth.cli.pipe import pipe_may_close
from finitewidth.report import Page, Shown
from finitewidth.report.drawn import FORMATS


@cyclopts.Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Output:
    """In which forms an answer is given."""

    json: bool = False
    """Print JSON."""
    markdown: bool = False
    """Print Markdown, for a pull request."""
    html: str | None = None
    """Also write a one-file report with figures: out.html."""
    verbose: bool = False
    """Print everything: details, legends, what the numbers mean."""
    yes: bool = False
    """Begin even what takes longer than five minutes, or has more than 100,000 cells."""

    def files(self) -> dict[str, str | None]:
        """What is written besides the printed answer."""
        return {"The report": self.html}

    def check(self) -> None:
        """Refuse what cannot be written, before anything is computed.

        Raises
        ------
        ValueError
            For options that contradict each other, another ending of a file, or a missing folder.
        RuntimeError
            If an extra is not installed.
        """
        allow_large(self.yes)
        if self.json and self.markdown:
            raise ValueError("--json and --markdown were both given; give one of them.")
        if self.html is not None:
            to_write(self.html, ".html", name="--html")
            with needed_for("HTML reports", "report"):
                import jinja2  # noqa: F401
                import matplotlib  # noqa: F401

    def write(self, page: Page) -> None:
        """The files."""
        if self.html is not None:
            page.html(self.html)

    def show(self, result: Shown) -> None:
        """Write the files that were asked for, and print the answer in one form."""
        page = result.page()
        self.write(page)
        with pipe_may_close():  # the command's exit code is the answer's all the same
            self._print(page)

    def _print(self, page: Page) -> None:
        if self.json:
            sys.stdout.write(page.to_json() + "\n")
            return
        if self.markdown:
            sys.stdout.write(page.markdown())
            return
        from rich.console import Console

        console = Console(highlight=False, markup=False, soft_wrap=False)
        console.print(page.terminal(self.verbose), end="")
        for what, name in self.files().items():
            if name is not None:
                sys.stdout.write(f"{what} is in {name}.\n")


@cyclopts.Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class FigureOutput(Output):
    """The same of an answer that has a figure."""

    plot: str | None = None
    """Also draw the figure: out.png or out.svg (the second one in out-2.png, and so on)."""

    def files(self) -> dict[str, str | None]:
        """As of `Output`, and the figure."""
        return super().files() | {"The figure": self.plot}

    def check(self) -> None:
        """As of `Output`, and whether the figure can be written."""
        super().check()
        if self.plot is not None:
            to_write(self.plot, *FORMATS, name="--plot")
            with needed_for("figures", "report"):
                import matplotlib  # noqa: F401

    def write(self, page: Page) -> None:
        """As of `Output`, and the figure."""
        super().write(page)
        if self.plot is not None:
            page.plot(self.plot)
