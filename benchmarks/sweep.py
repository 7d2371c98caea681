"""Sweeps: cheap cells, what scheduling costs, two workers against one, tasks and rows a second."""

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import finitewidth as fw
from benchmarks.table import Line
from finitewidth.store.runner import Engine, Progress, Result, Runner, running
from finitewidth.store.runner.engine import Outcome
from finitewidth.store.runner.tasks import Bundle, compute
from finitewidth.sweep.cells import Cell, expand
from finitewidth.sweep.engine.chunks import chunk_task
from finitewidth.sweep.engine.course import Course
from finitewidth.sweep.engine.schedule import Schedule
from finitewidth.sweep.grid import Precision, read
from finitewidth.sweep.store import Reader, Writer

WIDE = {
    "n_in": 64,
    "width": list(range(8, 108)),
    "depth": list(range(2, 12)),
    "parametrization": ["ntk", "standard"],
    "hidden_gain": [1.9, 1.95, 2.0, 2.05, 2.1],
}
"""10,000 networks."""

CELLS, SECONDS = 24, 1.0
"""Of the chunks that wait instead of computing, so that only what is beside them costs time."""


def waiting() -> Any:
    """A network that takes a sixteenth of `SECONDS` to make: a block of 16 takes it whole."""
    import torch

    time.sleep(SECONDS / 16)
    return torch.nn.Linear(2, 1)


def _run(grid: dict[str, Any], cluster: Any = None, **options: Any) -> tuple[float, float]:
    """Seconds of a sweep into a new store, and those of its chunks alone, added up."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        done = fw.sweep.run(grid, Path(folder) / "s.sqlite", cluster, **options)
        seconds = time.perf_counter() - start
        assert done.complete, done.failures
        with Reader(Path(folder) / "s.sqlite") as reader:
            alone = sum(one for _, _, one in reader.counts().values())
        return seconds, alone


def _cheap_cells() -> list[Line]:
    bare = [
        fw.KernelLaw(fw.MLP.equal_width(64, width, depth - 1))
        for width in WIDE["width"]
        for depth in WIDE["depth"]
    ]
    start = time.perf_counter()
    for law in bare:
        law.mean()
        law.log_dispersion()
        law.output_moment(2)
    alone = 10 * (time.perf_counter() - start)
    whole, _ = _run({"axes": WIDE})
    return [
        Line("10,000 cells of the exact law, this process", whole, limit=30.0),
        Line("the same, against the bare law", whole, whole / alone, "three moments of KernelLaw"),
    ]


def _with_workers(count: int, job: Callable[[Any], Any]) -> Any:
    """What `job` gives with a client of so many warmed processes."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            silence_logs=50,
        ) as cluster,
        Client(cluster) as client,
    ):
        client.wait_for_workers(count)
        client.run(_warmed)
        return job(client)


def _warmed() -> None:
    """Import what a worker needs."""
    from finitewidth.sweep.methods import METHODS, method_of

    for name in METHODS:
        method_of(name)


def _waiting_cells(client: Any) -> tuple[float, float]:
    axes = {"n_in": 2, "method": "factory", "factory": "benchmarks.sweep:waiting"}
    axes |= {"target": [float(number) for number in range(CELLS)]}
    grid = {"axes": axes, "precision": {"max_networks": 16}}
    before, running.BUNDLE_SECONDS = running.BUNDLE_SECONDS, 0.0  # one chunk a bundle
    try:
        return _run(grid, client, allow_factories=True)
    finally:
        running.BUNDLE_SECONDS = before


def _computing_cells(client: Any) -> tuple[float, float]:
    axes = {"n_in": 64, "method": "sampler", "width": [16, 32, 64, 128], "depth": [21, 41]}
    return _run({"axes": axes, "precision": {"max_networks": 2**20}}, client)


