"""The order of the work, whoever does it: any order of results, any deaths, the same numbers."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray

import finitewidth as fw
from finitewidth.store.runner import running as runner
from finitewidth.store.runner.engine import Engine, Outcome
from finitewidth.store.runner.tasks import Bundle, compute
from finitewidth.sweep import running
from finitewidth.sweep.engine import course
from finitewidth.sweep.outcome import Outcome as Outcomes

TARGET = {"relative_error": 0.015, "max_networks": 10**6}


class Shuffled(Engine):
    """Takes several bundles at once, returns them in any order, and loses some workers."""

    def __init__(self, seed: int, killers: frozenset[str] = frozenset(), chance: float = 0.0):
        self.rng = np.random.default_rng(seed)
        self.killers, self.chance = killers, chance
        self.bundles: list[Bundle] = []
        self.most, self.deaths, self.beside = 0, 0, 0

    def capacity(self) -> int:
        return 5

    def submit(self, bundle: Bundle) -> None:
        self.bundles.append(bundle)
        self.most = max(self.most, len(self.bundles))
        if bundle.alone or any(one.alone for one in self.bundles):
            self.beside = max(self.beside, len(self.bundles) - 1)

    def wait(self) -> list[Outcome]:
        found = []
        for _ in range(int(self.rng.integers(1, len(self.bundles) + 1))):
            bundle = self.bundles.pop(int(self.rng.integers(len(self.bundles))))
            kills = any(task.arguments[0] in self.killers for task in bundle.tasks)
            if kills or self.rng.random() < self.chance:
                self.deaths += 1
                found.append(Outcome(bundle, None, 1))
            else:
                found.append(Outcome(bundle, compute(bundle.tasks)))
        return found

    def close(self) -> None:
        pass


@pytest.fixture
def run_on(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict, Path, Engine], Outcomes]:
    """Run a grid on an engine."""

    def run(grid: dict, store: Path, engine: Engine) -> Outcomes:
        monkeypatch.setattr(running, "engine_on", lambda cluster: engine)
        return fw.sweep.run(grid, store)

    return run


PRECISIONS = {
    "target": TARGET,
    "chunks ahead of the rule": {"relative_error": 0.004, "max_networks": 10**6},
    "budget": {"max_networks": 100_000},
}


@pytest.mark.parametrize("precision", PRECISIONS.values(), ids=PRECISIONS.keys())
@pytest.mark.parametrize("jobs", [1, 1000])
def test_the_order_of_results_does_not_matter(
    tmp_path: Path, small: dict, run_on, monkeypatch, jobs: int, precision: dict
) -> None:
    """Nor how many come back together, nor how many chunks more than needed are computed."""
    small["precision"] = precision
    fw.sweep.run(small, tmp_path / "plain.sqlite")
    monkeypatch.setattr(runner, "BUNDLE_TASKS", jobs)
    monkeypatch.setattr(course, "CAUTION", 4.0)
    engine = Shuffled(jobs)
    done = run_on(small, tmp_path / "s.sqlite", engine)
    assert done.complete
    assert engine.most <= 5
    plain, found = (fw.sweep.open(tmp_path / f"{name}.sqlite") for name in ("plain", "s"))
    xarray.testing.assert_equal(plain, found)


def test_workers_that_die_at_random_change_nothing(
    tmp_path: Path, small: dict, run_on, monkeypatch
) -> None:
    monkeypatch.setattr(runner, "BUNDLE_TASKS", 1)
    small["precision"] = TARGET
    fw.sweep.run(small, tmp_path / "plain.sqlite")
    engine = Shuffled(0, chance=0.25)
    done = run_on(small, tmp_path / "s.sqlite", engine)
    assert engine.deaths >= 3
    assert done.complete
    plain, found = (fw.sweep.open(tmp_path / f"{name}.sqlite") for name in ("plain", "s"))
    xarray.testing.assert_equal(plain, found)


def test_a_chunk_that_kills_its_worker_is_told_from_its_neighbours(
    tmp_path: Path, small: dict, run_on
) -> None:
    """40 cheap cells travel together, one of which kills: 39 are computed, one is reported."""
    small["axes"] |= {"method": "law", "width": list(range(2, 22))}
    _, cells = running.read_grid(small)
    engine = Shuffled(1, killers=frozenset({cells[17].text}))
    done = run_on(small, tmp_path / "s.sqlite", engine)
    assert done.finished == len(cells) - 1 == 39
    ((inputs, cause),) = done.failures
    assert inputs == cells[17].inputs
    assert "chunk 0 ended the process that computed it" in cause
    assert engine.beside == 0
    (failure,) = json.loads(fw.sweep.open(tmp_path / "s.sqlite").attrs["failures"])
    assert failure["inputs"] == cells[17].inputs


def test_a_killer_is_tried_three_times(tmp_path: Path, run_on) -> None:
    grid = {"axes": {"n_in": 5, "width": 3, "depth": 3}}
    _, (cell,) = running.read_grid(grid)
    engine = Shuffled(1, killers=frozenset({cell.text}))
    done = run_on(grid, tmp_path / "s.sqlite", engine)
    assert (engine.deaths, done.finished) == (3, 0)


def test_large_cells_come_first(tmp_path: Path, small: dict, run_on, monkeypatch) -> None:
    monkeypatch.setattr(runner, "BUNDLE_TASKS", 1)
    order: list[str] = []

    class Recording(Shuffled):
        def submit(self, bundle: Bundle) -> None:
            order.extend(task.arguments[0] for task in bundle.tasks)
            super().submit(bundle)

    small["axes"] |= {"method": "law", "depth": [2, 4, 9]}
    run_on(small, tmp_path / "s.sqlite", Recording(0))
    depths = [json.loads(cell)["depth"] for cell in order]
    assert depths == sorted(depths, reverse=True)
