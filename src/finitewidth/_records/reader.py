"""Reading a file of records, also while it is being written."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from finitewidth._records.format import (
    DamagedRecord,
    Experiment,
    Record,
    checksum,
    decoded,
    is_new,
    read_experiment,
    refuse_others,
    rows_of,
)

# A later session that started at a step replaces what earlier ones wrote beyond that step.
_VALID = """
SELECT id, session, step, note, checksum FROM record WHERE series = ? AND NOT EXISTS (
    SELECT 1 FROM session WHERE session.id > record.session AND session.start < record.step
) ORDER BY step, id
"""


class Reader:
    """A file of records, opened for reading only.

    Parameters
    ----------
    path : str or path

    Attributes
    ----------
    experiment : Experiment

    Raises
    ------
    ValueError
        If there is no such file, it is no file of records, or of another version.
    DamagedRecord
        If the file or the description of the experiment is damaged.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise ValueError(f"there is no file {self.path} to read records from.")
        self._connection = sqlite3.connect(
            f"{self.path.resolve().as_uri()}?mode=ro", uri=True, timeout=30, isolation_level=None,
        )  # fmt: skip
        try:
            with told(self.path):
                if is_new(self._connection):
                    raise ValueError(f"{self.path} is empty: no record was begun in it.")
                refuse_others(self._connection, self.path)
                self.experiment: Experiment = read_experiment(self._connection, self.path)
        except BaseException:
            self._connection.close()
            raise

    def series(self) -> list[str]:
        """Names of all series, in the order of their first record."""
        with told(self.path):
            found = self._connection.execute(
                "SELECT series FROM record GROUP BY series ORDER BY min(id)"
            )
            return [row[0] for row in found]

    def steps(self, series: str = "") -> list[int]:
        """The steps of a series' valid records, ascending; no array is read."""
        with told(self.path):
            return [row[2] for row in self._connection.execute(_VALID, (series,))]

    def records(self, series: str = "", *, skip_damaged: bool = False) -> Iterator[Record]:
        """The valid records of a series by step: as of one moment, even while it is written.

        Records that a resumed run replaced (see `Writer`) are left out.

        Parameters
        ----------
        series : str
        skip_damaged : bool
            Leave damaged records out (see `damaged`) instead of stopping at the first.

        Raises
        ------
        DamagedRecord
            With the step of a record whose checksum is wrong.
        """
        with told(self.path), self._one_moment():
            for row in self._connection.execute(_VALID, (series,)):
                try:
                    record = self._checked(series, *row)
                except DamagedRecord:
                    if not skip_damaged:
                        raise
                    continue
                yield record

    def at(self, step: int, series: str = "") -> Record | None:
        """The valid record of one step, None if there is none.

        Raises
        ------
        DamagedRecord
            If its checksum is wrong.
        """
        with told(self.path), self._one_moment():
            for row in self._connection.execute(_VALID, (series,)):
                if row[2] == step:
                    return self._checked(series, *row)
        return None

    def damaged(self) -> list[str]:
        """One line for every valid record whose checksum is wrong."""
        found = []
        for series in self.series():
            with told(self.path), self._one_moment():
                for row in self._connection.execute(_VALID, (series,)):
                    try:
                        self._checked(series, *row)
                    except DamagedRecord as error:
                        found.append(str(error))
        return found

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> "Reader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _checked(
        self, series: str, key: int, session: int, step: int, note: str, expected: bytes
    ) -> Record:
        rows = rows_of(self._connection, key)
        if checksum((key, session, series, step, note), rows) != expected:
            of = f" of series {series!r}" if series else ""
            raise DamagedRecord(
                f"{self.path}: the record of step {step}{of} is damaged (its checksum is wrong); "
                "the others can be read with skip_damaged=True."
            )
        return Record(series, step, decoded(rows), json.loads(note), session)

    @contextmanager
    def _one_moment(self) -> Iterator[None]:
        """One read transaction: what is written meanwhile is not seen."""
        if self._connection.in_transaction:
            yield
            return
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")


@contextmanager
def told(path: Path) -> Iterator[None]:
    """SQLite's own complaints as one sentence.

    Raises
    ------
    DamagedRecord
        If the database's structure is broken.
    ValueError
        If the file is no database.
    RuntimeError
        If it cannot be read or written.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        raise RuntimeError(f"{path} cannot be read or written: {error}.") from error
    except sqlite3.DatabaseError as error:
        if "not a database" in str(error):
            raise ValueError(
                f"{path} is no SQLite database, so no record of finitewidth; give another path."
            ) from error
        raise DamagedRecord(f"{path} is damaged as an SQLite file ({error}).") from error
