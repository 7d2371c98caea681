"""The record format: what is written is read back, or its loss is noticed and named."""

import gc
import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from finitewidth.store import database, records
from finitewidth.store.records import DamagedFile, Reader, Writer, digest

IDENTITY = {"net": [3, 4], "rate": 0.1}
FIXED = {"inputs": np.arange(6.0).reshape(2, 3)}


def writer(path: Path, **keywords: object) -> Writer:
    return Writer(path, "trial", IDENTITY, FIXED, **keywords)  # type: ignore[arg-type]


def arrays(step: int) -> dict[str, object]:
    rng = np.random.default_rng(step)
    return {"kernel": rng.standard_normal((3, 3)), "count": np.array([step, 2**62 + step])}


def fill(path: Path, steps: range) -> None:
    with writer(path) as file:
        for step in steps:
            file.append(step, arrays(step), note={"inputs": step})


def steps_of(path: Path) -> list[int]:
    with Reader(path) as reader:
        return reader.steps()


def test_what_is_written_is_read_back_bit_for_bit(tmp_path):
    path = tmp_path / "run.sqlite"
    special = np.array([0.1, -0.0, np.nan, np.inf, 5e-324])
    with writer(path) as file:
        assert file.is_new
        file.append(3, {"a": special, "scalar": 1 / 3, "empty": np.zeros((0, 2)), "yes": True})
        file.append(1, {"small": np.array([0.1], dtype=np.float32)}, note={"μ": [1, None]})
        file.append(0, {"other": np.array([7], dtype=np.int32)}, series="cell 5")
    with Reader(path) as reader:
        assert reader.series() == ["", "cell 5"]
        first, second = reader.records()
        assert (first.step, second.step) == (1, 3)  # by step
        assert first.note == {"μ": [1, None]}
        assert first.arrays["small"].tolist() == [np.float64(np.float32(0.1))]
        assert second.arrays["a"].tobytes() == special.tobytes()
        assert second.arrays["a"].dtype == np.float64
        assert second.arrays["scalar"].shape == ()
        assert second.arrays["scalar"] == 1 / 3
        assert second.arrays["empty"].shape == (0, 2)
        assert second.arrays["yes"].dtype == np.int64
        (other,) = reader.records("cell 5")
        assert other.arrays["other"].tolist() == [7]
        experiment = reader.experiment
    assert experiment.kind == "trial"
    assert experiment.identity == IDENTITY | {"inputs": digest(FIXED["inputs"])}
    assert experiment.provenance["finitewidth"]
    np.testing.assert_array_equal(experiment.arrays["inputs"], FIXED["inputs"])
    assert [p.name for p in tmp_path.iterdir()] == ["run.sqlite"], "one file, once closed"


@pytest.mark.parametrize(
    "bad",
    [
        np.array([object()]),
        np.array(["a"]),
        np.array([1j]),
        np.array([2**63], dtype=np.uint64),
        None,
    ],
)
def test_only_real_numbers_are_stored(tmp_path, bad):
    with writer(tmp_path / "run.sqlite") as file:
        with pytest.raises(TypeError, match=r"array .x. is of type .*, expected real numbers"):
            file.append(0, {"x": bad})
        file.append(0, {"x": 1.0})  # nothing of the first was left
    assert steps_of(tmp_path / "run.sqlite") == [0]


def test_appending_after_reopening_continues(tmp_path):
    path = tmp_path / "run.sqlite"
    fill(path, range(3))
    with writer(path) as file:
        assert not file.is_new
        file.append(3, arrays(3))
    with Reader(path) as reader:
        for record in reader.records():
            for name, array in arrays(record.step).items():
                np.testing.assert_array_equal(record.arrays[name], array)
        assert [record.session for record in reader.records()] == [1, 1, 1, 2]


