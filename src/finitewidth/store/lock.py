"""One writer of a store at a time."""

import sqlite3
from pathlib import Path


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
    RuntimeError
        If another one holds it.
    """

    def __init__(self, store: Path, writer: str) -> None:
        path = store.with_name(store.name + ".lock")
        self._connection = sqlite3.connect(
            path, timeout=0.5, isolation_level=None, check_same_thread=False
        )
        try:
            self._connection.execute("PRAGMA journal_mode = MEMORY")
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            self._connection.close()
            if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
                raise RuntimeError(
                    f"another {writer} is running on {store}; wait until it ends, or give another "
                    "store."
                ) from None
            raise RuntimeError(
                f"{path}, the lock of the store, cannot be taken: {error}."
            ) from error

    def release(self) -> None:
        """Let the next one on."""
        self._connection.close()
