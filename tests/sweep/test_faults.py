"""Nothing is lost, nothing is counted twice, and the numbers are those of an undisturbed run.

How often each test struck, and what became of it, is shown at the end of the run.
"""

import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import xarray

import finitewidth as fw
from finitewidth.sweep.store import Reader
from tests.sweep.cluster import cluster

pytestmark = pytest.mark.slow

GRID = """\
seed = 5
[axes]
method = ["law", "sampler", "dense"]
n_in = 5
width = [8, 16, 24, 32]
depth = [3, 5, 8]
learning_rate = 0.01
[precision]
relative_error = 0.01
max_networks = 6000
"""
CELLS = 36


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, xarray.Dataset]:
    """The grid, its store, and its numbers."""
    folder = tmp_path_factory.mktemp("undisturbed")
    grid = folder / "grid.toml"
    grid.write_text(GRID)
    done = fw.sweep.run(grid, folder / "s.sqlite")
    assert (done.cells, done.finished) == (CELLS, CELLS)
    return grid, folder / "s.sqlite", fw.sweep.open(folder / "s.sqlite")


def same(expected: xarray.Dataset, store: Path) -> None:
    """The same numbers to the last bit, every chunk there once, every checksum right."""
    xarray.testing.assert_equal(expected, fw.sweep.open(store))
    with Reader(store) as reader:
        seen = [(chunk.cell, chunk.number) for chunk in reader.chunks()]
        assert len(seen) == len(set(seen))
        assert all(chunk.sound for chunk in reader.chunks())
    assert bool(fw.sweep.open(store).complete.all())