def test_a_resumed_run_replaces_what_lies_beyond_its_start(tmp_path):
    path = tmp_path / "run.sqlite"
    fill(path, range(6))
    with writer(path, start=3) as file:
        file.append(4, {"kernel": np.zeros((1, 1))})
    with Reader(path) as reader:
        assert reader.steps() == [0, 1, 2, 3, 4]
        assert [record.session for record in reader.records()] == [1, 1, 1, 1, 2]
        found = reader.at(4)
        assert found is not None
        assert found.arrays["kernel"].shape == (1, 1)
        assert reader.at(5) is None
    with sqlite3.connect(path) as raw:  # nothing was deleted
        assert raw.execute("SELECT count(*) FROM record").fetchone() == (7,)
    raw.close()


@pytest.mark.parametrize(
    ("kind", "identity", "fixed", "words"),
    [
        ("other", IDENTITY, FIXED, "of kind 'trial', not 'other'"),
        ("trial", IDENTITY | {"rate": 0.2}, FIXED, r"\(different: rate\)"),
        ("trial", IDENTITY, {"inputs": FIXED["inputs"] + 1e-16}, None),
        ("trial", IDENTITY, {"inputs": FIXED["inputs"] + 1e-15}, r"\(different: inputs\)"),
        ("trial", IDENTITY, {}, r"\(different: inputs\)"),
        ("trial", {**IDENTITY, "new": 1}, FIXED, r"\(different: new\)"),
    ],
)
def test_a_file_of_another_experiment_is_not_continued(tmp_path, kind, identity, fixed, words):
    path = tmp_path / "run.sqlite"
    fill(path, range(1))
    if words is None:  # added to 0 it is another number
        words = r"\(different: inputs\)"
    before = path.read_bytes()
    with pytest.raises(ValueError, match=words):
        Writer(path, kind, identity, fixed, start=0)
    assert path.read_bytes()[100:] == before[100:]  # the header counts changes of the journal
    assert steps_of(path) == [0]


def test_a_check_that_fails_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "run.sqlite"
    fill(path, range(4))

    def refuse() -> None:
        raise ValueError("not this one")

    with pytest.raises(ValueError, match="not this one"):
        writer(path, start=1, check=refuse)
    assert steps_of(path) == [0, 1, 2, 3]


def test_one_step_is_written_once_a_session(tmp_path):
    with writer(tmp_path / "run.sqlite") as file:
        file.append(2, {})
        with pytest.raises(ValueError, match="holds a record of step 2 already"):
            file.append(2, {})
        file.append(2, {}, series="another")


def test_reading_while_writing(tmp_path):
    path = tmp_path / "run.sqlite"
    with writer(path) as file:
        file.append(0, arrays(0))
        with Reader(path) as reader:
            records = reader.records()
            file.append(1, arrays(1))
            assert next(records).step == 0
            file.append(2, arrays(2))  # is not held up by the reader
            assert [record.step for record in records] == [1]  # as of the first answer
            assert reader.steps() == [0, 1, 2]
    assert steps_of(path) == [0, 1, 2]


def flip(path: Path, data: bytes, place: int = 5) -> None:
    """Change one bit of the file, inside the first occurrence of `data`."""
    whole = bytearray(path.read_bytes())
    assert whole.count(data) == 1
    whole[whole.index(data) + place] ^= 1
    path.write_bytes(whole)


def test_a_flipped_bit_is_found_and_named(tmp_path):
    path = tmp_path / "run.sqlite"
    fill(path, range(4))
    flip(path, np.asarray(arrays(2)["kernel"]).tobytes())
    with Reader(path) as reader:
        with pytest.raises(DamagedFile, match="the record of step 2 is damaged"):
            list(reader.records())
        with pytest.raises(DamagedFile, match="step 2"):
            reader.at(2)
        assert reader.at(1) is not None
        (line,) = reader.damaged()
        assert "step 2" in line
        kept = list(reader.records(skip_damaged=True))
    assert [record.step for record in kept] == [0, 1, 3]
    for record in kept:
        np.testing.assert_array_equal(record.arrays["kernel"], arrays(record.step)["kernel"])


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE record SET step = 9 WHERE step = 1",
        "UPDATE record SET note = '{}' WHERE step = 1",
        "UPDATE record SET series = 'x' WHERE step = 1",
        "UPDATE array SET shape = '[1, 9]' WHERE record = 2 AND name = 'kernel'",
        "UPDATE array SET dtype = '<i8' WHERE record = 2 AND name = 'kernel'",
        "UPDATE array SET name = 'renamed' WHERE record = 2 AND name = 'kernel'",
        "DELETE FROM array WHERE record = 2 AND name = 'count'",
        "INSERT INTO array SELECT 2, 'b' || name, dtype, shape, data FROM array WHERE record = 3",
    ],
)
def test_every_field_is_under_the_checksum(tmp_path, change):
    path = tmp_path / "run.sqlite"
    fill(path, range(3))
    with sqlite3.connect(path) as raw:
        raw.execute(change)
    raw.close()
    with Reader(path) as reader:
        assert len(reader.damaged()) == 1


