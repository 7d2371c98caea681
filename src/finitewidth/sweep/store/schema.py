"""What is in the store: its tables, and what is read from them or written into them."""

from collections.abc import Sequence
from dataclasses import dataclass

from finitewidth.store.checksums import PackedArray, checksum
from finitewidth.store.database import Format

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

SWEEPS = Format(0x66777377, 1, TABLES, "store", "a sweep")
"""The format; its letters are "fwsw"."""


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


@dataclass(frozen=True)
class NewChunk:
    """A chunk as it comes from where it was computed.

    Attributes
    ----------
    networks : int
    text, rows
        The packed summary.
    checksum : bytes
        Over cell, number, text and rows.
    contents : tuple of bytes
        Files to be put beside the store; the text names them.
    """

    networks: int
    text: str
    rows: list[PackedArray]
    checksum: bytes
    contents: tuple[bytes, ...] = ()


def chunk_checksum(cell: str, number: int, text: str, rows: Sequence[PackedArray]) -> bytes:
    """The checksum of a chunk together with its cell's full inputs."""
    return checksum((cell, number, text), rows)


def cell_checksum(key: str, inputs: str, precision: str, least: int, used: int | None) -> bytes:
    """The checksum of a cell's row."""
    return checksum((key, inputs, precision, least, used))
