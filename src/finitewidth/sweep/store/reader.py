"""Reading a store, also while a sweep is writing it."""

import json
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from finitewidth.store.checksums import PackedArray
from finitewidth.store.database import FormatReader
from finitewidth.sweep.store import arrays
from finitewidth.sweep.store.restored import restored
from finitewidth.sweep.store.schema import SWEEPS, CellRow, cell_checksum, chunk_checksum

_CHUNKS = """
SELECT chunk.id, chunk.cell, chunk.number, chunk.networks, chunk.summary, chunk.checksum,
    cell.inputs, array.name, array.dtype, array.shape, array.data
FROM chunk LEFT JOIN cell ON cell.id = chunk.cell LEFT JOIN array ON array.chunk = chunk.id
ORDER BY chunk.cell, chunk.number, array.name
"""


@dataclass(frozen=True)
class Chunk:
    """A chunk as it is stored.

    Attributes
    ----------
    id, cell, number, networks : int
    text, rows
        The packed summary.
    sound : bool
        Whether its checksum is right.
    """

    id: int
    cell: int
    number: int
    networks: int
    text: str
    rows: list[PackedArray]
    sound: bool


@dataclass(frozen=True)
class Cells:
    """All cells of a store.

    Attributes
    ----------
    rows : list of CellRow
    damaged : set of str
        The inputs of those whose row is damaged or lost.
    unknown : int
        Damaged rows of which nothing tells what they were.
    """

    rows: list[CellRow]
    damaged: set[str]
    unknown: int

    def damage(self, more: Collection[str] = ()) -> str:
        """What is damaged, in a sentence, with further inputs; or nothing."""
        count = len(self.damaged.union(more)) + self.unknown
        if not count:
            return ""
        shape = (
            f" Of {self.unknown} of them nothing tells the inputs: the grid's shape is not whole."
            if self.unknown
            else ""
        )
        return (
            f"{count} of {len(self.rows) + self.unknown} cells are damaged (checksums are wrong, "
            f"or rows are missing) and count as not finished; running the grid again computes "
            f"them anew.{shape}"
        )


@dataclass(frozen=True)
class Session:
    """One run of a sweep on the store.

    Attributes
    ----------
    id : int
    closed : bool
        False while it runs, or where it was cut off.
    grid : dict
    provenance : dict
    """

    id: int
    closed: bool
    grid: dict[str, Any]
    provenance: dict[str, Any]


def all_cells(connection: sqlite3.Connection) -> Iterator[tuple[CellRow, str, bool]]:
    """Every cell in its order, its key, and whether its checksum is right."""
    for number, *fields, total in connection.execute(
        "SELECT id, key, inputs, precision, least, used, checksum FROM cell ORDER BY id"
    ):
        yield CellRow(number, *fields[1:]), fields[0], cell_checksum(*fields) == total


def all_chunks(connection: sqlite3.Connection) -> Iterator[Chunk]:
    """Every chunk, by cell and number, its checksum compared."""
    for _, group in groupby(connection.execute(_CHUNKS), key=lambda row: row[0]):
        rows = list(group)
        key, cell, number, networks, text, total, inputs = rows[0][:7]
        arrays = [row[7:] for row in rows if row[7] is not None]
        sound = inputs is not None and chunk_checksum(inputs, number, text, arrays) == total
        yield Chunk(key, cell, number, networks, text, arrays, sound)


def damaged_chunks(connection: sqlite3.Connection, path: Path) -> list[tuple[int, int]]:
    """(chunk, cell) of every chunk whose checksum is wrong, or one of whose files."""
    return [
        (chunk.id, chunk.cell)
        for chunk in all_chunks(connection)
        if not chunk.sound
        or not all(arrays.is_sound(path, name) for name in json.loads(chunk.text)["files"].values())
    ]


class Reader(FormatReader):
    """A store, opened for reading only; raises as `FormatReader`."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(path, SWEEPS, "rw")

    def cells(self) -> Cells:
        """All cells in their order, also those whose rows are damaged."""
        with SWEEPS.errors_in_words(self.path):
            rows = list(all_cells(self._connection))
            orphans = self._connection.execute(
                "SELECT 1 FROM chunk WHERE cell NOT IN (SELECT id FROM cell) LIMIT 1"
            ).fetchone()
        grids = (session.grid for session in reversed(self.sessions()))
        return Cells(*restored(rows, orphans is not None, grids))

    def structure(self) -> str:
        """What SQLite's own check finds wrong, such as an index that misses a row; or nothing."""
        ((found,),) = self._rows("PRAGMA integrity_check(1)")
        found = " ".join(found.removeprefix("*** in database main ***").split())
        return "" if found == "ok" else f"It is damaged as an SQLite file ({found}). "

    def chunks(self) -> Iterator[Chunk]:
        """All chunks, by cell and number."""
        with SWEEPS.errors_in_words(self.path):
            yield from all_chunks(self._connection)

    def counts(self) -> dict[int, tuple[int, int, float]]:
        """Chunks, networks and seconds of every cell that has any; checksums are not looked at."""
        rows = self._rows(
            "SELECT cell, count(*), sum(networks), sum(seconds) FROM chunk GROUP BY cell"
        )
        return {row[0]: (row[1], row[2], row[3]) for row in rows}

    def failures(self) -> dict[int, str]:
        """Why cells failed, by cell."""
        return dict(self._rows("SELECT cell, cause FROM failure"))

    def sessions(self) -> list[Session]:
        """All runs, the first one first."""
        sessions = []
        for number, closed, *texts in self._rows(
            "SELECT id, closed, grid, provenance FROM session ORDER BY id"
        ):
            with suppress(json.JSONDecodeError):  # a damaged one is left out: it holds no results
                grid, provenance = map(json.loads, texts)
                sessions.append(Session(number, bool(closed), grid, provenance))
        return sessions

    def hosts(self) -> list[str]:
        """The machines that computed chunks."""
        return sorted(row[0] for row in self._rows("SELECT DISTINCT host FROM chunk"))