VANISHED = {
    "a session began earlier": "UPDATE session SET start = 0 WHERE id = 2",
    "a session is lost": "DELETE FROM session WHERE id = 2",
    "written before another session": "UPDATE record SET session = 0 WHERE step = 4",
    "another series": "UPDATE record SET series = 'x' WHERE step = 4",
    "a lost last session": "DELETE FROM session WHERE id = 3",
}


@pytest.mark.parametrize("change", VANISHED.values(), ids=VANISHED.keys())
def test_a_record_does_not_vanish_without_a_word(tmp_path, change):
    path = tmp_path / "run.sqlite"
    fill(path, range(4))
    with writer(path, start=2) as file:
        for step in (3, 4, 5):
            file.append(step, arrays(step))
    with writer(path, start=5) as file:
        file.append(6, arrays(6))
    with Reader(path) as reader:
        reader.refuse_damage_beside({""})
        assert [record.step for record in reader.records()] == [0, 1, 2, 3, 4, 5, 6]
    with sqlite3.connect(path) as raw:
        assert raw.execute(change).rowcount == 1
    raw.close()
    with Reader(path) as reader, pytest.raises(DamagedFile, match="damaged"):  # noqa: PT012
        reader.refuse_damage_beside({""})
        list(reader.records())


def test_a_damaged_record_that_was_replaced_does_not_matter(tmp_path):
    path = tmp_path / "run.sqlite"
    fill(path, range(4))
    with writer(path, start=1) as file:
        file.append(2, arrays(7))
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE array SET data = zeroblob(72) WHERE record = 3 AND name = 'kernel'")
    raw.close()
    with Reader(path) as reader:
        assert [record.step for record in reader.records()] == [0, 1, 2]


def test_an_index_that_misses_a_record_is_told(tmp_path):
    path = tmp_path / "run.sqlite"
    fill(path, range(4))
    with sqlite3.connect(path) as raw:
        (root,) = raw.execute(
            "SELECT rootpage FROM sqlite_master WHERE type = 'index' AND tbl_name = 'record'"
        ).fetchone()
        (size,) = raw.execute("PRAGMA page_size").fetchone()
    raw.close()
    content = bytearray(path.read_bytes())
    assert content[(root - 1) * size + 4] == 4  # the entries of the page
    content[(root - 1) * size + 4] ^= 4
    path.write_bytes(bytes(content))
    with Reader(path) as reader, pytest.raises(DamagedFile, match="so records may be missing"):
        reader.refuse_damage_beside({""})


@pytest.mark.parametrize("kind", ["view", "virtual", "trigger"])
def test_a_table_that_computes_is_refused(tmp_path, kind):
    path = tmp_path / "run.sqlite"
    fill(path, range(2))
    with sqlite3.connect(path) as raw:
        if kind == "trigger":
            raw.execute("CREATE TRIGGER t AFTER INSERT ON record BEGIN SELECT 1; END")
        else:
            raw.execute("ALTER TABLE record RENAME TO kept")
        if kind == "view":
            raw.execute(
                "CREATE VIEW record AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id FROM "
                "n) SELECT id, 1 session, '' series, id step, '' note, x'' checksum FROM n"
            )
        if kind == "virtual":
            raw.execute(
                "CREATE VIRTUAL TABLE record USING fts5(session, series, step, note, checksum)"
            )
    raw.close()
    for opening in (Reader, writer):
        with pytest.raises(ValueError, match=r"holds '\w+', which is no table but a"):
            opening(path)


