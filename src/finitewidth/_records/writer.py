"""Appending to a file of records: one writer, one transaction a record."""

import os
import socket
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4
from weakref import WeakValueDictionary

from finitewidth._records.format import (
    APPLICATION,
    SCHEMA,
    TABLES,
    as_json,
    checksum,
    digest,
    encoded,
    is_new,
    read_experiment,
    refuse_others,
)
from finitewidth._records.processes import is_running, started
from finitewidth._records.reader import told
from finitewidth._version import __version__

_OPEN: "WeakValueDictionary[str, Writer]" = WeakValueDictionary()
"""The writers of this process, by the token of their session."""


class Writer:
    """The one writer of a file of records; begins it, or continues it.

    Parameters
    ----------
    path : str or path
        Created if missing.
    kind : str
        What kind of experiment, e.g. ``"trajectory"``.
    identity : dict
        What makes it this experiment, as JSON; its keys are the words in which a refusal names
        what differs.
    arrays : dict of str to array, optional
        Fixed coordinates; their names are such words too.
    start : int, optional
        Records of earlier sessions beyond this step are replaced by this session's: they stay in
        the file and are no longer read. Without it, all stay valid.
    check : callable, optional
        Called before an existing file is continued; if it raises, the file stays as it was.

    Attributes
    ----------
    is_new : bool
        Whether the file was begun by this writer.

    Raises
    ------
    ValueError
        If the file holds something else or another experiment, or its folder does not exist.
    RuntimeError
        If another writer has it open, or it cannot be written.

    Notes
    -----
    *Killed at any moment*, the process leaves a readable file with all finished records: each is
    one transaction. The journal is SQLite's write-ahead log (``-wal`` beside the file until it is
    closed, and part of it until then), because it lets others read at the same time and makes a
    transaction one write without waiting for the disk. ``synchronous=NORMAL`` gives every
    transaction to the operating system at once, which outlives the process; a power failure can
    lose the last records, never the file. Closing folds the log into the file, which is then one
    plain file again.

    *One writer*: an opening is a row of the table ``session``. While the process that made the
    last one runs, on this machine, another is refused. Where that cannot be known (another
    machine) the newer takes over and every append of the older is refused, so records of two
    runs never mix.
    """

    def __init__(
        self,
        path: str | Path,
        kind: str,
        identity: Mapping[str, Any],
        arrays: Mapping[str, object] | None = None,
        start: int | None = None,
        check: Callable[[], None] | None = None,
    ) -> None:
        self.path = Path(path)
        if not self.path.parent.is_dir():
            raise ValueError(f"the folder {self.path.parent} does not exist; create it first.")
        self._process = os.getpid()
        fixed = dict(arrays or {})
        own = {**identity, **{name: digest(array) for name, array in fixed.items()}}
        self._closed = False
        with told(self.path):
            self._connection = sqlite3.connect(
                self.path, timeout=30, isolation_level=None, check_same_thread=False
            )
            try:
                # First of all, so that a file of somebody else is not touched.
                if not is_new(self._connection):
                    refuse_others(self._connection, self.path)
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = NORMAL")
                self._connection.execute("BEGIN IMMEDIATE")
                self.is_new = is_new(self._connection)
                if self.is_new:
                    self._begin(kind, own, fixed)
                else:
                    self._continue(kind, own)
                    if check is not None:
                        check()
                self._session = self._enter(start)
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.close()  # rolls back
                raise

    def append(
        self,
        step: int,
        arrays: Mapping[str, object],
        series: str = "",
        note: Mapping[str, Any] | None = None,
    ) -> None:
        """Write one record; when this returns it outlives the process.

        Raises
        ------
        ValueError
            If this session has written that step of the series already.
        TypeError
            For arrays of anything but real numbers.
        RuntimeError
            After `close`; if another writer took the file over; if it cannot be written (a full
            disk): what was there before is intact.
        """
        if self._closed:
            raise RuntimeError(f"{self.path} was closed; open it again to append to it.")
        rows, text = encoded(arrays), as_json(note or {})
        connection = self._connection
        with told(self.path):
            connection.execute("BEGIN IMMEDIATE")
            try:
                self._refuse_if_replaced()
                twice = connection.execute(
                    "SELECT 1 FROM record WHERE session = ? AND series = ? AND step = ?",
                    (self._session, series, step),
                )
                if twice.fetchone():
                    raise ValueError(f"{self.path} holds a record of step {step} already.")
                last = connection.execute("SELECT coalesce(max(id), 0) FROM record").fetchone()[0]
                key = last + 1
                total = checksum((key, self._session, series, step, text), rows)
                connection.execute(
                    "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?)",
                    (key, self._session, series, step, text, total),
                )
                connection.executemany(
                    "INSERT INTO array VALUES (?, ?, ?, ?, ?)", ((key, *row) for row in rows)
                )
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """End the session and make the file one plain file again."""
        if self._closed or os.getpid() != self._process:  # a fork must not touch the database
            return
        self._closed = True
        try:
            with told(self.path):
                self._connection.execute(
                    "UPDATE session SET closed = 1 WHERE id = ?", (self._session,)
                )
                with suppress(sqlite3.OperationalError):  # somebody reads: whoever closes last does
                    self._connection.execute("PRAGMA journal_mode = DELETE")
        finally:
            self._connection.close()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _begin(self, kind: str, identity: dict[str, Any], fixed: dict[str, object]) -> None:
        connection = self._connection
        for statement in TABLES.split(";"):
            connection.execute(statement)
        rows = encoded(fixed)
        fields = kind, as_json(identity), as_json(_provenance())
        connection.execute(
            "INSERT INTO experiment VALUES (1, ?, ?, ?, ?)", (*fields, checksum(fields, rows))
        )
        connection.executemany("INSERT INTO array VALUES (0, ?, ?, ?, ?)", rows)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {SCHEMA}")

    def _continue(self, kind: str, identity: dict[str, Any]) -> None:
        refuse_others(self._connection, self.path)
        stored = read_experiment(self._connection, self.path)
        if stored.kind != kind:
            raise ValueError(
                f"{self.path} holds a record of kind {stored.kind!r}, not {kind!r}; give another "
                "path."
            )
        names = sorted({*stored.identity, *identity})
        differing = [name for name in names if stored.identity.get(name) != identity.get(name)]
        if differing:
            raise ValueError(
                f"{self.path} holds the record of another experiment (different: "
                f"{', '.join(differing)}); give another path, or what it was begun with."
            )

    def _enter(self, start: int | None) -> int:
        """A new session, unless the last one is still being written."""
        last = self._connection.execute(
            "SELECT id, closed, json_extract(provenance, '$.host'), "
            "json_extract(provenance, '$.process'), json_extract(provenance, '$.started'), "
            "json_extract(provenance, '$.token') FROM session ORDER BY id DESC LIMIT 1"
        ).fetchone()
        number = 1
        if last is not None:
            number, closed, host, process, began, token = last
            here = host == socket.gethostname()
            if not closed and here and _writes(process, began, token):
                who = "this process" if process == os.getpid() else f"process {process}"
                raise RuntimeError(
                    f"{self.path} is being written by {who}; close it there first, or give another "
                    "path."
                )
            number += 1
        token = uuid4().hex
        provenance = _provenance() | {
            "process": os.getpid(),
            "started": started(os.getpid()),
            "token": token,
        }
        self._connection.execute(
            "INSERT INTO session VALUES (?, ?, 0, ?)", (number, start, as_json(provenance))
        )
        _OPEN[token] = self
        return number

    def _refuse_if_replaced(self) -> None:
        last = self._connection.execute("SELECT max(id) FROM session").fetchone()[0]
        if last != self._session:
            raise RuntimeError(
                f"{self.path} was continued by another process, so this one may no longer append "
                "to it."
            )


def _writes(process: int, began: int | None, token: str) -> bool:
    if process == os.getpid():
        writer = _OPEN.get(token)
        return writer is not None and not writer._closed
    return is_running(process, began)


def _provenance() -> dict[str, Any]:
    return {
        "finitewidth": __version__,
        "host": socket.gethostname(),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
