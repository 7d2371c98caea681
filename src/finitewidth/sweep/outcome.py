"""`Outcome`: what a run of a grid did."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from finitewidth.report import Page, Provenance, Record, Section, Shown
from finitewidth.sweep.shown.failures import failures
from finitewidth.sweep.shown.results import SHOWN, finished_cells, results_table

ROWS = 12
"""Cells of the table of results."""


@dataclass(frozen=True)
class Outcome(Shown):
    """What a run of a sweep did.

    Attributes
    ----------
    store : Path
    cells : int
        Cells of the grid.
    finished : int
        Of these, finished now.
    computed : int
        Chunks that this run computed.
    failures : list of (dict, str)
        Inputs and cause of every cell that failed.
    messages : list of str
        What was found damaged in the store and computed again.
    """

    store: Path
    cells: int
    finished: int
    computed: int
    failures: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every cell is finished."""
        return self.finished == self.cells

    @property
    def causes(self) -> list[str]:
        """Why cells failed, one for every such cell."""
        return [cause for _, cause in self.failures]

    def page(self) -> Page:
        """Counts, what was damaged, why cells failed, and the first results."""
        from finitewidth.sweep.dataset import dataset

        finished = finished_cells(dataset(self.store))
        sections = []
        if finished.sizes["cell"] and any(name in finished for name in SHOWN):
            sections = [Section("Results", [results_table(finished, ROWS, self.store)])]
        return Page(
            f"{self.cells} cells: {self.finished} finished, {len(self.failures)} failed",
            [f"{self.computed} chunks computed now. Results: {self.store}", *self.messages],
            [*failures(self.causes), *sections],
            Provenance.now(None, store=self.store.name),
            self._record,
        )

    def _record(self) -> Record:
        found = Record(
            {"store": str(self.store)},
            more={"failures": Counter(self.causes), "messages": self.messages},
        )
        for name in ("cells", "finished", "computed"):
            found.exact(name, getattr(self, name), "counted")
        found.exact("failed", len(self.failures), "counted")
        return found
