"""`Table`: finished numbers with their errors, for the terminal, Markdown and HTML."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from finitewidth.estimate import Estimate
from finitewidth.report import renderings
from finitewidth.report.cells import Value
from finitewidth.report.layout import Column, Layout, lay_out


@dataclass(frozen=True)
class Table:
    """A table of finished results.

    An `Estimate` is shown as ``1.283(4)``; one that is not trusted carries a mark, and its note
    stands below the table. Columns of numbers are aligned to the right.

    Parameters
    ----------
    title : str
        Heading.
    columns : sequence of Column or str
        A plain name is a column with the usual settings.
    rows : sequence of sequences
        Cells: numbers, `Estimate` of one number each, text, or None where there is no number.
    caption : str
        One sentence that says how to read the table.

    Raises
    ------
    ValueError, TypeError
        For no columns, a row of another length, or a cell that cannot be shown (not finite, an
        array, another type); the sentence names the row and the column.
    """

    title: str
    columns: Sequence[Column | str]
    rows: Sequence[Sequence[Value]]
    caption: str = ""

    def __post_init__(self) -> None:
        if not self.columns or isinstance(self.columns, str):
            raise ValueError(
                f"table {self.title!r} has columns={self.columns!r}, expected at least one Column."
            )
        self.layout()

    def sorted(self, by: str, *, descending: bool = False) -> "Table":
        """The same table with its rows sorted by a column; empty cells come last.

        Parameters
        ----------
        by : str
            A column's name. An `Estimate` counts with its value; text is sorted as text.
        descending : bool

        Raises
        ------
        ValueError
            For a name that no column has, or a column of numbers and text.
        """
        names = [c.name if isinstance(c, Column) else c for c in self.columns]
        if by not in names:
            raise ValueError(
                f"there is no column {by!r} in {self.title!r}, expected one of {', '.join(names)}."
            )
        place = names.index(by)
        there = [row for row in self.rows if row[place] is not None]
        if len({isinstance(row[place], str) for row in there}) > 1:
            raise ValueError(
                f"column {by!r} of {self.title!r} holds numbers and text, which have no order."
            )
        there.sort(key=lambda row: _key(row[place]), reverse=descending)
        absent = [row for row in self.rows if row[place] is None]
        return replace(self, rows=[*there, *absent])

    def layout(self) -> Layout:
        """Cells as text, alignment and footnotes."""
        columns = [c if isinstance(c, Column) else Column(c) for c in self.columns]
        return lay_out(self.title, columns, self.rows, self.caption)

    def terminal(self, brief: bool = False) -> renderings.TerminalTable:
        """A rich renderable.

        Parameters
        ----------
        brief : bool
            Whether the meanings of the columns are left out.
        """
        return renderings.TerminalTable(self.layout(), brief)

    def __rich__(self) -> renderings.TerminalTable:
        return self.terminal()

    def markdown(self) -> str:
        """GitHub-flavoured Markdown, to be pasted into a pull request."""
        return renderings.markdown(self.layout())

    def html(self, prefix: str = "") -> str:
        """An HTML fragment without styles.

        Parameters
        ----------
        prefix : str
            Put before the ids of the footnotes, so that several tables can share a page.
        """
        return renderings.html(self.layout(), prefix)


def _key(value: Value) -> Any:
    return float(value.value) if isinstance(value, Estimate) else value
