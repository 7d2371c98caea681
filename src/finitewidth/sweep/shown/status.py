"""`Status`: how far a store has come, without reading any result."""

from collections import Counter
from dataclasses import dataclass, field, fields
from pathlib import Path

from finitewidth.report import Column, Page, Provenance, Record, Section, Shown, Table
from finitewidth.sweep.cells import Cell
from finitewidth.sweep.shown.failures import failures
from finitewidth.sweep.store import Reader


@dataclass
class MethodStatus:
    """The cells of one method.

    Attributes
    ----------
    cells, finished, failed : int
        Cells.
    chunks, networks : int
        Computed for them.
    seconds : float
        That this took, of one core.
    """

    cells: int = 0
    finished: int = 0
    failed: int = 0
    chunks: int = 0
    networks: int = 0
    seconds: float = 0.0


@dataclass
class Status(Shown):
    """A store.

    Attributes
    ----------
    store : str or path
        Its file.
    methods : dict of str to MethodStatus
    causes : list of str
        Why cells failed.
    runs : int
        How often a sweep was run on it.
    closed : bool
        Whether the last one came to its end.
    hosts : int
        Machines that computed.
    damage : str
        What is damaged, or nothing; checksums of results are not looked at.
    """

    store: str | Path
    methods: dict[str, MethodStatus] = field(default_factory=dict)
    causes: list[str] = field(default_factory=list)
    runs: int = 0
    closed: bool = True
    hosts: int = 0
    damage: str = ""

    def page(self) -> Page:
        """Cells by method, networks and computing time, failures, and the runs."""
        last = "was closed" if self.closed else "runs or was cut off"
        rows = [
            [name, one.cells, one.finished, one.failed, one.chunks, one.networks]
            for name, one in self.methods.items()
        ]
        columns = ["method", "cells", "finished", "failed", "chunks"]
        networks = Column("networks", meaning="0 where formulas are evaluated")
        return Page(
            f"{self.store}",
            [
                f"Runs: {self.runs}; the last one {last}. Machines that computed: {self.hosts}.",
                *[self.damage] * bool(self.damage),
            ],
            [
                Section("Cells", [Table("Cells by method", [*columns, networks], rows)]),
                *failures(self.causes),
            ],
            Provenance.now(None),
            self._record,
        )

    def _record(self) -> Record:
        found = Record(
            {"store": str(self.store)},
            more={"failures": Counter(self.causes), "closed": self.closed}
            | ({"damage": self.damage} if self.damage else {}),
        )
        for name, one in self.methods.items():
            for count in fields(one):
                found.exact(f"{name}, {count.name}", getattr(one, count.name), "counted")
        found.exact("runs", self.runs, "counted")
        found.exact("hosts", self.hosts, "counted")
        return found


def status(store: str | Path) -> Status:
    """See `finitewidth.sweep.status`."""
    with Reader(store) as reader:
        found, counts, failures = reader.cells(), reader.counts(), reader.failures()
        cells, damage = found.rows, found.damage()
        sessions, hosts = reader.sessions(), reader.hosts()
    found = Status(
        store,
        causes=list(failures.values()),
        runs=len(sessions),
        closed=bool(sessions) and sessions[-1].closed,
        hosts=len(hosts),
        damage=damage,
    )
    for cell in cells:
        one = found.methods.setdefault(Cell(cell.inputs).inputs["method"], MethodStatus())
        chunks, networks, seconds = counts.get(cell.id, (0, 0, 0.0))
        one.cells += 1
        one.finished += cell.used is not None
        one.failed += cell.id in failures
        one.chunks += chunks
        one.networks += networks
        one.seconds += seconds
    return found
