"""What is in a file of records: its tables, a record, and what all records share."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from finitewidth.store.checksums import arrays_of, as_json, checksum, unpacked
from finitewidth.store.database import DamagedFile, Format

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

RECORDS = Format(0x66777263, 1, TABLES, "record", "finitewidth")
"""The format; its letters are "fwrc"."""


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


def session_checksum(number: int, start: int | None, provenance: Mapping[str, Any]) -> str:
    """Over the row of a session; kept in its provenance."""
    rest = {name: value for name, value in provenance.items() if name != "checksum"}
    return checksum((number, start, as_json(rest))).hex()


def session_is_sound(number: int, start: int | None, provenance: Mapping[str, Any]) -> bool:
    """Whether a session's row is as it was written; files of 0.1.0 cannot tell."""
    kept = provenance.get("checksum")
    return kept is None or kept == session_checksum(number, start, provenance)


def read_experiment(connection: sqlite3.Connection, path: Path) -> Experiment:
    """The experiment of a file whose version was checked.

    Raises
    ------
    DamagedFile
        If its checksum is wrong.
    """
    row = connection.execute(
        "SELECT kind, identity, provenance, checksum FROM experiment"
    ).fetchone()
    rows = arrays_of(connection, "record", 0)
    if row is None or checksum(row[:3], rows) != row[3]:
        raise DamagedFile(
            f"{path}: the description of the experiment is damaged (its checksum is wrong), so its "
            "records cannot be interpreted; restore the file from a copy."
        )
    return Experiment(row[0], json.loads(row[1]), json.loads(row[2]), unpacked(rows))
