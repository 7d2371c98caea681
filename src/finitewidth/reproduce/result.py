"""What reproducing a published result gives back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from finitewidth.estimate import Estimate
from finitewidth.report import Page, Plot, Provenance, Record, Section, Shown, Table

Progress = Callable[[int, int], object]
"""Called with (pieces done, pieces in all)."""

Number = float | Estimate
"""Closed, or sampled with its error."""


@dataclass(frozen=True)
class Reproduction(Shown):
    """Tables and figures of one published result, computed anew.

    Attributes
    ----------
    name : str
        As it is called on the command line.
    title : str
        What was published, in one line.
    source : str
        Where.
    setting : str
        The parametrization, gains and other conventions that the numbers hold for.
    sentences : sequence of str
        What is to be concluded.
    tables : sequence of Table
        The first ones are what the sentences rest on; see `main`.
    plots : sequence of Plot
    numbers : dict
        Every number by name, as a float (closed) or an `Estimate` (sampled).
    seed : int
        Of the sampled numbers.
    main : int
        How many tables a terminal shows; the others are details.
    quick : bool
        Whether fewer networks were drawn than in a full run.
    """

    name: str
    title: str
    source: str
    setting: str
    sentences: Sequence[str]
    tables: Sequence[Table]
    plots: Sequence[Plot]
    numbers: dict[str, Number]
    seed: int
    main: int = 1
    quick: bool = False

    def page(self) -> Page:
        """What is to be concluded, what the numbers hold for, tables and figures."""
        command = f"finitewidth reproduce {self.name}{' --quick' if self.quick else ''}"
        sections = (
            Section("Published and computed", self.tables[: self.main]),
            Section("Further tables", self.tables[self.main :], detail=True),
            Section("Figures", self.plots),
        )
        return Page(
            self.title,
            [*self.sentences, f"{self.source}. {self.setting}"],
            [section for section in sections if section.blocks],
            Provenance.now(self.seed, reproduces=self.source, command=command),
            self._record,
        )

    def _record(self) -> Record:
        found = Record(
            {"name": self.name, "quick": self.quick, "seed": self.seed, "setting": self.setting}
        )
        for name, value in self.numbers.items():
            if isinstance(value, Estimate):
                found.estimate(name, value)
            else:
                found.exact(name, value, "closed")
        return found