def test_a_missing_table_is_damage(tmp_path):
    path = tmp_path / "run.sqlite"
    fill(path, range(2))
    with sqlite3.connect(path) as raw:
        raw.execute("ALTER TABLE record RENAME TO recorc")
    raw.close()
    with pytest.raises(DamagedFile, match="its table 'record' is missing"):
        Reader(path)


def test_a_damaged_description_is_noticed(tmp_path):
    path = tmp_path / "run.sqlite"
    fill(path, range(1))
    flip(path, FIXED["inputs"].tobytes())
    with pytest.raises(DamagedFile, match="the description of the experiment is damaged"):
        Reader(path)
    with pytest.raises(DamagedFile, match="the description of the experiment is damaged"):
        writer(path)


def test_a_broken_database_is_one_sentence(tmp_path):
    path = tmp_path / "run.sqlite"
    fill(path, range(40))
    path.write_bytes(path.read_bytes()[:-8192])
    with pytest.raises(DamagedFile, match="damaged as an SQLite file"):
        steps_of(path)


@pytest.mark.parametrize("version", [0, 2, 17])
def test_another_version_is_refused(tmp_path, version):
    path = tmp_path / "run.sqlite"
    fill(path, range(1))
    raw = sqlite3.connect(path)
    raw.execute(f"PRAGMA user_version = {version}")
    raw.close()
    words = f"written in version {version} of the record format .* knows version 1; use the"
    with pytest.raises(ValueError, match=words):
        Reader(path)
    with pytest.raises(ValueError, match=words):
        writer(path)


def test_files_of_others_are_refused_and_left_alone(tmp_path):
    path = tmp_path / "mine.sqlite"
    raw = sqlite3.connect(path)
    raw.execute("CREATE TABLE mine (a)")
    raw.close()
    text = tmp_path / "notes.txt"
    text.write_text("not a database " * 100)
    before = path.read_bytes(), text.read_bytes()
    for opening in (Reader, writer):
        with pytest.raises(ValueError, match="but no record of finitewidth"):
            opening(path)
        with pytest.raises(ValueError, match="is no SQLite database"):
            opening(text)
    assert (path.read_bytes(), text.read_bytes()) == before
    with pytest.raises(ValueError, match="there is no record"):
        Reader(tmp_path / "missing.sqlite")
    with pytest.raises(ValueError, match=r"the record is .*, but there is no folder"):
        writer(tmp_path / "no" / "run.sqlite")


def test_an_empty_file_is_begun(tmp_path):
    path = tmp_path / "run.sqlite"
    path.touch()  # as a kill right after the creation leaves it
    with pytest.raises(ValueError, match="is empty: no record was begun"):
        Reader(path)
    with writer(path) as file:
        assert file.is_new


def test_a_second_writer_is_refused_while_the_first_is_open(tmp_path):
    path = tmp_path / "run.sqlite"
    first = writer(path)
    first.append(0, {})
    with pytest.raises(RuntimeError, match="is being written by this process; close it there"):
        writer(path)
    first.append(1, {})
    first.close()
    with pytest.raises(RuntimeError, match="was closed; open it again"):
        first.append(2, {})
    with writer(path) as second:
        second.append(2, {})
    assert steps_of(path) == [0, 1, 2]


# From Python 3.13 on, sqlite3 says of its own accord that a connection was not closed.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_writer_that_was_forgotten_does_not_lock_the_file(tmp_path):
    path = tmp_path / "run.sqlite"
    first = writer(path)
    first.append(0, {})
    del first
    gc.collect()
    with writer(path) as second:
        second.append(1, {})
    assert steps_of(path) == [0, 1]


WRITER = """
import sys, time
import numpy as np
from finitewidth.store.records import Writer
file = Writer(sys.argv[1], "trial", {"net": [3, 4], "rate": 0.1},
              {"inputs": np.arange(6.0).reshape(2, 3)})
step = int(sys.argv[2])
while True:
    rng = np.random.default_rng(step)
    file.append(step, {"kernel": rng.standard_normal((3, 3)),
                       "count": np.array([step, 2**62 + step])})
    print(step, flush=True)
    step += 1
"""


