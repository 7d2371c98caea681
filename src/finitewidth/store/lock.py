"""One writer of a store at a time."""

import sqlite3
from pathlib import Path

from finitewidth._files import to_write


class Lock:
    """A lock on a file beside the store, given back when the process ends, however it ends.

    The file, ``results.sqlite.lock``, is an SQLite database that stays empty: an open exclusive
    transaction on it is the lock, which works on every system, between threads and, where the
    file system has locks at all, between machines.

    Parameters
    ----------
    store : path
    writer : str
        Who is refused, e.g. ``"sweep"``.

    Raises
    ------
    ValueError
        If its file is none, or cannot be written.
    RuntimeError
        If another one holds it.
    """

    def __init__(self, store: Path, writer: str) -> None:
        path = to_write(store.with_name(store.name + ".lock"), name="the lock of the store")
        connection = None
        try:
            connection = sqlite3.connect(
                path, timeout=0.5, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA journal_mode = MEMORY")
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
            if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
                raise RuntimeError(
                    f"another {writer} is running on {store}; wait until it ends, or give another "
                    "store."
                ) from None
            raise RuntimeError(
                f"{path}, the lock of the store, cannot be taken: {error}."
            ) from error
        self._connection = connection

    def release(self) -> None:
        """Let the next one on."""
        self._connection.close()
