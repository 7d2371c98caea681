"""`Page`: text, tables and figures as one HTML file that needs nothing else."""

import platform
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from finitewidth._version import __version__
from finitewidth.report import markdown
from finitewidth.report.extras import needed_for
from finitewidth.report.panels import Panels
from finitewidth.report.plot import Plot
from finitewidth.report.tables import Table

if TYPE_CHECKING:
    from markupsafe import Markup

CONTENTS_FROM = 4
"""A page with so many sections opens with a list of them."""

Block = str | Table | Plot | Panels
"""A paragraph, a table or a figure."""


LONGEST = 24
"""Letters of a formula that is kept on one line."""


def tied(text: str) -> "Markup":
    """Escaped text whose short formulas do not break over lines: ``L = 1``, ``E K``, ``|x|²``."""
    from markupsafe import Markup, escape

    text = re.sub(r" ([=<>≤≥≈→×]) ", "\u00a0\\1\u00a0", " ".join(text.split()))
    text = re.sub(r"\b(E|Var) (?=[A-ZΔ])", "\\1\u00a0", text)
    return Markup(" ").join(
        escape(word)
        if word.isascii() or len(word) > LONGEST
        else Markup('<span class="tied">{}</span>').format(word)
        for word in text.split(" ")
    )


@dataclass(frozen=True)
class Provenance:
    """Where a page's numbers come from; its footer.

    Attributes
    ----------
    seed : int or None
        Seed of the random numbers, None where there are none.
    version, python, numpy : str
        Versions of this package, Python and NumPy.
    date : str
        When, as text.
    more : mapping of str to str
        Further lines, e.g. the data set and its version.
    """

    seed: int | None
    version: str
    python: str
    numpy: str
    date: str
    more: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def now(cls, seed: int | None, **more: str) -> "Provenance":
        """That of this process at this moment."""
        date = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        return cls(seed, __version__, platform.python_version(), np.__version__, date, more)

    def lines(self) -> list[tuple[str, str]]:
        """Name and value of every line."""
        return [
            ("finitewidth", self.version),
            ("date", self.date),
            ("Python", self.python),
            ("NumPy", self.numpy),
            ("seed", "none: no random numbers" if self.seed is None else str(self.seed)),
            *self.more.items(),
        ]


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it.

    Attributes
    ----------
    title : str
        The heading.
    blocks : sequence of str, Table, Plot or Panels
        Paragraphs of plain text, tables and figures, in this order.
    """

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Page:
    """One self-contained HTML file.

    Parameters
    ----------
    title : str
        Heading and window title.
    lead : sequence of str
        Opening paragraphs: the question, and the answer.
    sections : sequence of Section
        The rest.
    provenance : Provenance
        The footer.

    Raises
    ------
    TypeError
        For a block that is neither text nor a table nor a figure.
    """

    title: str
    lead: Sequence[str]
    sections: Sequence[Section]
    provenance: Provenance

    def __post_init__(self) -> None:
        for name, texts in (
            ("lead", self.lead),
            *((f"section {s.title!r}", s.blocks) for s in self.sections),
        ):
            if isinstance(texts, str):
                raise TypeError(f"{name} is a text, expected a list of them: [{texts[:20]!r}…].")
            allowed = str if name == "lead" else Block
            for one in texts:
                if not isinstance(one, allowed):
                    raise TypeError(
                        f"{name} holds a {type(one).__name__}, expected "
                        f"{'text' if name == 'lead' else 'text, Table, Plot or Panels'}."
                    )

    def html(self) -> str:
        """The file's text: styles and figures inside, nothing fetched.

        Its one script sorts tables by a click on a heading; the page says its hash, so that a
        browser runs no other.

        Raises
        ------
        RuntimeError
            If jinja2 is not installed, or matplotlib is not and there is a figure.
        """
        with needed_for("HTML reports"):
            from jinja2 import Environment, PackageLoader, StrictUndefined
            from markupsafe import Markup

        def rendered(block: Block, place: str) -> dict[str, object]:
            if isinstance(block, Table):
                return {"kind": "table", "html": Markup(block.html(f"{place}-"))}
            if isinstance(block, Plot | Panels):
                return {"kind": "figure", "plot": block, "svg": Markup(block.svg(f"{place}-"))}
            return {"kind": "text", "text": block}

        environment = Environment(
            loader=PackageLoader("finitewidth.report"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.filters["tied"] = tied
        style = environment.get_template("page.css").render()
        script = environment.get_template("sort.js").render()
        digest = b64encode(sha256(script.encode()).digest()).decode()
        sections = [
            {
                "id": f"s{s}",
                "title": section.title,
                "blocks": [
                    rendered(block, f"s{s}-{b}") for b, block in enumerate(section.blocks, start=1)
                ],
            }
            for s, section in enumerate(self.sections, start=1)
        ]
        return environment.get_template("page.html").render(
            title=self.title,
            lead=self.lead,
            style=Markup(style),
            script=Markup(script),
            script_hash=f"sha256-{digest}",
            sections=sections,
            contents=len(sections) >= CONTENTS_FROM,
            provenance=self.provenance.lines(),
        )

    def write(self, path: str | Path) -> Path:
        """Write the file, in an existing folder, and return its absolute path.

        Raises
        ------
        ValueError
            If the folder does not exist or the name does not end in .html.
        """
        path = Path(path).absolute()
        if path.suffix != ".html":
            raise ValueError(f"path is {str(path)!r}, expected a name ending in .html.")
        if not path.parent.is_dir():
            raise ValueError(f"the folder {str(path.parent)!r} does not exist; make it first.")
        path.write_text(self.html(), encoding="utf-8", newline="\n")
        return path

    def write_markdown(self, path: str | Path, figures: str = ".svg") -> list[Path]:
        """The same as Markdown; as `finitewidth.report.markdown.write`."""
        return markdown.write(self, path, figures)
