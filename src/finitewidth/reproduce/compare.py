"""`Comparison`: a published number, theory's and those of independent witnesses, row by row."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import hypot

import numpy as np

from finitewidth.estimate import Estimate
from finitewidth.report import Column, Table
from finitewidth.reproduce.result import Number, Progress


def scalar(estimate: Estimate, place: int = 0, over: float = 1.0) -> Estimate:
    """The `Estimate` of one number of an `Estimate` of several, in units of `over`."""
    value, error = (float(np.ravel(one)[place]) for one in (estimate.value, estimate.std_error))
    return replace(estimate, value=value / over, std_error=error / over)


def split(number: Number) -> tuple[float, float]:
    """Value and standard error; the error of a plain number is 0."""
    if isinstance(number, Estimate):
        return float(number.value), float(number.std_error)
    return float(number), 0.0


def distance(one: Number | None, other: Number | None) -> float | None:
    """(one − other) over the root of the sum of their squared errors.

    None where either is missing or neither has an error.
    """
    if one is None or other is None:
        return None
    (a, error_a), (b, error_b) = split(one), split(other)
    error = hypot(error_a, error_b)
    return (a - b) / error if error else None


@dataclass(frozen=True)
class Quantity:
    """One quantity.

    Attributes
    ----------
    name : str
        The network or the quantity.
    printed : float, Estimate or None
        As published; an `Estimate` where the publication states an error.
    corrected : float, optional
        The corrected form of a published formula.
    exact : float or Estimate, optional
        By theory.
    enumerated : float, optional
        The sum over multisets of paths, one by one.
    simulated : Estimate, optional
        By networks drawn at random.
    """

    name: str
    printed: Number | None
    corrected: float | None = None
    exact: Number | None = None
    enumerated: float | None = None
    simulated: Estimate | None = None

    def numbers(self) -> Iterator[tuple[str, Number]]:
        """Name and value of everything that is known."""
        for name, value in (
            ("printed", self.printed),
            ("corrected", self.corrected),
            ("exact law", self.exact),
            ("enumeration", self.enumerated),
            ("simulated", self.simulated),
        ):
            if value is not None:
                yield name, value


@dataclass(frozen=True)
class Comparison:
    """Rows that make a table; columns without any number are left out.

    Attributes
    ----------
    key : str
        Short name, in front of the names of its numbers.
    title, caption : str
        Of the table.
    rows : sequence of Quantity
    first, meaning : str
        Heading of the first column, and what it holds.
    theory : str
        Heading of the column of theory.
    printed : str
        Heading of the published numbers.
    correction : str
        Heading of `Quantity.corrected`.
    """

    key: str
    title: str
    caption: str
    rows: Sequence[Quantity]
    first: str = "network"
    meaning: str = "n_0-…-n_d"
    theory: str = "exact law"
    printed: str = "printed"
    correction: str = "corrected"

    def table(self) -> Table:
        """The table; z is simulated minus theory, in standard errors."""
        sizes = [row.simulated.size for row in self.rows if row.simulated is not None] or [0]
        least, most = min(sizes), max(sizes)
        drawn = str(most) if least == most else f"{least} to {most}"
        columns: list[tuple[Column, Callable[[Quantity], Number | None]]] = [
            (Column(self.printed), lambda row: row.printed),
            (Column(self.correction), lambda row: row.corrected),
            (Column(self.theory, digits=7), lambda row: row.exact),
            (Column("enumeration", digits=7), lambda row: row.enumerated),
            (Column("simulated", meaning=f"{drawn} networks"), lambda row: row.simulated),
            (
                Column("z", places=1, meaning=f"simulated from {self.theory.removesuffix(' law')}"),
                lambda row: distance(row.simulated, row.exact),
            ),
            (Column(f"z {self.printed}", places=self._places()), _from_printed),
        ]
        shown = [
            (column, value)
            for column, value in columns
            if any(value(row) is not None for row in self.rows)
        ]
        return Table(
            self.title,
            [Column(self.first, meaning=self.meaning), *(column for column, _ in shown)],
            [(row.name, *(value(row) for _, value in shown)) for row in self.rows],
            self.caption,
        )

    def _places(self) -> int:
        """Whole numbers where the published number is far away everywhere or mostly."""
        far = [abs(z) for z in map(_from_printed, self.rows) if z is not None]
        return 1 if far and max(far) < 10 else 0

    def numbers(self) -> dict[str, Number]:
        """Every number by name."""
        return {
            f"{self.key}, {row.name}, {kind}": value
            for row in self.rows
            for kind, value in row.numbers()
        }


def _from_printed(row: Quantity) -> float | None:
    """Simulated from printed; theory from printed where nothing was simulated."""
    return distance(row.simulated if row.simulated is not None else row.exact, row.printed)


def all_numbers(comparisons: Sequence[Comparison]) -> dict[str, Number]:
    """The numbers of several comparisons."""
    return {name: value for one in comparisons for name, value in one.numbers().items()}


class Steps:
    """Counts pieces of work for a progress bar.

    Parameters
    ----------
    progress : callable or None
        Called with (pieces done, pieces in all), at the start and after every piece.
    total : int
        Pieces in all.
    """

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0
        self._tell()

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self._done, self._total)

    def done(self) -> None:
        """One piece is done."""
        self._done += 1
        self._tell()
