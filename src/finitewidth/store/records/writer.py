"""Appending to a file of records: one writer, one transaction a record."""

import os
import socket
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4
from weakref import WeakValueDictionary

from finitewidth.store.checksums import as_json, checksum, digest, insert_arrays, packed
from finitewidth.store.database import OpenFile, refuse_if_replaced, transaction
from finitewidth.store.provenance import is_running, provenance, started
from finitewidth.store.records.format import RECORDS, read_experiment, session_checksum

_OPEN: "WeakValueDictionary[str, Writer]" = WeakValueDictionary()
"""The writers of this process, by the token of their session."""


class Writer(OpenFile):
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
        self._process = os.getpid()
        fixed = dict(arrays or {})
        own = {**identity, **{name: digest(array) for name, array in fixed.items()}}
        self._closed = False
        pragmas = "journal_mode = WAL", "synchronous = NORMAL"
        with RECORDS.begun_or_continued(self.path, pragmas) as (self._connection, self.is_new):
            if self.is_new:
                self._begin(kind, own, fixed)
            else:
                self._continue(kind, own)
                if check is not None:
                    check()
            self._session = self._enter(start)

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
        rows, text = packed(arrays), as_json(note or {})
        connection = self._connection
        with RECORDS.errors_in_words(self.path), transaction(connection):
            refuse_if_replaced(connection, self.path, self._session)
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
            insert_arrays(connection, key, rows)

    def close(self) -> None:
        """End the session and make the file one plain file again."""
        if self._closed or os.getpid() != self._process:  # a fork must not touch the database
            return
        self._closed = True
        try:
            with RECORDS.errors_in_words(self.path):
                self._connection.execute(
                    "UPDATE session SET closed = 1 WHERE id = ?", (self._session,)
                )
                with suppress(sqlite3.OperationalError):  # somebody reads: whoever closes last does
                    self._connection.execute("PRAGMA journal_mode = DELETE")
        finally:
            self._connection.close()

    def _begin(self, kind: str, identity: dict[str, Any], fixed: dict[str, object]) -> None:
        rows = packed(fixed)
        fields = kind, as_json(identity), as_json(provenance())
        self._connection.execute(
            "INSERT INTO experiment VALUES (1, ?, ?, ?, ?)", (*fields, checksum(fields, rows))
        )
        insert_arrays(self._connection, 0, rows)

    def _continue(self, kind: str, identity: dict[str, Any]) -> None:
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
        now = {"process": os.getpid(), "started": started(os.getpid()), "token": token}
        who = provenance() | now
        who["checksum"] = session_checksum(number, start, who)
        self._connection.execute(
            "INSERT INTO session VALUES (?, ?, 0, ?)", (number, start, as_json(who))
        )
        _OPEN[token] = self
        return number


def _writes(process: int, began: int | None, token: str) -> bool:
    if process == os.getpid():
        writer = _OPEN.get(token)
        return writer is not None and not writer._closed
    return is_running(process, began)
