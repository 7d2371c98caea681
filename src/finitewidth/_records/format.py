"""What is in the file: tables, arrays as blobs, checksums.

The file is an ordinary SQLite database; ``sqlite3 run.sqlite .schema`` shows it. Arrays are the
bytes of little-endian float64 or int64 in C order beside their dtype and shape, so nothing is ever
unpickled. Every row that carries data has a BLAKE2b checksum over all that it says.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from finitewidth._version import __version__

SCHEMA = 1
"""Version of the tables, in the database's ``user_version``."""

APPLICATION = 0x66777263
"""The database's ``application_id``: "fwrc"."""

TABLES = """
CREATE TABLE experiment (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    kind TEXT NOT NULL, identity TEXT NOT NULL, provenance TEXT NOT NULL, checksum BLOB NOT NULL
);
CREATE TABLE session (
    id INTEGER PRIMARY KEY, start INTEGER, closed INTEGER NOT NULL, provenance TEXT NOT NULL
);
CREATE TABLE record (
    id INTEGER PRIMARY KEY, session INTEGER NOT NULL REFERENCES session, series TEXT NOT NULL,
    step INTEGER NOT NULL, note TEXT NOT NULL, checksum BLOB NOT NULL,
    UNIQUE (series, step, session)
);
CREATE TABLE array (
    record INTEGER NOT NULL, name TEXT NOT NULL, dtype TEXT NOT NULL, shape TEXT NOT NULL,
    data BLOB NOT NULL, PRIMARY KEY (record, name)
);
"""
# Arrays of the experiment itself have record 0; records count from 1.

DTYPES = {"<f8": np.dtype("<f8"), "<i8": np.dtype("<i8")}

Row = tuple[str, str, str, bytes]
"""Name, dtype, shape, bytes of an array."""


class DamagedRecord(RuntimeError):
    """What was read is not what was written."""


@dataclass(frozen=True)
class Record:
    """One record.

    Attributes
    ----------
    series : str
        Which series it belongs to; "" where there is one.
    step : int
        Its place in the series.
    arrays : dict of str to array
        float64 or int64.
    note : dict
        Inputs and remarks, as JSON.
    session : int
        Number of the opening of the file that wrote it.
    """

    series: str
    step: int
    arrays: dict[str, np.ndarray]
    note: dict[str, Any]
    session: int


@dataclass(frozen=True)
class Experiment:
    """What all records of a file share.

    Attributes
    ----------
    kind : str
        E.g. ``"trajectory"``.
    identity : dict
        What a later opening must agree with to continue the file, as JSON.
    provenance : dict
        Who wrote it, when, with which version; not compared.
    arrays : dict of str to array
        Fixed coordinates such as inputs; compared through the identity.
    """

    kind: str
    identity: dict[str, Any]
    provenance: dict[str, Any]
    arrays: dict[str, np.ndarray]


def encoded(arrays: Mapping[str, object]) -> list[Row]:
    """Rows of the table `array`, sorted by name.

    Raises
    ------
    TypeError
        For anything but real numbers.
    """
    rows = []
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        if array.dtype.kind == "f" and array.dtype.itemsize <= 8:
            dtype = "<f8"
        elif array.dtype.kind in "ib" or (array.dtype.kind == "u" and array.dtype.itemsize < 8):
            dtype = "<i8"
        else:
            raise TypeError(
                f"array {name!r} is of type {array.dtype}, expected real numbers that float64 or "
                "int64 hold; convert it first."
            )
        data = np.ascontiguousarray(array, dtype=DTYPES[dtype]).tobytes()
        rows.append((name, dtype, json.dumps(list(array.shape)), data))
    return rows


def decoded(rows: Iterable[Row]) -> dict[str, np.ndarray]:
    """The arrays of rows whose checksum was found right; copies, so that they may be written to."""
    return {
        name: np.frombuffer(data, DTYPES[dtype]).reshape(json.loads(shape)).copy()
        for name, dtype, shape, data in rows
    }


def as_json(value: Mapping[str, Any]) -> str:
    """Canonical JSON: sorted keys, and no nan, which JSON does not have."""
    return json.dumps(value, sort_keys=True, allow_nan=False, ensure_ascii=False)


def checksum(parts: Iterable[object], rows: Iterable[Row]) -> bytes:
    """BLAKE2b over parts and arrays, each preceded by its length so that nothing can shift."""
    found = blake2b(digest_size=32)
    for part in (*parts, *(field for row in rows for field in row)):
        data = part if isinstance(part, bytes) else str(part).encode()
        found.update(len(data).to_bytes(8, "little"))
        found.update(data)
    return found.digest()


def digest(array: object) -> str:
    """Type, shape and bytes of an array as 32 hexadecimal digits, to compare arrays by."""
    return checksum((), encoded({"": array})).hex()[:32]


def rows_of(connection: sqlite3.Connection, record: int) -> list[Row]:
    """The arrays of a record as they are in the file."""
    found = connection.execute(
        "SELECT name, dtype, shape, data FROM array WHERE record = ? ORDER BY name", (record,)
    )
    return found.fetchall()


def read_experiment(connection: sqlite3.Connection, path: Path) -> Experiment:
    """The experiment of a file whose version was checked.

    Raises
    ------
    DamagedRecord
        If its checksum is wrong.
    """
    row = connection.execute(
        "SELECT kind, identity, provenance, checksum FROM experiment"
    ).fetchone()
    rows = rows_of(connection, 0)
    if row is None or checksum(row[:3], rows) != row[3]:
        raise DamagedRecord(
            f"{path}: the description of the experiment is damaged (its checksum is wrong), so its "
            "records cannot be interpreted; restore the file from a copy."
        )
    return Experiment(row[0], json.loads(row[1]), json.loads(row[2]), decoded(rows))


def is_new(connection: sqlite3.Connection) -> bool:
    """Whether the database is still empty, as after a kill at the very beginning."""
    return connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0


def refuse_others(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a database of something else, or of another version of the format.

    Raises
    ------
    ValueError
        The sentence says which.
    """
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION:
        raise ValueError(
            f"{path} is an SQLite database but no record of finitewidth; give another path."
        )
    if version != SCHEMA:
        raise ValueError(
            f"{path} is written in version {version} of the record format and finitewidth "
            f"{__version__} knows version {SCHEMA}; use the finitewidth that wrote it, or start a "
            "new file."
        )
