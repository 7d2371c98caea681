"""Tiles of a matrix as tasks: each is written by its worker, its checksum kept by the client."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from finitewidth.store.checksums import checksum
from finitewidth.store.database import Format, transaction
from finitewidth.store.runner import Result, Task

SIZE, TILE = 12, 4

TILES = Format(
    0x66777469,
    1,
    "CREATE TABLE tile (row INTEGER, column INTEGER, checksum BLOB, PRIMARY KEY (row, column));",
    "store",
    "tiles",
)


def content(row: int, column: int) -> np.ndarray:
    """What stands in a tile."""
    rng = np.random.default_rng([row, column])
    return rng.standard_normal((TILE, TILE))


def place(path: Path, row: int, column: int) -> np.ndarray:
    """A tile of the matrix on disk, which may be written to."""
    matrix = np.load(path, mmap_mode="r+")
    return matrix[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]


def write(path: Path, row: int, column: int, killers: tuple[tuple[int, int], ...]) -> bytes:
    """Compute a tile and put it in place; its checksum."""
    if (row, column) in killers:
        os._exit(1)
    tile = content(row, column)
    place(path, row, column)[:] = tile
    return checksum((row, column, tile.tobytes()))


class Tiles:
    """A matrix on disk, created whole, and the checksums of its finished tiles beside it."""

    def __init__(self, folder: Path) -> None:
        self.path, self.database = folder / "matrix.npy", folder / "tiles.sqlite"
        if not self.path.exists():
            np.save(self.path, np.zeros((SIZE, SIZE)))
        self.handled: list[int] = []
        self.causes: dict[object, str] = {}
        with TILES.begun_or_continued(self.database, ()) as (connection, _):
            self._connection = connection

    def tasks(self, killers: tuple[tuple[int, int], ...] = ()) -> list[Task]:
        """One a tile; those far from the corner are called longer."""
        parts = range(SIZE // TILE)
        return [
            Task((row, column), write, (self.path, row, column, killers), 0.1 + row + column,
                 f"tile {row}, {column}")
            for row in parts for column in parts
        ]  # fmt: skip

    def handle(self, results: Sequence[tuple[Task, Result[bytes]]]) -> None:
        """Keep the checksums of what came back together, in one transaction."""
        self.handled.append(len(results))
        with TILES.errors_in_words(self.database), transaction(self._connection):
            for task, result in results:
                if result.cause:
                    self.causes[task.key] = result.cause
                    continue
                row, column = task.arguments[1:3]
                self._connection.execute(
                    "INSERT INTO tile VALUES (?, ?, ?)", (row, column, result.value)
                )

    def kept(self) -> set[tuple[int, int]]:
        """The tiles that are there and whole; the rows of others are removed."""
        rows = self._connection.execute("SELECT row, column, checksum FROM tile").fetchall()
        sound = set()
        for row, column, total in rows:
            if checksum((row, column, place(self.path, row, column).tobytes())) == total:
                sound.add((row, column))
            else:
                self._connection.execute(
                    "DELETE FROM tile WHERE row = ? AND column = ?", (row, column)
                )
        return sound

    def matrix(self) -> np.ndarray:
        """All of it."""
        return np.load(self.path)

    def close(self) -> None:
        """Close the database."""
        self._connection.close()


def expected() -> np.ndarray:
    """The whole matrix."""
    parts = range(SIZE // TILE)
    return np.block([[content(row, column) for column in parts] for row in parts])


def rows(database: Path) -> int:
    """Finished tiles, by SQLite alone."""
    with closing(sqlite3.connect(database)) as raw:
        return raw.execute("SELECT count(*) FROM tile").fetchone()[0]
