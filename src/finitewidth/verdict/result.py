"""`Check`: a verdict with the numbers behind it, which shows itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from finitewidth.network import MLP
from finitewidth.network.words import as_json
from finitewidth.report import Page, Provenance, Record, Section, Shown
from finitewidth.verdict.measurement import Measurement
from finitewidth.verdict.page import figures, numbers, tables
from finitewidth.verdict.regimes import Decision
from finitewidth.verdict.setting import Setting

if TYPE_CHECKING:
    from finitewidth.verdict.measured import Measured

NO_BOOL = (
    "a {what} is neither true nor false, since its limits may be open; ask for .passed, which is "
    "True, False or None."
)


def all_of(passed: Sequence[bool | None]) -> bool | None:
    """Whether all are kept: False where one is not, else None where one is open."""
    return False if False in passed else None if None in passed else True


@dataclass(frozen=True)
class Check(Shown):
    """The verdict on a model.

    Attributes
    ----------
    verdict : str
        ``"frozen"``, ``"weak feature learning"``, ``"feature learning"``, ``"strongly random"``,
        ``"diverges"``, ``"start only"`` where no training was asked for, or ``"undecided"``.
    sentence : str
        What it means, to be pasted into a pull request.
    table : list of Measurement
        The numbers behind it, with their errors, what theory says, and a sentence each.
    passed : bool or None
        Whether all limits that were set are kept, None where the seeds do not tell; True if there
        are none.
    limits : tuple of str
        A sentence about each limit.
    theory : str
        How the model was recognised, or what differs from the networks whose law is known.
    net : MLP or None
        What it was recognised as.
    shares : list of Measurement
        Each layer's share of the mean diagonal.
    decision : Decision
        What the verdict rests on.
    scope : tuple of str
        What every statement holds for.
    remarks : tuple of str
        What is peculiar to this measurement.
    seeds : int
        How many were measured.
    measured : Measured
        The ensembles themselves.
    setting : Setting
        What was asked.
    seeds_needed : int
        About how many seeds the open limits take; 0 if none is open.
    """

    verdict: str
    sentence: str
    table: list[Measurement]
    passed: bool | None
    limits: tuple[str, ...]
    theory: str
    net: MLP | None
    shares: list[Measurement]
    decision: Decision
    scope: tuple[str, ...]
    remarks: tuple[str, ...]
    seeds: int
    measured: "Measured"
    setting: Setting
    seeds_needed: int = 0

    def __str__(self) -> str:
        return f"{self.verdict}: {self.sentence}"

    def __bool__(self) -> bool:
        raise TypeError(NO_BOOL.format(what="check"))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the statements hold for: `scope`, then `remarks`."""
        return (*self.scope, *self.remarks)

    def row(self, name: str) -> Measurement | None:
        """A row of the table, None if it has none of that name."""
        return next((one for one in self.table if one.name == name), None)

    def page(self) -> Page:
        """The verdict, its numbers, every seed, the descent, layers, theory."""
        training = figures.training(self.measured, self.verdict)
        return Page(
            f"{self.setting.model}: {self.verdict}",
            [self.sentence[0].upper() + self.sentence[1:], *self.limits],
            [
                Section(
                    "The numbers",
                    [tables.numbers(self.table, self.seeds, self.setting.caption())],
                ),
                Section("In words", [tables.meanings(self.table)], True),
                Section("Seeds at the start", [figures.kernels(self.measured, self.table)]),
                *([Section("Training", training)] if training else []),
                Section(
                    "Layer by layer",
                    [tables.shares(self.shares), figures.layers(self.shares)],
                    True,
                ),
                Section("Theory", [self.theory, *self.unsaid()]),
                Section("What the statements hold for", self.scope, True),
            ],
            provenance(self.setting, self.measured.start.seeds),
            self._numbers,
        )

    def unsaid(self) -> list[str]:
        """The remarks that no footnote of the table makes."""
        said = {row.measured.note for row in self.table}
        return [text for text in self.remarks if text not in said]

    def conclusion(self) -> dict[str, Any]:
        """The verdict as JSON."""
        return {
            "word": self.verdict,
            "sentence": self.sentence,
            "passed": self.passed,
            "limits": list(self.limits),
            "theory": self.theory,
            "notes": list(self.notes),
            "decided_by": self.decision.about,
            "seeds_needed": max(self.seeds_needed, self.decision.seeds_needed),
            "between": list(self.decision.between),
        }

    def _numbers(self) -> Record:
        seeds = self.measured.start.seeds
        found = Record(
            numbers.inputs(self.setting, seeds),
            None if self.net is None else as_json(self.net),
            seeds,
            numbers.samples(self.measured),
            {"verdict": self.conclusion()},
        )
        for row in (*self.table, *self.shares):
            numbers.put(found, row)
        return found


def provenance(setting: Setting, seeds: list[int]) -> Provenance:
    """The footer."""
    import torch

    whole = seeds == list(range(seeds[0], seeds[-1] + 1))
    told = f"{seeds[0]} … {seeds[-1]}" if whole else ", ".join(map(str, seeds))
    return Provenance.now(
        0,
        **{
            "seeds of the models": told,
            "model": setting.model,
            "data": setting.where,
            **({"rows of the data": ", ".join(map(str, setting.rows))} if setting.rows else {}),
            "PyTorch": torch.__version__,
        },
    )
