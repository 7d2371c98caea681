"""The same grid here, on local processes, and behind a scheduler's address: the same bits."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import xarray

import finitewidth as fw
from finitewidth.sweep.engine import dask as engine


@pytest.fixture
def wanted(tmp_path: Path, small: dict) -> tuple[dict, xarray.Dataset]:
    """A grid whose cells stop at a target error, and its numbers."""
    small["precision"] = {"relative_error": 0.01, "max_networks": 10**6}
    fw.sweep.run(small, tmp_path / "plain.sqlite")
    return small, fw.sweep.open(tmp_path / "plain.sqlite")


def test_two_local_processes_give_the_same_bits(tmp_path: Path, wanted) -> None:
    grid, plain = wanted
    told = []
    done = fw.sweep.run(grid, tmp_path / "s.sqlite", 2, progress=told.append)
    assert done.complete
    xarray.testing.assert_equal(plain, fw.sweep.open(tmp_path / "s.sqlite"))
    assert (told[-1].finished, told[-1].cells) == (8, 8)
    assert told[-1].done == pytest.approx(told[-1].total)


@contextmanager
def scheduler(folder: Path, workers: int) -> Iterator[str]:
    """A scheduler and workers as a cluster would start them; the scheduler's address."""
    told = folder / "scheduler.json"
    common = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    dask = [sys.executable, "-m", "dask"]
    processes = [
        subprocess.Popen(
            [*dask, "scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(told),
             "--host", "127.0.0.1"],
            **common,
        )
    ]  # fmt: skip
    try:
        for _ in range(300):
            if told.exists() and told.read_text():
                break
            time.sleep(0.1)
        for _ in range(workers):
            processes.append(
                subprocess.Popen(
                    [*dask, "worker", "--scheduler-file", str(told), "--nthreads", "1",
                     "--no-dashboard", "--local-directory", str(folder)],
                    **common,
                )
            )  # fmt: skip
        import json

        yield json.loads(told.read_text())["address"]
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            process.wait(30)


@pytest.mark.slow
def test_one_process_and_a_scheduler_give_the_same_bits(tmp_path: Path, wanted) -> None:
    grid, plain = wanted
    assert fw.sweep.run(grid, tmp_path / "one.sqlite", 1).complete
    xarray.testing.assert_equal(plain, fw.sweep.open(tmp_path / "one.sqlite"))
    with scheduler(tmp_path, 2) as address:
        assert fw.sweep.run(grid, tmp_path / "far.sqlite", address).complete
    xarray.testing.assert_equal(plain, fw.sweep.open(tmp_path / "far.sqlite"))


BAD = {
    "no cluster": (3.5, TypeError, "cluster is 3.5, expected None, a number of processes"),
    "bool": (True, TypeError, "cluster is True"),
    "no process": (0, ValueError, "expected 1 process or more"),
    "no address": ("host", ValueError, "cluster is 'host', expected the address of a Dask"),
}


@pytest.mark.parametrize(("cluster", "kind", "sentence"), BAD.values(), ids=BAD.keys())
def test_a_bad_cluster_is_refused(tmp_path: Path, small: dict, cluster, kind, sentence) -> None:
    with pytest.raises(kind, match=sentence):
        fw.sweep.run(small, tmp_path / "s.sqlite", cluster)


def test_a_scheduler_that_is_not_there(tmp_path: Path, small: dict, monkeypatch) -> None:
    monkeypatch.setattr(engine, "CONNECT", "1s")
    with pytest.raises(RuntimeError, match=r"scheduler tcp://127.0.0.1:1 cannot be reached"):
        fw.sweep.run(small, tmp_path / "s.sqlite", "tcp://127.0.0.1:1")