def start(path: Path, step: int = 0) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WRITER, str(path), str(step)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def told(process: "subprocess.Popen[str]", count: int) -> list[int]:
    """The steps that the process says are written; the first `count`, then all after a kill."""
    assert process.stdout is not None
    return [int(process.stdout.readline()) for _ in range(count)]


def killed(process: "subprocess.Popen[str]") -> list[int]:
    assert process.stdout is not None
    process.send_signal(signal.SIGKILL)
    with process.stdout:
        rest = process.stdout.read()  # what was buffered is part of it
    process.wait(timeout=60)
    whole = rest[: rest.rfind("\n") + 1]
    return [int(line) for line in whole.split()]


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_a_process_killed_again_and_again_loses_no_finished_record(tmp_path):
    path, next_step = tmp_path / "run.sqlite", 0
    for count in (1, 30, 7, 90):
        process = start(path, next_step)
        written = told(process, count)
        if count == 30:
            assert steps_of(path)[-1] >= written[-1], "another process reads it meanwhile"
            with pytest.raises(RuntimeError, match=f"being written by process {process.pid}"):
                writer(path)
        written += killed(process)
        with Reader(path) as reader:
            records = list(reader.records())
        steps = [record.step for record in records]
        assert steps == list(range(len(steps)))
        # what was said to be written is there, and at most the one that was being told
        assert written[-1] <= steps[-1] <= written[-1] + 1
        for record in records:
            for name, array in arrays(record.step).items():
                np.testing.assert_array_equal(record.arrays[name], array)
        next_step = len(steps)
    with writer(path) as file:
        file.append(next_step, {})
    assert steps_of(path) == list(range(next_step + 1))
    assert [p.name for p in tmp_path.iterdir()] == ["run.sqlite"]


def test_a_writer_that_was_replaced_may_not_append(tmp_path):
    """As after a move to another machine, where nobody can tell whether the first still runs."""
    path = tmp_path / "run.sqlite"
    first = writer(path)
    first.append(0, {})
    raw = sqlite3.connect(path)
    raw.execute("UPDATE session SET provenance = json_set(provenance, '$.host', 'elsewhere')")
    raw.commit()
    raw.close()
    second = writer(path)
    with pytest.raises(RuntimeError, match="was continued by another process"):
        first.append(1, {"kernel": 1.0})
    second.append(1, {"kernel": 2.0})
    first.close()
    second.close()
    with Reader(path) as reader:
        assert [float(record.arrays["kernel"]) for record in reader.records() if record.step] == [2]


def test_a_full_disk_is_one_sentence_and_loses_nothing(tmp_path):
    path = tmp_path / "run.sqlite"
    with writer(path) as file:
        file.append(0, arrays(0))
        pages = file._connection.execute("PRAGMA page_count").fetchone()[0]
        file._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(RuntimeError, match="cannot be read or written: database or disk is"):
            file.append(1, {"big": np.zeros(10_000)})
        file.append(2, {"small": 1.0})
    assert steps_of(path) == [0, 2]


def test_the_format_loads_neither_torch_nor_xarray():
    program = textwrap.dedent("""
        import sys, finitewidth.store.records
        print(*(name for name in ("torch", "xarray") if name in sys.modules))
    """)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == []


def test_nothing_is_pickled():
    assert database.__file__
    for source in Path(database.__file__).parent.rglob("*.py"):
        assert "pickle" not in source.read_text().replace("unpickled", ""), source


def test_the_file_is_plain_sqlite(tmp_path):
    """Documented layout: another program can read it with nothing but SQLite."""
    path = tmp_path / "run.sqlite"
    fill(path, range(2))
    raw = sqlite3.connect(path)
    assert raw.execute("PRAGMA user_version").fetchone() == (records.RECORDS.version,)
    assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    dtype, shape, data = raw.execute(
        "SELECT dtype, shape, data FROM array JOIN record ON array.record = record.id "
        "WHERE step = 1 AND name = 'kernel'"
    ).fetchone()
    raw.close()
    found = np.frombuffer(data, dtype).reshape(json.loads(shape))
    np.testing.assert_array_equal(found, arrays(1)["kernel"])
