"""How a table is laid out, whatever it is rendered as: cells, alignment, footnotes."""

from collections.abc import Sequence
from dataclasses import dataclass

from finitewidth.report.cells import Cell, Value, cell


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes
    ----------
    name : str
        Its heading.
    unit : str
        Shown in brackets behind the name, or empty.
    meaning : str
        What it holds, shown below the table, or empty.
    digits : int
        Significant digits of its numbers; those of an `Estimate` follow from its error.
    places : int, optional
        Decimals of its numbers, instead of `digits`.
    """

    name: str
    unit: str = ""
    meaning: str = ""
    digits: int = 4
    places: int | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("a column has no name; give it a heading.")
        if self.digits < 1 or (self.places is not None and self.places < 0):
            raise ValueError(
                f"column {self.name!r} has digits={self.digits} and places={self.places}, expected "
                "digits of 1 or more and places of 0 or more (or None)."
            )

    @property
    def heading(self) -> str:
        """Name and unit."""
        return f"{self.name} ({self.unit})" if self.unit else self.name


@dataclass(frozen=True)
class Layout:
    """A table ready to be rendered.

    Attributes
    ----------
    title, caption : str
        Above and below.
    headings : list of str
        One per column.
    right : list of bool
        Whether a column is aligned to the right, as columns of numbers are.
    rows : list of list of (str, str)
        Text and footnote mark (or empty) of every cell.
    meanings : list of (str, str)
        Heading and meaning of the columns that have one.
    notes : list of (str, str)
        Mark and sentence of every footnote.
    """

    title: str
    caption: str
    headings: list[str]
    right: list[bool]
    rows: list[list[tuple[str, str]]]
    meanings: list[tuple[str, str]]
    notes: list[tuple[str, str]]


def mark(place: int) -> str:
    """Mark of a footnote, counted from 0: a, b, …, z, aa, ab and so on."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return letters


def lay_out(
    title: str, columns: Sequence[Column], rows: Sequence[Sequence[Value]], caption: str
) -> Layout:
    """Cells, alignment and footnotes; equal footnotes share a mark.

    Raises
    ------
    ValueError, TypeError
        For a row of another length, or a cell that cannot be shown; the sentence says which.
    """
    cells = [_row(columns, row, place) for place, row in enumerate(rows, start=1)]
    marks: dict[str, str] = {}
    for note in (c.note for row in cells for c in row if c.note):
        marks.setdefault(note, mark(len(marks)))
    return Layout(
        title,
        caption,
        [column.heading for column in columns],
        [bool(cells) and all(row[k].numeric for row in cells) for k in range(len(columns))],
        [[(c.text, marks.get(c.note, "")) for c in row] for row in cells],
        [(column.heading, column.meaning) for column in columns if column.meaning],
        [(letters, f"not trusted: {note}") for note, letters in marks.items()],
    )


def _row(columns: Sequence[Column], row: Sequence[Value], place: int) -> list[Cell]:
    if isinstance(row, str) or len(row) != len(columns):
        raise ValueError(
            f"row {place} is {row!r}, expected {len(columns)} cells, one for each of "
            f"{', '.join(column.name for column in columns)}."
        )
    found = []
    for column, value in zip(columns, row, strict=True):
        try:
            found.append(cell(value, column.digits, column.places))
        except (TypeError, ValueError) as error:
            where = f"row {place}, column {column.name!r} {error}"
            raise type(error)(where) from None
    return found
