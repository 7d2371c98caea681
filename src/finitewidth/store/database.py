"""The SQLite ground: kinds of files, connections, transactions, and complaints as sentences.

Every file is an ordinary SQLite database; ``sqlite3 FILE .schema`` shows it. Its ``application_id``
says what it is, its ``user_version`` in which version of the tables.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from finitewidth._files import to_read, to_write
from finitewidth._version import __version__

Opened = TypeVar("Opened", bound="OpenFile")


class DamagedFile(RuntimeError):
    """What was read is not what was written."""


@dataclass(frozen=True)
class Format:
    """One kind of file.

    Attributes
    ----------
    application : int
        Four letters, in the database's ``application_id``.
    version : int
        Of the tables, in its ``user_version``.
    tables : str
        Statements that make them, with a semicolon after each.
    noun, of : str
        What such a file is called in sentences, e.g. a "record" of "finitewidth".
    """

    application: int
    version: int
    tables: str
    noun: str
    of: str

    def create(self, connection: sqlite3.Connection) -> None:
        """Make the tables of a new file, inside a transaction."""
        for statement in self.tables.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {self.application}")
        connection.execute(f"PRAGMA user_version = {self.version}")

    @contextmanager
    def begun_or_continued(
        self, path: Path, pragmas: Iterable[str]
    ) -> Iterator[tuple[sqlite3.Connection, bool]]:
        """A connection for a writer, and whether the file is new; inside, one transaction.

        After an error the file is as it was, and closed; raises as `refuse_others` and
        `errors_in_words`.
        """
        to_write(path, name=f"the {self.noun}")
        with self.errors_in_words(path):
            connection = connect(path)
            try:
                if not is_empty(connection):  # first of all, so that another file is not touched
                    self.refuse_others(connection, path)
                for pragma in pragmas:
                    connection.execute(f"PRAGMA {pragma}")
                with transaction(connection):
                    is_new = is_empty(connection)
                    if is_new:
                        self.create(connection)
                    else:
                        self.refuse_others(connection, path)
                    yield connection, is_new
            except BaseException:
                connection.close()
                raise

    def refuse_others(self, connection: sqlite3.Connection, path: Path) -> None:
        """Refuse a database of something else, or of another version of the tables.

        Raises
        ------
        ValueError
            The sentence says which.
        DamagedFile
            If a table is missing.
        """
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if application != self.application:
            raise ValueError(
                f"{path} is an SQLite database but no {self.noun} of {self.of}; give another path."
            )
        if version != self.version:
            raise ValueError(
                f"{path} is written in version {version} of the {self.noun} format and finitewidth "
                f"{__version__} knows version {self.version}; use the finitewidth that wrote it, "
                "or start a new file."
            )
        known = set(re.findall(r"CREATE TABLE (\w+)", self.tables))
        entries = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
        for kind, name, statement in entries:
            # A view or a virtual table may compute without an end when it is read.
            if kind not in ("table", "index") or "VIRTUAL" in str(statement).upper().split()[:2]:
                raise ValueError(
                    f"{path} holds {name!r}, which is no table but a {kind} that runs when it is "
                    f"read, and no {self.noun} of {self.of} has any; give another path."
                )
        missing = sorted(known - {name for kind, name, _ in entries if kind == "table"})
        if missing:
            raise DamagedFile(
                f"{path} is damaged: its table {missing[0]!r} is missing or cannot be named."
            )

    @contextmanager
    def errors_in_words(self, path: Path) -> Iterator[None]:
        """SQLite's own complaints as one sentence.

        Raises
        ------
        DamagedFile
            If the database's structure is broken.
        ValueError
            If the file is no database.
        RuntimeError
            If it cannot be read or written, e.g. because the disk is full.
        """
        try:
            yield
        except sqlite3.DatabaseError as error:
            if "not a database" in str(error):
                raise ValueError(
                    f"{path} is no SQLite database, so no {self.noun} of {self.of}; give another "
                    "path."
                ) from error
            if isinstance(error, sqlite3.OperationalError) and "malformed" not in str(error):
                raise RuntimeError(
                    f"{path} cannot be read or written: {error}; what was stored before is intact."
                ) from error
            raise DamagedFile(f"{path} is damaged as an SQLite file ({error}).") from error


def connect(path: str | Path, *, uri: bool = False) -> sqlite3.Connection:
    """A connection; text with a damaged byte is read, so that its checksum can tell."""
    connection = sqlite3.connect(
        path, timeout=60, isolation_level=None, check_same_thread=False, uri=uri
    )
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    return connection


def is_empty(connection: sqlite3.Connection) -> bool:
    """Whether nothing was begun in the database yet, as after a kill at the very beginning."""
    return connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All that is written inside becomes visible at its end, or nothing does."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def refuse_if_replaced(connection: sqlite3.Connection, path: Path, session: int) -> None:
    """Refuse to write if a later writer entered itself in the table ``session``.

    Raises
    ------
    RuntimeError
    """
    last = connection.execute("SELECT max(id) FROM session").fetchone()[0]
    if last != session:
        raise RuntimeError(
            f"{path} was continued by another process, so this one may no longer write to it."
        )


class OpenFile:
    """A file that is open until it is closed, or until the end of a ``with``."""

    _connection: sqlite3.Connection

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self: Opened) -> Opened:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class FormatReader(OpenFile):
    """A file of a format, opened for reading only.

    Parameters
    ----------
    path : str or path
    form : Format
    mode : {"ro", "rw"}
        ``"rw"`` where a transaction that was cut off is undone by whoever opens the file next, as
        a rollback journal wants it; nothing else is written.

    Raises
    ------
    ValueError
        If there is no such file, it is of another format, or of another version.
    DamagedFile
        If the file's structure is broken.
    """

    def __init__(self, path: str | Path, form: Format, mode: str = "ro") -> None:
        self.path = Path(path)
        self.form = form
        absent = f"there is no {form.noun} {self.path}; give the path of one, or begin it first."
        to_read(self.path, absent, name=f"the {form.noun}")
        with form.errors_in_words(self.path):
            self._connection = connect(f"{self.path.absolute().as_uri()}?mode={mode}", uri=True)
            try:
                if is_empty(self._connection):
                    raise ValueError(f"{self.path} is empty: no {form.noun} was begun in it.")
                form.refuse_others(self._connection, self.path)
                self._connection.execute("PRAGMA query_only = 1")
            except BaseException:
                self._connection.close()
                raise

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What a query gives, complaints in words."""
        with self.form.errors_in_words(self.path):
            return self._connection.execute(query, values).fetchall()
