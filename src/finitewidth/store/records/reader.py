"""Reading a file of records, also while it is being written."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from finitewidth.store.checksums import arrays_of, checksum, unpacked
from finitewidth.store.database import DamagedFile, FormatReader
from finitewidth.store.records.format import (
    RECORDS,
    Experiment,
    Record,
    read_experiment,
    session_is_sound,
)

# A later session that started at a step replaces what earlier ones wrote beyond that step.
_WRITTEN = """
SELECT id, session, step, note, checksum, EXISTS (
    SELECT 1 FROM session WHERE session.id > record.session AND session.start < record.step
) AS replaced FROM record WHERE series = ? AND step = coalesce(?, step) ORDER BY step, id
"""
_VALID = f"SELECT step FROM ({_WRITTEN}) WHERE NOT replaced"


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
        return [row[0] for row in self._rows(_VALID, (series, None))]

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

    def refuse_damage_beside(self, known: Collection[str]) -> None:
        """Refuse a file in which a record may be missing without a trace.

        Parameters
        ----------
        known : collection of str
            The series that there may be.

        Raises
        ------
        DamagedFile
            If an index or a page of the file is broken, a session's row is not what was written,
            or there is another series.
        """
        ((found,),) = self._rows("PRAGMA integrity_check(1)")
        told = "" if found == "ok" else " ".join(found.split())
        sessions = self._rows("SELECT id, start, provenance FROM session ORDER BY id")
        ((last,),) = self._rows("SELECT coalesce(max(session), 0) FROM record")
        if [row[0] for row in sessions] != list(range(1, max(last, len(sessions)) + 1)):
            told = "the row of a session is missing"
        for number, start, who in sessions:
            with suppress(ValueError):
                if session_is_sound(number, start, json.loads(who)):
                    continue
            told = f"the row of session {number} is not what was written"
        others = sorted(set(self.series()).difference(known))
        if others:
            told = f"there is a series {others[0]!r}"
        if told:
            raise DamagedFile(
                f"{self.path} is damaged ({told}), so records may be missing; what is left can be "
                "read with skip_damaged=True."
            )

    def _checked(self, series: str, at: int | None = None) -> Iterator[Record | DamagedFile]:
        """Valid records, of one step or of all, and an error in the place of a damaged one."""
        with RECORDS.errors_in_words(self.path), self._one_moment():
            written = self._connection.execute(_WRITTEN, (series, at))
            for step, group in groupby(written, key=itemgetter(2)):
                found, damaged, missing = [], 0, 0
                for key, session, _, note, expected, replaced in group:
                    rows = arrays_of(self._connection, "record", key)
                    if checksum((key, session, series, step, note), rows) != expected:
                        damaged += not replaced
                        missing += 1  # what says that it was replaced may be what is damaged
                    elif not replaced:
                        found.append(
                            Record(series, step, unpacked(rows), json.loads(note), session)
                        )
                yield from found
                of = f" of series {series!r}" if series else ""
                if damaged or (missing and not found):
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
