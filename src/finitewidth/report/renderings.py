"""A laid-out table for the terminal, as Markdown and as HTML.

Text comes from the user: nothing in it is read as markup.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from finitewidth.report.layout import Layout

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

ROOMY, TIGHT = 3, 2
"""Blanks between two columns, and where there is no room for them."""


@dataclass(frozen=True)
class TerminalTable:
    """A rich renderable: the table, its caption, the meanings of the columns, the footnotes.

    No number and no word is broken over lines. Where the terminal is too narrow, the last columns
    that hold numbers are left out, then the last of the others, and a line says which; of the first
    one alone words are broken, unless they hold digits.

    Attributes
    ----------
    layout : Layout
    brief : bool
        Whether the meanings are left out.
    """

    layout: Layout
    brief: bool = False

    def __rich_console__(
        self, console: "Console", options: "ConsoleOptions"
    ) -> "Iterator[RenderableType]":
        from rich import box
        from rich.padding import Padding
        from rich.table import Table
        from rich.text import Text

        layout = self.layout
        kept = _that_fit(layout, options.max_width)
        gaps, natural = len(kept) - 1, sum(_natural(layout, k) for k in kept)
        gap = ROOMY if natural + ROOMY * gaps <= options.max_width else TIGHT
        padding = (0, 1, 0, gap - TIGHT)  # and the box has one blank
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=padding)
        widths = _widths(layout, kept, options.max_width - gap * gaps)
        columns = [_column(layout, k) for k in kept]
        for k, width, (_, padded) in zip(kept, widths, columns, strict=True):
            right = layout.right[k]
            table.add_column(
                Text(layout.headings[k], justify="right" if right else "left"),
                justify="right" if right and not padded else "left",
                width=width,
                overflow="fold",
            )
        for row in zip(*(cells for cells, _ in columns), strict=True):
            table.add_row(*(Text(text) for text in row))
        yield Text(layout.title, style="bold")
        if kept:
            yield table
        below = [(layout.caption, "")] if layout.caption else []
        if not self.brief:
            below += [(f"{heading}: {meaning}", "dim") for heading, meaning in layout.meanings]
        below += [(f"[{mark}] {note}", "yellow") for mark, note in layout.notes]
        missing = [layout.headings[k] for k in range(len(layout.headings)) if k not in kept]
        if missing:
            below.append((f"No room for: {', '.join(missing)}.", "dim"))
        for text, look in below:
            yield Padding(Text(text, style=look), (0, 0, 0, 2), expand=False)


def _least(layout: Layout, k: int) -> int:
    """The narrowest column that breaks no number and no word."""
    from rich.cells import cell_len

    cells = _column(layout, k)[0]
    whole = cells if layout.right[k] else [word for text in cells for word in text.split()]
    words = [*whole, *layout.headings[k].split()]
    return max(map(cell_len, words), default=1)


def _natural(layout: Layout, k: int) -> int:
    """The column that breaks nothing."""
    from rich.cells import cell_len

    return max(map(cell_len, [*_column(layout, k)[0], layout.headings[k]]))


def _that_fit(layout: Layout, width: int) -> list[int]:
    """The columns that are shown: the first, and from the right those of numbers give way."""
    kept = list(range(len(layout.headings)))
    least = [_least(layout, k) for k in kept]
    giving_way = sorted(kept[1:], key=lambda k: (layout.right[k], k))
    if any(character.isdigit() for text in _column(layout, 0)[0] for character in text):
        giving_way.insert(0, 0)
    while giving_way and sum(least[k] for k in kept) + TIGHT * (len(kept) - 1) > width:
        kept.remove(giving_way.pop())
    return kept


def _widths(layout: Layout, kept: list[int], room: int) -> list[int]:
    """As wide as what they hold; where there is no room, the widest that can be broken give way."""
    least = [_least(layout, k) for k in kept]
    found = [_natural(layout, k) for k in kept]
    while sum(found) > room:
        spare = [place for place, width in enumerate(found) if width > least[place]]
        if not spare:
            break
        found[max(spare, key=lambda place: found[place])] -= 1
    return found


def _column(layout: Layout, k: int) -> tuple[list[str], bool]:
    """Cells of a column, and whether they are padded: marks hang to the right of the numbers, so
    that digits stay below each other.
    """  # noqa: D205
    cells = [row[k] for row in layout.rows]
    if not layout.right[k] or not any(mark for _, mark in cells):
        return [_marked(*cell) for cell in cells], False
    hang = max(len(_marked("", mark)) for _, mark in cells)
    width = max(*(len(text) for text, _ in cells), len(layout.headings[k]) - hang)
    return [_marked(text.rjust(width), mark) for text, mark in cells], True


def _marked(text: str, mark: str) -> str:
    return f"{text} [{mark}]" if mark else text


def markdown(layout: Layout) -> str:
    """GitHub-flavoured Markdown, ending in a newline."""
    clean = markdown_text

    def line(cells: Iterator[str]) -> str:
        return "| " + " | ".join(cells) + " |"

    lines = [f"**{clean(layout.title)}**", ""]
    lines.append(line(clean(heading) for heading in layout.headings))
    lines.append(line("---:" if right else ":---" for right in layout.right))
    lines += [line(clean(_marked(*cell)) for cell in row) for row in layout.rows]
    if layout.caption:
        lines += ["", clean(layout.caption)]
    if layout.meanings:
        lines += ["", *(f"- {clean(name)}: {clean(says)}" for name, says in layout.meanings)]
    if layout.notes:
        lines += ["", *(f"- {clean(f'[{mark}] {note}')}" for mark, note in layout.notes)]
    return "\n".join(lines) + "\n"


def markdown_text(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    text = " ".join(text.split())
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_|~\[\]])", r"\\\1", text)


def html(layout: Layout, prefix: str) -> str:
    """An HTML fragment; `prefix` makes the targets of the footnotes unique in their page."""
    align = ['class="number"' if right else 'class="text"' for right in layout.right]
    head = "".join(
        f'<th scope="col" {how}>{escape(heading)}</th>'
        for heading, how in zip(layout.headings, align, strict=True)
    )
    body = "\n".join(
        "<tr>"
        + "".join(
            f"<td {how}>{_html_cell(*cell, prefix)}</td>"
            for cell, how in zip(row, align, strict=True)
        )
        + "</tr>"
        for row in layout.rows
    )
    # The box takes the keyboard's focus, so that a wide table can be scrolled without a pointer.
    parts = [
        '<div class="table">',
        f"<h3>{escape(layout.title)}</h3>",
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(layout.title)}">',
        f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>",
        "</div>",
    ]
    if layout.caption:
        parts.append(f'<p class="caption">{escape(layout.caption)}</p>')
    if layout.meanings:
        terms = "".join(
            f"<div><dt>{escape(name)}</dt> <dd>{escape(says)}</dd></div>"
            for name, says in layout.meanings
        )
        parts.append(f'<dl class="meanings">{terms}</dl>')
    if layout.notes:
        items = "".join(
            f'<li id="{escape(prefix)}note-{mark}"><b>{mark}</b> {escape(note)}</li>'
            for mark, note in layout.notes
        )
        parts.append(f'<ul class="notes">{items}</ul>')
    return "\n".join([*parts, "</div>"])


def _html_cell(text: str, mark: str, prefix: str) -> str:
    if not mark:
        return escape(text)
    link = f'<a href="#{escape(prefix)}note-{mark}" title="not trusted">{mark}</a>'
    return f'<span class="untrusted">{escape(text)}</span><sup>{link}</sup>'
