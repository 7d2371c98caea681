"""The same grid here, on local processes, and behind a scheduler's address: the same bits."""

import time
from pathlib import Path
from threading import Thread

import psutil
import pytest
import xarray

import finitewidth as fw
from finitewidth.store.runner import dask_cluster as engine
from tests.sweep.cluster import cluster


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


@pytest.mark.slow
def test_one_process_and_a_scheduler_give_the_same_bits(tmp_path: Path, wanted) -> None:
    grid, plain = wanted
    assert fw.sweep.run(grid, tmp_path / "one.sqlite", 1).complete
    xarray.testing.assert_equal(plain, fw.sweep.open(tmp_path / "one.sqlite"))
    with cluster(tmp_path, 2) as started:
        assert fw.sweep.run(grid, tmp_path / "far.sqlite", started.address).complete
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
    assert not list(tmp_path.iterdir())


def test_a_scheduler_that_is_not_there(tmp_path: Path, small: dict, monkeypatch) -> None:
    monkeypatch.setattr(engine, "CONNECT", "1s")
    with pytest.raises(RuntimeError, match=r"scheduler tcp://127.0.0.1:1 cannot be reached"):
        fw.sweep.run(small, tmp_path / "s.sqlite", "tcp://127.0.0.1:1")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_scheduler_without_workers_is_told_and_the_first_one_goes_on(
    tmp_path: Path, wanted, monkeypatch
) -> None:
    grid, plain = wanted
    monkeypatch.setattr(engine, "PATIENCE", 1.0)
    with cluster(tmp_path, 0) as started:
        late = Thread(target=lambda: (time.sleep(8), started.more()))
        late.start()
        with pytest.warns(RuntimeWarning, match="has no worker; the run waits for one") as told:
            assert fw.sweep.run(grid, tmp_path / "far.sqlite", started.address).complete
        late.join()
    assert len([one for one in told if "has no worker" in str(one.message)]) == 1
    xarray.testing.assert_equal(plain, fw.sweep.open(tmp_path / "far.sqlite"))


def test_local_processes_listen_on_this_machine_alone(tmp_path: Path, small: dict) -> None:
    seen: set[str] = set()

    def look(_: object) -> None:
        me = psutil.Process()
        for process in (me, *me.children(recursive=True)):
            for socket in process.net_connections("inet"):
                if socket.status == psutil.CONN_LISTEN:
                    seen.add(socket.laddr.ip)

    assert fw.sweep.run(small, tmp_path / "s.sqlite", 2, progress=look).complete
    assert seen == {"127.0.0.1"}
