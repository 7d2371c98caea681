"""What a page holds: title, sentences, sections of text, tables and figures, provenance."""

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from finitewidth._version import __version__
from finitewidth.report.bars import Bars
from finitewidth.report.drawn import Drawn
from finitewidth.report.record import Record
from finitewidth.report.tables import Table


@dataclass(frozen=True)
class Later:
    """A figure that costs something: computed when it is drawn, not when its page is made.

    Attributes
    ----------
    make : callable
        Returns the `Plot` or `Panels`, or None where there is nothing to draw.
    """

    make: Callable[[], Drawn | None]


Block = str | Table | Bars | Drawn | Later
"""A paragraph, a table, a histogram of the terminal or a figure."""


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
    blocks : sequence of str, Table, Bars, Plot, Panels or Later
        Paragraphs of plain text, tables, histograms of the terminal and figures, in this order.
    detail : bool
        Whether a terminal leaves it out unless it is asked to be verbose.
    """

    title: str
    blocks: Sequence[Block]
    detail: bool = False


@dataclass(frozen=True)
class Content:
    """A page's parts.

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
    numbers : Record or callable, optional
        For JSON; a callable is asked for them when they are needed.

    Raises
    ------
    TypeError
        For a block that is neither text nor a table nor a figure.
    """

    title: str
    lead: Sequence[str]
    sections: Sequence[Section]
    provenance: Provenance
    numbers: Record | Callable[[], Record] | None = None

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

    def drawings(self) -> list[Drawn]:
        """The figures, in the order of the page."""
        blocks = [block for section in self.sections for block in section.blocks]
        made = [block.make() if isinstance(block, Later) else block for block in blocks]
        return [one for one in made if isinstance(one, Drawn)]
