"""From a store whose structure is broken to a sound one with everything that verifies."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from finitewidth.store.checksums import arrays_of, insert_arrays
from finitewidth.store.database import connect
from finitewidth.sweep.store.schema import SWEEPS, cell_checksum, chunk_checksum


def salvage(path: Path) -> str:
    """Replace a damaged store by what verifies of it; one sentence on what was kept.

    The damaged file stays beside it as ``results.sqlite.damaged-…``.

    Parameters
    ----------
    path : path
        The store, locked by the caller.

    Notes
    -----
    Every row is asked for by its number, so that one that cannot be read costs itself and its
    neighbours on the same page alone. A journal has been undone by then as far as it can be. The
    new file is written under a temporary name in the same folder, flushed, and put in place by
    one rename.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    kept_aside = path.with_name(f"{path.name}.damaged-{stamp}")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    readable = _padded(path)
    old, new = connect(readable), connect(temporary)
    try:
        new.execute("PRAGMA synchronous = FULL")
        new.execute("BEGIN")
        SWEEPS.create(new)
        for row in _rows(old, "session"):
            new.execute("INSERT INTO session VALUES (?, ?, ?, ?)", row)
        cells, chunks = _cells(old, new), 0
        for row in _rows(old, "chunk"):
            with suppress(sqlite3.Error):
                chunks += _chunk(old, new, cells, row)
        new.execute("COMMIT")
    finally:
        old.close()
        new.close()
        for ending in ("", "-journal"):
            readable.with_name(readable.name + ending).unlink(missing_ok=True)
    for ending in ("-journal", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    try:
        os.link(path, kept_aside)
    except OSError:  # a file system without links
        shutil.copy2(path, kept_aside)
    temporary.replace(path)
    return f"{len(cells)} cells and {chunks} chunks verify and were kept; {kept_aside} is the old."


def _padded(path: Path) -> Path:
    """A copy of a store, as long as its header says.

    SQLite reads nothing of a file that is shorter than that, though most of it may be sound.
    """
    copy = path.with_name(f".{path.name}.{os.getpid()}.copy")
    shutil.copyfile(path, copy)
    size = copy.stat().st_size
    with copy.open("r+b") as file:
        header = file.read(32)
        page, pages = int.from_bytes(header[16:18], "big"), int.from_bytes(header[28:32], "big")
        whole = (65536 if page == 1 else page) * pages
        if size < whole <= 1000 * size:  # more than that is a damaged header
            file.truncate(whole)
    return copy


def _rows(connection: sqlite3.Connection, table: str) -> Iterator[tuple]:
    """The rows of a table that can be read, by number."""
    for number in list(_numbers(connection, table)):
        try:
            row = connection.execute(f"SELECT * FROM {table} WHERE id = ?", (number,)).fetchone()
        except sqlite3.Error:
            continue
        if row is not None:
            yield row


def _numbers(connection: sqlite3.Connection, table: str) -> Iterator[int]:
    """The numbers of a table's rows, with ever longer leaps over what cannot be read."""
    last, leap = 0, 1
    while leap < 2**40:
        try:
            found = connection.execute(f"SELECT id FROM {table} WHERE id > ? ORDER BY id", (last,))
            for (number,) in found:
                if not isinstance(number, int) or number <= last:
                    return  # out of order: what follows cannot be relied on
                yield number
                last, leap = number, 1
            return
        except sqlite3.Error:
            last, leap = last + leap, 2 * leap


def _cells(old: sqlite3.Connection, new: sqlite3.Connection) -> dict[int, str]:
    """Copy the cells that verify, none as finished; their inputs by row."""
    found = {}
    for number, key, inputs, precision, least, used, total in _rows(old, "cell"):
        if cell_checksum(key, inputs, precision, least, used) != total:
            continue
        least = max(least, used or 0)
        open_ = cell_checksum(key, inputs, precision, least, None)
        try:
            new.execute(
                "INSERT INTO cell VALUES (?, ?, ?, ?, ?, NULL, ?)",
                (number, key, inputs, precision, least, open_),
            )
        except sqlite3.IntegrityError:
            continue
        found[number] = inputs
    return found


def _chunk(
    old: sqlite3.Connection, new: sqlite3.Connection, cells: dict[int, str], row: tuple
) -> bool:
    """Copy a chunk if it verifies."""
    key, cell, number, text, total = row[0], row[1], row[2], row[7], row[8]
    if cell not in cells:
        return False
    arrays = arrays_of(old, "chunk", key)
    if chunk_checksum(cells[cell], number, text, arrays) != total:
        return False
    new.execute("INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    insert_arrays(new, key, arrays)
    return True
