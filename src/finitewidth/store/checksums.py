"""Arrays as rows of a table, and checksums over rows.

A file has a table ``array``: the number of what an array belongs to, then name, dtype, shape and
bytes. The bytes are little-endian float64 or int64 in C order, so nothing is ever unpickled.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

import numpy as np

DTYPES = {"<f8": np.dtype("<f8"), "<i8": np.dtype("<i8")}

PackedArray = tuple[str, str, str, bytes]
"""Name, dtype, shape, bytes of an array."""


def packed(arrays: Mapping[str, object]) -> list[PackedArray]:
    """Arrays as rows, sorted by name.

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


def unpacked(rows: Iterable[PackedArray]) -> dict[str, np.ndarray]:
    """The arrays of rows whose checksum was right; copies, so that they may be written to."""
    return {
        name: np.frombuffer(data, DTYPES[dtype]).reshape(json.loads(shape)).copy()
        for name, dtype, shape, data in rows
    }


def arrays_of(connection: sqlite3.Connection, owner: str, number: int) -> list[PackedArray]:
    """The arrays of a row of another table, e.g. of ``record`` number 7, as they are stored."""
    rows = connection.execute(
        f"SELECT name, dtype, shape, data FROM array WHERE {owner} = ? ORDER BY name", (number,)
    )
    return rows.fetchall()


def insert_arrays(connection: sqlite3.Connection, number: int, rows: Iterable[PackedArray]) -> None:
    """Enter the arrays of row `number` of another table."""
    connection.executemany(
        "INSERT INTO array VALUES (?, ?, ?, ?, ?)", ((number, *row) for row in rows)
    )


def as_json(value: Mapping[str, Any]) -> str:
    """Canonical JSON: sorted keys, and no nan, which JSON does not have."""
    return json.dumps(value, sort_keys=True, allow_nan=False, ensure_ascii=False)


def checksum(parts: Iterable[object], rows: Iterable[PackedArray] = ()) -> bytes:
    """BLAKE2b over parts and arrays, each preceded by its length so that nothing can shift."""
    total = blake2b(digest_size=32)
    for part in (*parts, *(field for row in rows for field in row)):
        data = part if isinstance(part, bytes) else str(part).encode()
        total.update(len(data).to_bytes(8, "little"))
        total.update(data)
    return total.digest()


def digest(array: object) -> str:
    """Type, shape and bytes of an array as 32 hexadecimal digits, to compare arrays by."""
    return checksum((), packed({"": array})).hex()[:32]
