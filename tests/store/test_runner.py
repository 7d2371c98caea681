"""The runner with tasks that are no cells of a grid: tiles of a matrix."""

from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from finitewidth.store.runner import Engine, Progress, Runner, Task, TaskList, engine_on, running
from finitewidth.store.runner.engine import InProcess, Outcome
from finitewidth.store.runner.tasks import Bundle
from tests.store.tiles import Tiles, expected, rows

HERE = all(find_spec(name) is not None for name in ("distributed", "threadpoolctl"))

pytestmark = pytest.mark.skipif(not HERE, reason="the sweep extra is not installed")


@pytest.fixture
def tiles(tmp_path: Path) -> Iterator[Tiles]:
    """Nothing is computed yet."""
    with closing(Tiles(tmp_path)) as made:
        yield made


def run(work: TaskList, cluster: int | None = None, progress=None) -> None:
    with closing(engine_on(cluster)) as engine:
        Runner(work, engine, progress).run()


@pytest.mark.parametrize("cluster", [None, 2])
def test_every_task_is_computed_and_handled_once(tiles: Tiles, cluster: int | None) -> None:
    told: list[Progress] = []
    run(TaskList(tiles.tasks(), tiles.handle), cluster, told.append)
    np.testing.assert_array_equal(tiles.matrix(), expected())
    assert sum(tiles.handled) == rows(tiles.database) == 9
    assert (told[-1].finished, told[-1].failed, told[-1].count) == (9, 0, 9)
    assert told[-1].done == pytest.approx(told[-1].total) == pytest.approx(18.9)


class CutOff(InProcess):
    """Interrupted at its third bundle."""

    calls = 0

    def wait(self) -> list[Outcome]:
        self.calls += 1
        if self.calls == 3:
            raise KeyboardInterrupt
        return super().wait()


def test_a_run_that_was_cut_off_continues(tiles: Tiles) -> None:
    """What was kept is not computed again, unless its checksum is wrong."""
    with pytest.raises(KeyboardInterrupt):
        Runner(TaskList(tiles.tasks(), tiles.handle), CutOff()).run()
    kept = tiles.kept()
    assert kept == {(2, 2), (1, 2)}, "the longest first, and of equals the first"
    damaged = np.load(tiles.path, mmap_mode="r+")
    damaged[-1, -1] += 1.0
    damaged.flush()
    assert tiles.kept() == {(1, 2)}
    told: list[Progress] = []
    tiles.handled.clear()
    run(TaskList(tiles.tasks(), tiles.handle, tiles.kept()), progress=told.append)
    assert sum(tiles.handled) == 8
    assert (told[0].finished, told[-1].finished, told[-1].count) == (2, 9, 9)
    np.testing.assert_array_equal(tiles.matrix(), expected())


def test_a_task_that_kills_its_worker_is_told_from_the_others(tiles: Tiles, monkeypatch) -> None:
    """Two local processes; all tiles travel together."""
    monkeypatch.setattr(running, "BUNDLE_SECONDS", 100.0)
    run(TaskList(tiles.tasks(killers=((1, 1),)), tiles.handle), 2)
    assert list(tiles.causes) == [(1, 1)]
    assert "tile 1, 1 ended the process that computed it" in tiles.causes[1, 1]
    assert len(tiles.kept()) == 8


def fails(kind: str) -> None:
    """Raise."""
    if kind == "sentence":
        raise ValueError("the width is -1,\nexpected 1 or more.")
    if kind == "memory":
        raise MemoryError
    if kind == "module":
        import nothing_of_that_name  # type: ignore[import-not-found]  # noqa: F401
    raise KeyError(kind)


CAUSES = {
    "sentence": "the width is -1, expected 1 or more.",
    "memory": "the memory of the worker does not suffice.",
    "module": "nothing_of_that_name is needed and not installed on ",
    "other": "KeyError: 'other'",
}


def test_an_error_is_the_result_of_its_task_alone() -> None:
    tasks = [Task(kind, fails, (kind,), 0.0, kind) for kind in CAUSES]
    tasks.append(Task("fine", len, ("four",), 0.0, "fine"))
    found = {}
    work = TaskList(tasks, lambda pairs: found.update({task.key: one for task, one in pairs}))
    run(work)
    assert found.pop("fine").value == 4
    for kind, cause in CAUSES.items():
        assert found[kind].value is None
        assert found[kind].cause.startswith(cause)
    assert (work.progress().finished, work.progress().failed) == (1, 4)


class Counting(Engine):
    """Notes how many tasks come in each bundle, and computes none."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.bundles: list[Bundle] = []

    def capacity(self) -> int:
        return 3

    def submit(self, bundle: Bundle) -> None:
        self.sizes.append(len(bundle.tasks))
        self.bundles.append(bundle)

    def wait(self) -> list[Outcome]:
        return [Outcome(bundle, None, 1) for bundle in [self.bundles.pop(0)]]

    def close(self) -> None:
        pass


def test_short_tasks_travel_together_and_deaths_make_bundles_smaller() -> None:
    tasks = [Task(number, len, ("",), 0.125, f"task {number}") for number in range(25)]
    causes = []
    work = TaskList(tasks, lambda pairs: causes.extend(one.cause for _, one in pairs))
    engine = Counting()
    Runner(work, engine).run()
    assert engine.sizes[:3] == [8, 1, 8], "a second, and the one that was too much alone"
    assert engine.sizes[-25:] == [1] * 25
    assert len(causes) == 25
    assert all("ended the process that computed it 3 times" in cause for cause in causes)


def test_results_that_were_lost_with_their_worker_count_as_its_death(monkeypatch) -> None:
    """It had finished the bundle, and was killed before the results were fetched."""
    from finitewidth.store.runner.dask_cluster import DaskEngine

    client = SimpleNamespace(gather=lambda futures: futures, cancel=lambda *_, **__: None)
    monkeypatch.setattr(DaskEngine, "_connected", lambda *_: client)
    engine, bundle = DaskEngine(1), Bundle(())
    for key, status in {"one": "lost", "two": "cancelled"}.items():
        engine._flying[key] = bundle, SimpleNamespace(status=status)  # type: ignore[assignment]
        engine._ready.put(key)
        if status == "lost":
            assert engine.wait() == [Outcome(bundle, None, 1)]
    with pytest.raises(RuntimeError, match="the Dask scheduler was lost, or it cancelled"):
        engine.wait()
    engine.close()
