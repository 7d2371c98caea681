"""What is in the store: tables, versions, checksums, and SQLite's complaints as sentences.

An ordinary SQLite database: ``sqlite3 results.sqlite .schema`` shows it. Arrays are the bytes of
little-endian float64 or int64 in C order beside their dtype and shape; nothing is ever unpickled.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from finitewidth._version import __version__

SCHEMA = 1
"""Version of the tables, in the database's ``user_version``."""

APPLICATION = 0x66777377
"""The database's ``application_id``: "fwsw"."""

TABLES = """
CREATE TABLE session (
    id INTEGER PRIMARY KEY, closed INTEGER NOT NULL, grid TEXT NOT NULL, provenance TEXT NOT NULL
);
CREATE TABLE cell (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, inputs TEXT NOT NULL,
    precision TEXT NOT NULL, least INTEGER NOT NULL, used INTEGER, checksum BLOB NOT NULL
);
CREATE TABLE chunk (
    id INTEGER PRIMARY KEY, cell INTEGER NOT NULL REFERENCES cell, number INTEGER NOT NULL,
    session INTEGER NOT NULL REFERENCES session, networks INTEGER NOT NULL,
    seconds REAL NOT NULL, host TEXT NOT NULL, summary TEXT NOT NULL, checksum BLOB NOT NULL,
    UNIQUE (cell, number)
);
CREATE TABLE array (
    chunk INTEGER NOT NULL REFERENCES chunk, name TEXT NOT NULL, dtype TEXT NOT NULL,
    shape TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (chunk, name)
);
CREATE TABLE failure (
    cell INTEGER NOT NULL REFERENCES cell, number INTEGER NOT NULL, session INTEGER NOT NULL,
    cause TEXT NOT NULL, PRIMARY KEY (cell, number)
) WITHOUT ROWID;
"""
# `used` is the number of chunks that a finished cell's numbers are made of, NULL until then;
# `least` is what it was when the cell was last asked for with another precision.


@dataclass(frozen=True)
class CellRow:
    """A cell as it is stored.

    Attributes
    ----------
    id : int
    inputs : str
        The cell's text.
    precision : str
        How exactly it was last asked for, as JSON.
    least : int
        Chunks that its numbers were made of before.
    used : int or None
        Chunks that its numbers are made of, if it is finished.
    """

    id: int
    inputs: str
    precision: str
    least: int
    used: int | None


class DamagedStore(RuntimeError):
    """The file's structure is broken, so that SQLite cannot read all of it."""


def connect(path: str | Path, *, uri: bool = False) -> sqlite3.Connection:
    """A connection to a store; text with a damaged byte is read, so that its checksum can tell."""
    connection = sqlite3.connect(
        path, timeout=60, isolation_level=None, check_same_thread=False, uri=uri
    )
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    return connection


def refuse_others(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a database of something else, or of another version of the tables.

    Raises
    ------
    ValueError
        The sentence says which.
    """
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION:
        raise ValueError(
            f"{path} is an SQLite database but no store of a sweep; give another path."
        )
    if version != SCHEMA:
        raise ValueError(
            f"{path} is written in version {version} of the store and finitewidth {__version__} "
            f"knows version {SCHEMA}; use the finitewidth that wrote it, or start a new store."
        )


@contextmanager
def told(path: Path) -> Iterator[None]:
    """SQLite's own complaints as one sentence.

    Raises
    ------
    DamagedStore
        If the database's structure is broken.
    ValueError
        If the file is no database.
    RuntimeError
        If it cannot be read or written, e.g. because the disk is full.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        if "malformed" in str(error):
            raise DamagedStore(f"{path} is damaged as an SQLite file ({error}).") from error
        raise RuntimeError(
            f"{path} cannot be read or written: {error}; what was stored before is intact."
        ) from error
    except sqlite3.DatabaseError as error:
        if "not a database" in str(error):
            raise ValueError(
                f"{path} is no SQLite database, so no store of a sweep; give another path."
            ) from error
        raise DamagedStore(f"{path} is damaged as an SQLite file ({error}).") from error
