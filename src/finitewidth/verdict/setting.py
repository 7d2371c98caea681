"""What `finitewidth check` shows of a verdict, whatever it is shown on."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from finitewidth.cli import check_tables as tables
from finitewidth.cli.check_json import CheckResults, concluded
from finitewidth.report import Page, Table
from finitewidth.verdict import Check

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Setting:
    """What the command line asked for.

    Attributes
    ----------
    model, data : str
        As typed.
    told : str
        What the data are.
    inputs : int
        How many of them are used.
    loss : str
    learning_rate : float or None
    max_dispersion, max_kernel_change : float or None
    """

    model: str
    data: str
    told: str
    inputs: int
    loss: str
    learning_rate: float | None
    max_dispersion: float | None
    max_kernel_change: float | None

    def caption(self) -> str:
        """What was measured where."""
        step = (
            "no step is taken"
            if self.learning_rate is None
            else f"{self.loss} summed over the batch, SGD at rate {self.learning_rate:g}"
        )
        inputs = f"{self.inputs} inputs" if self.inputs > 1 else "one input"
        return f"At {inputs} of {self.told}; {step}. Standard errors in brackets."

    def as_json(self, seeds: Sequence[int]) -> dict[str, Any]:
        """The inputs of the command."""
        return {
            "model": self.model,
            "data": self.data,
            "data_in_words": self.told,
            "inputs": self.inputs,
            "seeds": list(seeds),
            "loss": self.loss,
            "learning_rate": self.learning_rate,
            "max_dispersion": self.max_dispersion,
            "max_kernel_change": self.max_kernel_change,
            "kernel": "sum of squared gradients, traced over outputs",
        }


class CheckView(ABC):
    """Finished verdicts, ready to be shown."""

    setting: Setting

    @property
    @abstractmethod
    def passed(self) -> bool:
        """Whether all limits are kept."""

    @abstractmethod
    def results(self) -> CheckResults:
        """Everything as JSON."""

    @abstractmethod
    def markdown(self) -> str:
        """For a pull request."""

    @abstractmethod
    def print(self) -> None:
        """On the terminal."""

    @abstractmethod
    def page(self) -> Page:
        """As one HTML file."""


class OneView(CheckView):
    """The verdict on one model.

    Parameters
    ----------
    check : Check
    setting : Setting
    """

    def __init__(self, check: Check, setting: Setting) -> None:
        self.check, self.setting = check, setting

    @property
    def passed(self) -> bool:
        """Whether all limits are kept."""
        return self.check.passed

    def tables(self) -> list[Table]:
        """The numbers, and the layers' shares."""
        return [tables.numbers(self.check, self.setting.caption()), tables.shares(self.check)]

    def results(self) -> CheckResults:
        """Everything as JSON."""
        inputs = self.setting.as_json(self.check.measured.start.seeds)
        found = CheckResults(inputs, more={"verdict": concluded(self.check)})
        for row in (*self.check.table, *self.check.shares):
            found.row(row)
        return found

    def markdown(self) -> str:
        """For a pull request."""
        numbers, shares = self.tables()
        return paragraphs(
            f"### {self.setting.model}: {self.check.verdict}",
            sentence(self.check),
            bullets(self.check.limits),
            numbers.markdown(),
            "What the numbers show:",
            bullets(explained(self.check)),
            shares.markdown(),
            self.check.theory,
            *other_notes(self.check),
        )

    def print(self) -> None:
        """On the terminal."""
        from rich.text import Text

        console, numbers_and_shares = console_(), self.tables()
        console.print(Text(f"{self.setting.model}: {self.check.verdict}", style="bold"))
        console.print(Text(sentence(self.check)))
        for text in self.check.limits:
            console.print(Text(text))
        console.print()
        console.print(numbers_and_shares[0])
        for told in explained(self.check):
            console.print(Text(told))
        console.print()
        console.print(numbers_and_shares[1])
        for text in (self.check.theory, *other_notes(self.check)):
            console.print(Text(text))

    def page(self) -> Page:
        """As one HTML file."""
        from finitewidth.cli.check_page import page

        return page(self.check, self.setting)


def sentence(check: Check) -> str:
    """With a capital letter."""
    return check.sentence[0].upper() + check.sentence[1:]


def explained(check: Check) -> list[str]:
    """``quantity: what it shows`` of every row."""
    return [f"{row.label}: {tables.meaning(row)}" for row in check.table]


def other_notes(check: Check) -> list[str]:
    """The notes that do not stand below the table already."""
    footnotes = {row.measured.note for row in check.table}
    return [note for note in check.notes if note not in footnotes]


def paragraphs(*texts: str) -> str:
    """Markdown with a blank line between those that are not empty."""
    return "\n\n".join(text.rstrip() for text in texts if text.strip())


def bullets(texts: Sequence[str]) -> str:
    """A Markdown list."""
    return "\n".join(f"- {text}" for text in texts)


def console_() -> "Console":
    """A console that shows text as it is."""
    from rich.console import Console

    return Console(highlight=False)