def started(grid: Path, store: Path, *arguments: str, **options) -> subprocess.Popen:
    """``finitewidth sweep run`` in the background."""
    return subprocess.Popen(
        [sys.executable, "-m", "finitewidth", "sweep", "run", str(grid), "--store", str(store),
         *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


def chunks(store: Path) -> int:
    """Chunks in a store that is being written."""
    if not store.exists():
        return 0
    try:
        with Reader(store) as reader:
            return sum(count for count, _, _ in reader.counts().values())
    except (ValueError, RuntimeError):
        return 0


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Counts, shown at the end of the run."""
    return lambda text: record_property("count", text)


def one_sentence(error: Exception) -> bool:
    """Whether an error is told as the project tells errors."""
    return "\n" not in str(error)


def until(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    """Wait."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def workers_of(process: int) -> list[psutil.Process]:
    """Processes that a process's local cluster has started."""
    found = []
    for child in psutil.Process(process).children(recursive=True):
        try:
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
        except psutil.Error:
            continue
    return found


def test_twenty_workers_are_killed(tmp_path: Path, undisturbed, report, monkeypatch) -> None:
    """kill -9 at random moments, while two local processes compute."""
    from finitewidth.store.runner import running

    monkeypatch.setattr(running, "BUNDLE_SECONDS", 0.3)
    grid, _, expected = undisturbed
    kills, over = 0, threading.Event()
    rng = random.Random(0)

    def killer() -> None:
        nonlocal kills
        while kills < 20 and not over.wait(rng.uniform(0.1, 0.9)):
            found = workers_of(os.getpid())
            if found and chunks(tmp_path / "s.sqlite"):
                with_luck = rng.choice(found)
                try:
                    with_luck.kill()
                    kills += 1
                except psutil.Error:
                    continue

    thread = threading.Thread(target=killer)
    thread.start()
    runs = 0
    try:
        while True:
            runs += 1
            done = fw.sweep.run(grid, tmp_path / "s.sqlite", 2)
            if done.complete and kills >= 20:
                break
            if done.complete:  # it was too quick: once more from the start
                same(expected, tmp_path / "s.sqlite")
                (tmp_path / "s.sqlite").unlink()
    finally:
        over.set()
        thread.join()
    same(expected, tmp_path / "s.sqlite")
    report(f"workers killed: {kills}, runs of the sweep: {runs}, cells lost: 0")


def test_the_scheduler_is_killed(tmp_path: Path, undisturbed, report) -> None:
    grid, _, expected = undisturbed
    store, outcomes = tmp_path / "s.sqlite", []
    for _ in range(3):
        with cluster(tmp_path, 2) as there:
            run = started(grid, store, "--scheduler", there.address)
            before = chunks(store)
            until(lambda: chunks(store) > before or run.poll() is not None)  # noqa: B023
            there.processes[0].kill()
            _, told = run.communicate(timeout=120)
            outcomes.append(run.returncode)
            if run.returncode == 0:
                break
            assert run.returncode == 2, told
            assert told.count("\n") == 1, told
            assert "the Dask scheduler was lost" in told or "cannot be reached" in told, told
    assert outcomes[0] == 2, "the first strike came too late"
    kept = chunks(store)
    assert kept > 0
    done = fw.sweep.run(grid, store)
    assert done.complete
    same(expected, store)
    report(f"scheduler killed: {outcomes.count(2)} times, chunks kept: {kept}")


@pytest.mark.parametrize("workers", [(), ("--workers", "2")], ids=["in process", "two workers"])
def test_the_client_is_killed(
    tmp_path: Path, undisturbed, report, workers: tuple[str, ...]
) -> None:
    grid, _, expected = undisturbed
    store, rng, kills, left = tmp_path / "s.sqlite", random.Random(1), 0, []
    while kills < 8:
        run, before = started(grid, store, *workers), chunks(store)
        until(lambda: chunks(store) > before or run.poll() is not None)  # noqa: B023
        time.sleep(rng.uniform(0.0, 0.3))
        orphans = workers_of(run.pid) if run.poll() is None else []
        run.kill()
        run.communicate()
        for orphan in orphans:
            psutil.wait_procs([orphan], timeout=60)  # they end by themselves
        left.append(chunks(store))
        if run.returncode == 0:
            break
        kills += 1
    assert left == sorted(left), "a kill has lost chunks"
    assert kills >= 2
    assert fw.sweep.run(grid, store).complete
    same(expected, store)
    report(f"client killed: {kills} times, chunks kept after each: {left}")


def test_ctrl_c(tmp_path: Path, undisturbed) -> None:
    grid, _, expected = undisturbed
    store = tmp_path / "s.sqlite"
    run = started(grid, store, "--workers", "2")
    until(lambda: chunks(store) > 0)
    run.send_signal(signal.SIGINT)
    _, told = run.communicate(timeout=60)
    assert run.returncode == 130, told
    assert "the same command continues" in told
    assert fw.sweep.run(grid, store).complete
    same(expected, store)


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[bool]:
    """A file system of its own of that size; False where none can be mounted."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def test_the_disk_is_full(tmp_path: Path, undisturbed, report) -> None:
    grid, _, expected = undisturbed
    folder = tmp_path / "small"
    with small_disk(folder, 800) as mounted:
        store = folder / "s.sqlite"

        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (700 * 1024, 700 * 1024))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

        run = started(grid, store, **({} if mounted else {"preexec_fn": limit}))
        _, told = run.communicate(timeout=300)
        assert run.returncode == 2, told
        assert told.count("\n") == 1, told
        assert "what was stored before is intact" in told
        kept = chunks(store)
        if mounted:
            more = ["mount", "-o", "remount,size=64m", str(folder)]
            subprocess.run(more, check=True)
        done = fw.sweep.run(grid, store)
        assert done.complete
        same(expected, store)
        how = "a file system of 800 kB" if mounted else "a limit of 700 kB a file"
        report(f"disk full ({how}): chunks kept {kept}, computed after: {done.computed}")
        assert kept > 0


def test_bytes_are_flipped_and_files_cut(tmp_path: Path, report) -> None:
    """Recomputed to the same bits, or refused in one sentence; never another number."""
    grid, whole = tmp_path / "grid.toml", tmp_path / "whole.sqlite"
    grid.write_text(GRID.replace(', "dense"', "").replace("relative_error = 0.01", ""))
    assert fw.sweep.run(grid, whole).complete
    expected = fw.sweep.open(whole)
    content, rng, outcomes = whole.read_bytes(), random.Random(2), Counter()
    for strike in range(80):
        folder = tmp_path / str(strike)
        folder.mkdir()
        store, damaged = folder / "s.sqlite", bytearray(content)
        if strike < 60:
            kind, place = "flipped", rng.randrange(len(content))
            damaged[place] ^= 1 << rng.randrange(8)
        else:
            kind = "cut"
            del damaged[rng.randrange(1, len(content)) :]
        store.write_bytes(damaged)
        nothing_wrong(expected, store)
        try:
            done = fw.sweep.run(grid, store)
        except (ValueError, RuntimeError) as error:
            refused = one_sentence(error)
            assert refused
            outcomes[f"{kind}: refused"] += 1
            continue
        assert done.complete
        same(expected, store)
        how = "sound" if not done.computed and not done.messages else "computed again"
        outcomes[f"{kind}: {how}"] += 1
        shutil.rmtree(folder)
    report(f"{dict(outcomes)}, wrong numbers: 0")
    assert outcomes["flipped: computed again"] > 20
    assert outcomes["cut: computed again"] > 10


def nothing_wrong(expected: xarray.Dataset, store: Path) -> None:
    """Whatever a damaged store still shows as finished is right."""
    try:
        found = fw.sweep.open(store)
    except (ValueError, RuntimeError) as error:
        refused = one_sentence(error)
        assert refused
        return
    if found.kernel_mean.dims == expected.kernel_mean.dims:
        finished = found.complete
        xarray.testing.assert_equal(
            found.kernel_mean.where(finished), expected.kernel_mean.where(finished)
        )


def test_two_sweeps_on_one_store(tmp_path: Path, undisturbed, report) -> None:
    grid, _, expected = undisturbed
    store, refused = tmp_path / "s.sqlite", 0
    first = started(grid, store)
    until(lambda: chunks(store) > 0)
    while first.poll() is None and refused < 5:
        with pytest.raises(RuntimeError, match=r"another sweep is running on"):
            fw.sweep.run(grid, store)
        refused += 1
    _, told = first.communicate(timeout=300)
    assert first.returncode == 0, told
    same(expected, store)
    report(f"second sweeps refused: {refused}")
    assert refused == 5


def test_a_store_of_an_older_version(tmp_path: Path, undisturbed) -> None:
    grid, whole, _ = undisturbed
    store = tmp_path / "s.sqlite"
    shutil.copy(whole, store)
    connection = sqlite3.connect(store)
    connection.execute("PRAGMA user_version = 0")
    connection.close()
    content = store.read_bytes()
    run = started(grid, store)
    _, told = run.communicate(timeout=60)
    assert (run.returncode, told.count("\n")) == (2, 1)
    assert "version 0 of the store" in told
    assert store.read_bytes() == content


def test_temporary_files_on_another_file_system(tmp_path: Path, undisturbed) -> None:
    grid, _, expected = undisturbed
    with small_disk(tmp_path / "elsewhere", 20_000) as mounted:
        if not mounted:
            pytest.skip("no file system can be mounted here")
        environment = os.environ | {"TMPDIR": str(tmp_path / "elsewhere")}
        store = tmp_path / "s.sqlite"
        run = started(grid, store, "--workers", "2", env=environment)
        _, told = run.communicate(timeout=300)
        assert run.returncode == 0, told
        same(expected, store)
        for name in ("out.csv", "out.nc", "out.zarr"):
            command = [sys.executable, "-m", "finitewidth", "sweep", "export", str(store), "--to"]
            subprocess.run(
                [*command, str(tmp_path / name)], env=environment, check=True, capture_output=True
            )
            assert (tmp_path / name).exists()
