"""What reproducing a published result gives back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from finitewidth.estimate import Estimate
from finitewidth.report import Page, Plot, Provenance, Section, Table

Progress = Callable[[int, int], object]
"""Called with (pieces done, pieces in all)."""

Number = float | Estimate
"""Closed, or sampled with its error."""


@dataclass(frozen=True)
class Reproduction:
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
    plots : sequence of Plot
    numbers : dict
        Every number by name, as a float (closed) or an `Estimate` (sampled).
    seed : int
        Of the sampled numbers.
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

    def page(self) -> Page:
        """The same as a one-file HTML page."""
        return Page(
            self.title,
            [f"{self.source}. {self.setting}", *self.sentences],
            [
                *(Section(table.title, [table]) for table in self.tables),
                *([Section("Figures", list(self.plots))] if self.plots else []),
            ],
            Provenance.now(self.seed, reproduces=self.source),
        )

    def markdown(self, figures: Sequence[str] = ()) -> str:
        """The same as Markdown, ending in a newline.

        Parameters
        ----------
        figures : sequence of str
            Where the figures are saved, in their order; without, they are left out.
        """
        shown = [
            f"![{plot.title}]({where})\n\n{plot.sentence}"
            for plot, where in zip(self.plots, figures, strict=False)
        ]
        parts = [
            f"# {self.title}",
            f"{self.source}. {self.setting}",
            *self.sentences,
            *(table.markdown().rstrip("\n") for table in self.tables),
            *shown,
            f"finitewidth reproduce {self.name}, seed {self.seed}.",
        ]
        return "\n\n".join(parts) + "\n"
