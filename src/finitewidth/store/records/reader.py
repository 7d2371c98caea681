"""Reading a file of records, also while it is being written."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from finitewidth.store.checksums import arrays_of, checksum, unpacked
from finitewidth.store.database import DamagedFile, FormatReader
from finitewidth.store.records.format import RECORDS, Experiment, Record, read_experiment

# A later session that started at a step replaces what earlier ones wrote beyond that step.
_VALID = """
SELECT id, session, step, note, checksum FROM record WHERE series = ? AND NOT EXISTS (
    SELECT 1 FROM session WHERE session.id > record.session AND session.start < record.step
) AND step = coalesce(?, step) ORDER BY step, id
"""


class Reader(FormatReader):
    """A file of records, opened for reading only; raises as `FormatReader`.

    Attributes
    ----------
    experiment : Experiment
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(path, RECORDS)
        try:
            with RECORDS.errors_in_words(self.path):
                self.experiment: Experiment = read_experiment(self._connection, self.path)
        except BaseException:
            self.close()
            raise

    def series(self) -> list[str]:
        """Names of all series, in the order of their first record."""
        names = self._rows("SELECT series FROM record GROUP BY series ORDER BY min(id)")
        return [row[0] for row in names]

    def steps(self, series: str = "") -> list[int]:
        """The steps of a series' valid records, ascending; no array is read."""
        return [row[2] for row in self._rows(_VALID, (series, None))]

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
        DamagedFile
            With the step of a record whose checksum is wrong.
        """
        for record in self._checked(series):
            if isinstance(record, Record):
                yield record
            elif not skip_damaged:
                raise record

    def at(self, step: int, series: str = "") -> Record | None:
        """The valid record of one step, None if there is none.

        Raises
        ------
        DamagedFile
            If its checksum is wrong.
        """
        for record in list(self._checked(series, step)):
            if isinstance(record, Record):
                return record
            raise record
        return None

    def damaged(self) -> list[str]:
        """One line for every valid record whose checksum is wrong."""
        records = (record for series in self.series() for record in self._checked(series))
        return [str(record) for record in records if isinstance(record, DamagedFile)]

    def _checked(self, series: str, at: int | None = None) -> Iterator[Record | DamagedFile]:
        """Valid records, of one step or of all, and an error in the place of a damaged one."""
        with RECORDS.errors_in_words(self.path), self._one_moment():
            for key, session, step, note, expected in self._connection.execute(
                _VALID, (series, at)
            ):
                rows = arrays_of(self._connection, "record", key)
                if checksum((key, session, series, step, note), rows) == expected:
                    yield Record(series, step, unpacked(rows), json.loads(note), session)
                    continue
                of = f" of series {series!r}" if series else ""
                yield DamagedFile(
                    f"{self.path}: the record of step {step}{of} is damaged (its checksum is "
                    "wrong); the others can be read with skip_damaged=True."
                )

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
