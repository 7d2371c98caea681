"""The store: damage is found and computed again, others are refused, one writer at a time."""

import sqlite3
from pathlib import Path
from typing import cast

import pytest
import xarray

import finitewidth as fw
from finitewidth.sweep.store import Writer


@pytest.fixture
def store(tmp_path: Path, small: dict) -> Path:
    """A finished sweep."""
    small["precision"]["max_networks"] = 4096
    fw.sweep.run(small, tmp_path / "s.sqlite")
    return tmp_path / "s.sqlite"


def same(one: xarray.Dataset, other: xarray.Dataset) -> None:
    xarray.testing.assert_equal(one, other)


def change(store: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(store)
    with connection:
        assert connection.execute(statement, values).rowcount == 1
    connection.close()


ARRAY = "chunk = (SELECT min(chunk) FROM array) AND name = 'kernel'"
DAMAGE = {
    "a number": "UPDATE chunk SET summary = replace(summary, '.', '.1') WHERE id = 2",
    "an array": f"UPDATE array SET data = zeroblob(1280) WHERE {ARRAY}",
    "a lost array": f"DELETE FROM array WHERE {ARRAY}",
    "another cell": "UPDATE chunk SET cell = 1, number = 7 WHERE id = 2",
    "inputs": "UPDATE cell SET inputs = replace(inputs, '5', '6') WHERE id = 3",
    "finished": "UPDATE cell SET used = 9 WHERE id = 5",
    "a lost cell": "DELETE FROM cell WHERE id = 4",
    "a lost chunk": "DELETE FROM chunk WHERE id = 4",
}


@pytest.mark.parametrize("statement", DAMAGE.values(), ids=DAMAGE.keys())
def test_what_was_changed_is_computed_again(store: Path, small: dict, statement: str) -> None:
    before = fw.sweep.open(store)
    change(store, statement)
    with pytest.warns(RuntimeWarning, match=r"of 8 cells are damaged .*computes them anew"):
        damaged = fw.sweep.open(store)
    assert damaged.sizes == before.sizes
    for name in before.coords:
        xarray.testing.assert_equal(damaged[name], before[name])
    assert 1 <= int((~damaged.complete).sum()) <= 2
    assert "cells are damaged" in damaged.attrs["damage"]
    known = damaged.complete
    xarray.testing.assert_equal(before.kernel_mean.where(known), damaged.kernel_mean.where(known))
    done = fw.sweep.run(small, store)
    assert done.complete
    assert done.computed <= 2
    same(before, fw.sweep.open(store))
    assert fw.sweep.run(small, store).messages == []


FLIPS = ["key", "inputs", "precision", "least", "used", "checksum"]


@pytest.mark.parametrize("column", FLIPS)
def test_one_flipped_byte_in_any_cell_keeps_the_shape(store: Path, column: str) -> None:
    before, content = fw.sweep.open(store), store.read_bytes()
    for cell in range(1, 9):
        store.write_bytes(content)
        connection = sqlite3.connect(store)
        (value,) = connection.execute(f"SELECT {column} FROM cell WHERE id = ?", (cell,)).fetchone()
        data = value if isinstance(value, bytes) else str(value).encode()
        flipped: object = data[:5] + bytes([data[5] ^ 1]) + data[6:] if len(data) > 5 else None
        if isinstance(value, str):
            flipped = cast("bytes", flipped).decode()
        elif isinstance(value, int):
            flipped = value ^ 64
        with connection:
            connection.execute(f"UPDATE cell SET {column} = ? WHERE id = ?", (flipped, cell))
        connection.close()
        with pytest.warns(RuntimeWarning, match="1 of 8 cells are damaged"):
            found = fw.sweep.open(store)
        assert found.sizes == before.sizes
        assert found.complete.values.ravel().tolist() == [place != cell - 1 for place in range(8)]
        for name in before.coords:
            xarray.testing.assert_equal(found[name], before[name])
        status = fw.sweep.status(store)
        assert "1 of 8 cells are damaged" in " ".join(status.page().lead)
        assert sum(one.finished for one in status.methods.values()) == 7


def test_a_damaged_row_that_nothing_tells_is_counted(store: Path) -> None:
    change(store, "UPDATE cell SET inputs = 'x', key = 'y' WHERE id = 3")
    change(store, "UPDATE session SET grid = '{'")
    with pytest.warns(RuntimeWarning, match="1 of 8 cells .* the grid's shape is not whole"):
        found = fw.sweep.open(store)
    assert found.sizes == {"cell": 7}


def test_an_index_that_misses_a_row_is_told(store: Path) -> None:
    connection = sqlite3.connect(store)
    (root,) = connection.execute(
        "SELECT rootpage FROM sqlite_master WHERE type = 'index' AND tbl_name = 'chunk'"
    ).fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    content = bytearray(store.read_bytes())
    assert content[(root - 1) * size + 4] == 8  # the entries of the page: every chunk
    content[(root - 1) * size + 4] ^= 8
    store.write_bytes(bytes(content))
    with pytest.warns(RuntimeWarning, match=r"damaged as an SQLite file .*of 8 cells are damaged"):
        found = fw.sweep.open(store)
    assert not found.complete.any()
    assert found.complete.size == 8


def test_samples_are_whole_or_refused(tmp_path: Path, small: dict) -> None:
    store = tmp_path / "s.sqlite"
    small["axes"] |= {"method": "dense", "width": 4, "depth": 2}
    small["precision"]["max_networks"] = 256
    fw.sweep.run(small | {"samples": True}, store)
    whole = fw.sweep.samples(store, method="dense")["kernel"]
    connection = sqlite3.connect(store)
    (count,) = connection.execute("SELECT count(*) FROM chunk").fetchone()
    connection.close()
    assert len(whole) >= 256
    change(store, "UPDATE chunk SET networks = networks, summary = summary || ' ' WHERE number = 0")
    with pytest.raises(RuntimeError, match=f"1 of the {count} chunks of this cell are damaged"):
        fw.sweep.samples(store, method="dense")


@pytest.mark.parametrize("share", [0.75, 0.95])
def test_a_truncated_store_keeps_what_verifies(store: Path, small: dict, share: float) -> None:
    before = fw.sweep.open(store)
    content = store.read_bytes()
    store.write_bytes(content[: int(share * len(content)) // 4096 * 4096])
    done = fw.sweep.run(small, store)
    assert done.complete
    (message,) = done.messages
    assert "damaged as an SQLite file" in message
    same(before, fw.sweep.open(store))
    assert len(list(store.parent.glob("*.damaged-*"))) == 1
    assert done.computed < 8


def test_a_cell_that_lost_a_chunk_is_not_complete(tmp_path: Path, small: dict) -> None:
    store = tmp_path / "s.sqlite"
    small["axes"] |= {"method": "sampler", "width": 4, "depth": 2}
    fw.sweep.run(small, store)
    assert int(fw.sweep.open(store).networks) == 16384
    change(store, "DELETE FROM chunk WHERE number = 2")
    with pytest.warns(RuntimeWarning, match="1 of 1 cells are damaged"):
        found = fw.sweep.open(store)
    assert (int(found.networks), bool(found.complete)) == (8192, False)


def test_another_version_is_refused_and_left_alone(store: Path, small: dict) -> None:
    connection = sqlite3.connect(store)
    connection.execute("PRAGMA user_version = 0")
    connection.close()
    content = store.read_bytes()
    for attempt in (lambda: fw.sweep.run(small, store), lambda: fw.sweep.open(store)):
        with pytest.raises(
            ValueError, match=r"version 0 of the store format and finitewidth .* knows version 1"
        ):
            attempt()
    assert store.read_bytes() == content


def test_another_database_and_another_file_are_refused(tmp_path: Path, small: dict) -> None:
    other, text = tmp_path / "other.sqlite", tmp_path / "text.sqlite"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    text.write_text("This is no database, however long one reads on in it. " * 100)
    for path, sentence in ((other, "no store of a sweep"), (text, "no SQLite database")):
        content = path.read_bytes()
        with pytest.raises(ValueError, match=sentence):
            fw.sweep.run(small, path)
        with pytest.raises(ValueError, match=sentence):
            fw.sweep.open(path)
        assert path.read_bytes() == content


def test_a_second_sweep_is_refused_and_the_store_can_be_read(store: Path, small: dict) -> None:
    writer = Writer(store, {})
    with pytest.raises(RuntimeError, match=r"another sweep is running on .*s.sqlite; wait until"):
        fw.sweep.run(small, store)
    assert bool(fw.sweep.open(store).complete.all())
    writer.close()
    assert fw.sweep.run(small, store).complete


def test_a_writer_that_was_replaced_may_not_write(store: Path) -> None:
    """Where the file system has no locks this is what is left."""
    writer = Writer(store, {})
    change(store, "INSERT INTO session VALUES (99, 0, '{}', '{}')")
    with pytest.raises(RuntimeError, match="was continued by another process"):
        writer.commit([], {})
    writer.close()


def test_salvaging_ends_whatever_the_numbers_of_the_rows(store: Path, small: dict) -> None:
    before = fw.sweep.open(store)
    change(store, "UPDATE session SET id = 1 << 60")
    content = store.read_bytes()
    store.write_bytes(content[: len(content) // 2 // 4096 * 4096])
    assert fw.sweep.run(small, store).complete
    same(before, fw.sweep.open(store))