def _overhead() -> list[Line]:
    (one, first), (two, second) = (_with_workers(count, _waiting_cells) for count in (1, 2))
    (busy, _), (shared, _) = (_with_workers(count, _computing_cells) for count in (1, 2))
    return [
        Line(f"{CELLS} chunks of 1 s, one worker", one, one / first, "the chunks alone",
             ratio_at_most=1.1),
        Line(f"{CELLS} chunks of 1 s, two workers", two, 2 * two / second,
             "half the chunks alone", ratio_at_most=1.1),
        Line(f"{CELLS} chunks of 1 s, two workers", two, two / one, "one worker",
             ratio_at_most=1 / 1.8),
        Line("8 cells of 10^6 samples, two workers", shared, shared / busy, "one worker",
             ratio_at_most=1 / 1.8),
    ]  # fmt: skip


def _tasks() -> Line:
    def flood(client: Any) -> float:
        start = time.perf_counter()
        futures = [client.submit(_nothing, number, pure=False) for number in range(4000)]
        client.gather(futures)
        return (time.perf_counter() - start) / 4000

    return Line("a Dask task that does nothing, two workers", _with_workers(2, flood))


def _nothing(number: int) -> int:
    return number


class Canned(Engine):
    """Answers at once, with the same result for every cell."""

    def __init__(self, result: Result, at_once: int) -> None:
        self._result, self._at_once = result, at_once
        self._bundles: list[Bundle] = []

    def capacity(self) -> int:
        """As 1,000 workers would have."""
        return self._at_once

    def submit(self, bundle: Bundle) -> None:
        """Keep it."""
        self._bundles.append(bundle)

    def wait(self) -> list[Outcome]:
        """All of them."""
        bundles, self._bundles = self._bundles, []
        return [Outcome(bundle, [self._result for _ in bundle.tasks]) for bundle in bundles]

    def close(self) -> None:
        """Nothing is held."""


def _rows(method: str, count: int, at_once: int, precision: dict[str, Any]) -> tuple[float, float]:
    """Seconds a row from a result to the disk, and bytes a row."""
    axes = {"n_in": 64, "width": 16, "depth": 3, "method": method}
    (cell,) = expand(read({"axes": axes}))
    (result,) = compute([chunk_task(cell.text, 0, method, 0.0)])
    axes["target"] = [float(number) for number in range(count)]
    cells = expand(read({"axes": axes}))
    return _timed(cells, result, at_once, precision)


def _timed(
    cells: Sequence[Cell], result: Result, at_once: int, precision: dict[str, Any]
) -> tuple[float, float]:
    wanted = Precision.model_validate({"max_networks": 1} | precision)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.sqlite"
        with Writer(path, {}) as writer:
            rows = writer.register(cells, json.dumps({}))
            courses = [Course(rows[cell.key].id, cell, wanted) for cell in cells]
            told: list[Progress] = []
            start = time.perf_counter()
            Runner(Schedule(courses, writer), Canned(result, at_once), told.append).run()
            seconds = (time.perf_counter() - start) / len(cells)
        return seconds, path.stat().st_size / len(cells)


def _many_rows() -> list[Line]:
    law, _ = _rows("law", 20_000, 4, {})
    sampled, size = _rows("sampler", 4000, 2000, {})
    target = {"relative_error": 0.9, "max_networks": 10**6}
    watched, _ = _rows("sampler", 4000, 2000, target)
    return [
        Line("a finished cell of the law into the store", law),
        Line(f"a chunk of samples into the store, {size / 1024:.1f} kB", sampled, limit=1e-3),
        Line("the same, looking at its error", watched, limit=1e-3),
    ]


def _many_cells() -> list[Line]:
    axes = WIDE | {"target": np.arange(10.0)}
    start = time.perf_counter()
    cells = expand(read({"axes": axes}))
    expanded = (time.perf_counter() - start) / len(cells)
    with tempfile.TemporaryDirectory() as folder, Writer(Path(folder) / "s", {}) as writer:
        start = time.perf_counter()
        writer.register(cells, "{}")
        entered = (time.perf_counter() - start) / len(cells)
    return [
        Line("a cell of a grid of 10^5: its inputs and key", expanded),
        Line("a cell of a grid of 10^5: entered in the store", entered),
    ]


def lines() -> list[Line]:
    """All lines of this benchmark."""
    return [*_cheap_cells(), *_overhead(), _tasks(), *_many_rows(), *_many_cells()]
