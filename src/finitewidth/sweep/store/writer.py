"""Writing a store: one process, one transaction for what came in together."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from finitewidth._files import to_write
from finitewidth.store.checksums import PackedArray, arrays_of, as_json, insert_arrays
from finitewidth.store.database import DamagedFile, OpenFile, refuse_if_replaced, transaction
from finitewidth.store.lock import Lock
from finitewidth.store.provenance import provenance, source_commit
from finitewidth.store.runner.tasks import Result
from finitewidth.sweep.cells import Cell
from finitewidth.sweep.store import arrays
from finitewidth.sweep.store.reader import all_cells, damaged_chunks
from finitewidth.sweep.store.salvage import salvage
from finitewidth.sweep.store.schema import SWEEPS, CellRow, NewChunk, cell_checksum

_IN = 500
"""Rows asked for in one statement."""


class Writer(OpenFile):
    """The one writer of a store; begins it, or continues it.

    Parameters
    ----------
    path : str or path
        Created if missing.
    grid : dict
        What is asked for, for the record.

    Attributes
    ----------
    messages : list of str
        What was found damaged and will be computed again.

    Raises
    ------
    ValueError
        If the file is something else, of another version, or its folder does not exist.
    RuntimeError
        If another sweep is running on the store, or it cannot be written.

    Notes
    -----
    *Killed at any moment*, the process leaves a store with everything that was committed: SQLite's
    rollback journal (``-journal`` beside the file, and part of it while it is there) undoes a
    transaction that was cut off, and ``synchronous=FULL`` makes that hold for a power failure.
    The journal needs no shared memory, so that a store may lie on a network file system.

    *Damage* is found when the store is opened: every chunk by its checksum, which covers the
    inputs of its cell, and the structure by SQLite's own check. Chunks that are damaged are
    dropped and computed again; from a file with a broken structure everything that verifies is
    copied into a new one, and the old one stays beside it.
    """

    def __init__(self, path: str | Path, grid: Mapping[str, Any]) -> None:
        self.path = to_write(path, name="the store")
        self.messages: list[str] = []
        self._session = 0
        self._lock = Lock(self.path, "sweep")
        try:
            try:
                self._open(grid)
            except DamagedFile as damage:
                kept = salvage(self.path)
                self.messages.append(f"{damage} {kept}")
                self._open(grid)
        except BaseException:
            self._lock.release()
            raise

    def _open(self, grid: Mapping[str, Any]) -> None:
        pragmas = "synchronous = FULL", "cache_size = -65536"
        with SWEEPS.begun_or_continued(self.path, pragmas) as (self._connection, is_new):
            connection = self._connection
            if not is_new:
                (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
                if found != "ok":
                    raise DamagedFile(f"{self.path} is damaged as an SQLite file ({found}).")
                self._drop_damaged()
            last = connection.execute("SELECT coalesce(max(id), 0) FROM session").fetchone()[0]
            self._session = last + 1
            who = provenance() | {"commit": source_commit(), "process": os.getpid()}
            connection.execute(
                "INSERT INTO session VALUES (?, 0, ?, ?)",
                (self._session, as_json(grid), as_json(who)),
            )

    def _drop_damaged(self) -> None:
        connection = self._connection
        bad = [row.id for row, _, sound in all_cells(connection) if not sound]
        for cell in bad:
            self._delete("cell = ?", cell)
            connection.execute("DELETE FROM failure WHERE cell = ?", (cell,))
            connection.execute("DELETE FROM cell WHERE id = ?", (cell,))
        chunks = damaged_chunks(connection, self.path)
        for chunk, cell in chunks:
            self._delete("id = ?", chunk)
            self._write_cell(cell, used=None)
        orphans = connection.execute(
            "DELETE FROM array WHERE chunk NOT IN (SELECT id FROM chunk)"
        ).rowcount
        if bad or chunks or orphans > 0:
            self.messages.append(
                f"{self.path} had {len(chunks)} damaged chunks and {len(bad)} damaged cells (their "
                "checksums are wrong); they are computed again."
            )

    def _delete(self, where: str, value: int) -> None:
        self._connection.execute(
            f"DELETE FROM array WHERE chunk IN (SELECT id FROM chunk WHERE {where})", (value,)
        )
        self._connection.execute(f"DELETE FROM chunk WHERE {where}", (value,))

    def register(self, cells: Sequence[Cell], precision: str) -> dict[str, CellRow]:
        """Enter cells that are new, and how exactly all are wanted now; their rows by key.

        Failures of earlier sessions are forgotten, so that these cells are tried again. The
        precision of a row that is returned is the one it had before.
        """
        connection, found = self._connection, {}
        with SWEEPS.errors_in_words(self.path), transaction(connection):
            for start in range(0, len(cells), _IN):
                part = cells[start : start + _IN]
                marks = ",".join("?" * len(part))
                rows = connection.execute(
                    "SELECT key, id, inputs, precision, least, used FROM cell "
                    f"WHERE key IN ({marks})",
                    [cell.key for cell in part],
                )
                found.update({row[0]: CellRow(*row[1:]) for row in rows})
            last = connection.execute("SELECT coalesce(max(id), 0) FROM cell").fetchone()[0]
            for cell in cells:
                row = found.get(cell.key)
                if row is None:
                    last += 1
                    found[cell.key] = CellRow(last, cell.text, precision, 0, None)
                    self._insert_cell(last, cell.key, cell.text, precision, 0, None)
                elif row.precision != precision:
                    least = max(row.least, row.used or 0)
                    self._insert_cell(row.id, cell.key, cell.text, precision, least, None)
            connection.execute("DELETE FROM failure")
        return found

    def chunks(self, cell: int) -> Iterable[tuple[int, str, list[PackedArray]]]:
        """(number, text, rows) of a cell's chunks, in order; verified when the store was opened."""
        for key, number, text in self._connection.execute(
            "SELECT id, number, summary FROM chunk WHERE cell = ? ORDER BY number", (cell,)
        ).fetchall():
            yield number, text, arrays_of(self._connection, "chunk", key)

    def commit(
        self,
        results: Sequence[tuple[int, int, Result[NewChunk]]],
        finished: Mapping[int, int | None],
    ) -> None:
        """Make chunks visible, all in one transaction.

        Parameters
        ----------
        results : sequence of (int, int, Result)
            Number of the cell's row, number of the chunk, and what became of it.
        finished : dict of int to int
            Rows of cells whose numbers are now made of so many chunks.
        """
        connection = self._connection
        for _, _, result in results:
            for content in result.value.contents if result.value else ():
                arrays.write(self.path, content)
        with SWEEPS.errors_in_words(self.path), transaction(connection):
            refuse_if_replaced(connection, self.path, self._session)
            for cell, number, result in results:
                chunk = result.value
                if chunk is None:
                    connection.execute(
                        "INSERT OR REPLACE INTO failure VALUES (?, ?, ?, ?)",
                        (cell, number, self._session, result.cause),
                    )
                    continue
                key = connection.execute(
                    "INSERT INTO chunk (cell, number, session, networks, seconds, host, summary, "
                    "checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (cell, number, self._session, chunk.networks, result.seconds, result.host,
                     chunk.text, chunk.checksum),
                ).lastrowid  # fmt: skip
                assert key is not None
                insert_arrays(connection, key, chunk.rows)
            for cell, used in finished.items():
                self._write_cell(cell, used)

    def _write_cell(self, cell: int, used: int | None) -> None:
        row = self._connection.execute(
            "SELECT key, inputs, precision, least, used FROM cell WHERE id = ?", (cell,)
        ).fetchone()
        if row is not None:
            key, inputs, precision, least, before = row
            least = max(least, before or 0) if used is None else least
            self._insert_cell(cell, key, inputs, precision, least, used)

    def _insert_cell(
        self, number: int, key: str, inputs: str, precision: str, least: int, used: int | None
    ) -> None:
        total = cell_checksum(key, inputs, precision, least, used)
        self._connection.execute(
            "INSERT INTO cell VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
            "precision = excluded.precision, least = excluded.least, used = excluded.used, "
            "checksum = excluded.checksum",
            (number, key, inputs, precision, least, used, total),
        )

    def close(self) -> None:
        """End the session and let the next sweep on."""
        try:
            with SWEEPS.errors_in_words(self.path):
                self._connection.execute(
                    "UPDATE session SET closed = 1 WHERE id = ?", (self._session,)
                )
        finally:
            self._connection.close()
            self._lock.release()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
            return
        self._connection.close()  # the session stays open: it was cut off
        self._lock.release()
