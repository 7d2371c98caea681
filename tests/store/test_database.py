"""The SQLite ground by itself: whose file it is, and all or nothing."""

import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from finitewidth.store.database import DamagedFile, Format, FormatReader, transaction
from finitewidth.store.lock import Lock

NUMBERS = Format(0x66776E75, 3, "CREATE TABLE number (value INTEGER);", "list", "numbers")


def begin(path: Path, form: Format = NUMBERS) -> bool:
    """Enter one number; whether the file was new."""
    with form.begun_or_continued(path, ("synchronous = FULL",)) as (connection, is_new):
        connection.execute("INSERT INTO number VALUES (7)")
    connection.close()
    return is_new


def count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as raw:
        return raw.execute("SELECT count(*) FROM number").fetchone()[0]


def test_a_file_is_begun_once_and_then_continued(tmp_path: Path) -> None:
    assert [begin(tmp_path / "n") for _ in range(3)] == [True, False, False]
    assert count(tmp_path / "n") == 3
    with FormatReader(tmp_path / "n", NUMBERS) as reader:
        assert reader._rows("SELECT DISTINCT value FROM number") == [(7,)]
        with pytest.raises(RuntimeError, match="cannot be read or written: attempt to write"):
            reader._rows("DELETE FROM number")


def test_an_error_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "n"
    with suppress(KeyError), NUMBERS.begun_or_continued(path, ()) as (connection, _):
        connection.execute("INSERT INTO number VALUES (1)")
        raise KeyError
    with pytest.raises(ValueError, match="is empty: no list was begun in it"):
        FormatReader(path, NUMBERS)
    begin(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        with suppress(KeyError), transaction(raw):
            raw.execute("INSERT INTO number VALUES (1)")
            raise KeyError
        with transaction(raw):
            raw.execute("INSERT INTO number VALUES (1)")
    assert count(path) == 2


OTHERS = {
    "another kind": (replace(NUMBERS, application=5), "is an SQLite database but no list of numb"),
    "another version": (
        replace(NUMBERS, version=4),
        "in version 3 of the list format and .* 4",
    ),
}


@pytest.mark.parametrize(("form", "sentence"), OTHERS.values(), ids=OTHERS.keys())
def test_other_files_are_refused_and_left_alone(
    tmp_path: Path, form: Format, sentence: str
) -> None:
    begin(tmp_path / "n")
    content = (tmp_path / "n").read_bytes()
    with pytest.raises(ValueError, match=sentence):
        begin(tmp_path / "n", form)
    with pytest.raises(ValueError, match=sentence):
        FormatReader(tmp_path / "n", form)
    assert (tmp_path / "n").read_bytes() == content


def test_complaints_of_sqlite_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no list .*none; give the path of one"):
        FormatReader(tmp_path / "none", NUMBERS)
    (tmp_path / "text").write_text("no database " * 100)
    with pytest.raises(ValueError, match="is no SQLite database, so no list of numbers"):
        begin(tmp_path / "text")
    complaints = {
        sqlite3.OperationalError("disk is full"): (RuntimeError, "disk is full; what was stored"),
        sqlite3.OperationalError("malformed schema"): (DamagedFile, "is damaged as an SQLite"),
        sqlite3.DatabaseError("image is malformed"): (DamagedFile, "is damaged as an SQLite"),
    }
    for complaint, (kind, sentence) in complaints.items():
        with (
            pytest.raises(kind, match=sentence) as told,
            NUMBERS.errors_in_words(tmp_path / "n"),
        ):
            raise complaint
        assert told.type is kind


def test_one_holds_the_lock_at_a_time(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "n", "writer of numbers")
    with pytest.raises(RuntimeError, match=r"another writer of numbers is running on .*n; wait"):
        Lock(tmp_path / "n", "writer of numbers")
    lock.release()
    Lock(tmp_path / "n", "writer of numbers").release()
