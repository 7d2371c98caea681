"""How far a store has come, without reading any result."""

from dataclasses import dataclass, field
from pathlib import Path

from finitewidth.sweep.cells import Cell
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
class Status:
    """A store.

    Attributes
    ----------
    methods : dict of str to MethodStatus
    causes : list of str
        Why cells failed.
    runs : int
        How often a sweep was run on it.
    closed : bool
        Whether the last one came to its end.
    hosts : int
        Machines that computed.
    """

    methods: dict[str, MethodStatus] = field(default_factory=dict)
    causes: list[str] = field(default_factory=list)
    runs: int = 0
    closed: bool = True
    hosts: int = 0


def status(store: str | Path) -> Status:
    """How far a store has come; raises as `Reader`."""
    with Reader(store) as reader:
        cells, counts, failures = reader.cells(), reader.counts(), reader.failures()
        sessions, hosts = reader.sessions(), reader.hosts()
    found = Status(
        causes=list(failures.values()),
        runs=len(sessions),
        closed=bool(sessions) and sessions[-1].closed,
        hosts=len(hosts),
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
