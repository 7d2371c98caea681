"""A page on a terminal: no line wider than it, no trailing blanks, no text read as markup."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from finitewidth.report.bars import Bars
from finitewidth.report.content import Content
from finitewidth.report.tables import Table

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment


@dataclass(frozen=True)
class Terminal:
    """A page as a rich renderable.

    Attributes
    ----------
    page : Content
    verbose : bool
        Whether the sections of detail, headings and the meanings of columns are shown.
    """

    page: Content
    verbose: bool = False

    def __rich_console__(
        self, console: "Console", options: "ConsoleOptions"
    ) -> "Iterator[Segment]":
        for block in self._blocks(options.max_width):
            yield from stripped(block, console, options)

    def _blocks(self, width: int) -> "Iterator[RenderableType]":
        from rich.text import Text

        yield Text(self.page.title, style="bold")
        for text in self.page.lead:
            yield Text(text)
        for section in self.page.sections:
            if section.detail and not self.verbose:
                continue
            shown = [block for block in section.blocks if isinstance(block, str | Table | Bars)]
            if shown:
                yield Text("")
            if shown and self.verbose:
                yield Text(section.title, style="bold underline")
            for place, block in enumerate(shown):
                if place and not isinstance(block, str):
                    yield Text("")
                if isinstance(block, Table):
                    yield block.terminal(brief=not self.verbose)
                elif isinstance(block, Bars):
                    yield Text(block.title, style="bold")
                    yield Text("\n".join(block.lines(width)), no_wrap=True)
                else:
                    yield Text(block)


def stripped(
    block: "RenderableType", console: "Console", options: "ConsoleOptions"
) -> "Iterator[Segment]":
    """The lines of a renderable without the blanks at their ends."""
    from rich.segment import Segment

    for line in console.render_lines(block, options, pad=False):
        end = len(line)
        while end and not line[end - 1].text.strip():
            end -= 1
        yield from line[: max(end - 1, 0)]
        if end:
            last = line[end - 1]
            yield Segment(last.text.rstrip(), last.style, last.control)
        yield Segment.line()
