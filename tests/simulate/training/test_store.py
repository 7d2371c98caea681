"""A run on disk: cut off anywhere, it goes on to the same numbers, bit by bit."""

import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.simulate.training import loop, store
from finitewidth.store.records import Reader

RNG = np.random.default_rng(5)
X = RNG.standard_normal((6, 4))
Y = RNG.standard_normal((6, 1))
NET = fw.MLP(4, [7, 7], activation="tanh", bias_variance=0.2, residual=(0.7, 1.0))
ARRAYS = ("outputs", "loss", "kernels", "features")
RUN = {"momentum": 0.6, "weight_decay": 0.1, "batch_size": 4, "size": 5, "seed": 3}


class Cut(Exception):
    """Stands for a kill."""


def _train(**others):
    return fw.simulate.train(NET, X, Y, 0.05, 6, **RUN | others)


def _same(one, other):
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def _in_pairs(monkeypatch):
    """Two networks at a time, so that a block has several batches."""
    monkeypatch.setattr("finitewidth.simulate.training.plan.at_once", lambda *_: 2)


def _cut_after(monkeypatch, records):
    """Raise in the middle of the step behind that many records."""
    left, append = [records], store.FileStore.append

    def counted(self, *args):
        append(self, *args)
        left[0] -= 1
        if left[0] == 0:
            raise Cut

    monkeypatch.setattr(store.FileStore, "append", counted)


@pytest.mark.parametrize("records", [1, 2, 6, 7, 8, 12, 14, 20])
def test_a_run_that_was_cut_off_ends_in_the_same_numbers(records, tmp_path, monkeypatch):
    _in_pairs(monkeypatch)
    monkeypatch.setattr(store, "SHARE", np.inf)  # the state of every step
    whole = _train()
    with monkeypatch.context() as patch:
        _cut_after(patch, records)
        with pytest.raises(Cut):
            _train(store=tmp_path / "run")
    steps: list[int] = []
    observe = loop.steps.observe
    monkeypatch.setattr(loop.steps, "observe", lambda *a: steps.append(0) or observe(*a))
    _same(_train(store=tmp_path / "run"), whole)
    # 3 batches of 7 observations; at most the one before the cut is made again
    assert 21 - records <= len(steps) <= 21 - records + 1
    assert not (tmp_path / "run.state").exists()


def test_without_its_state_a_batch_is_trained_again_to_the_same_numbers(tmp_path, monkeypatch):
    _in_pairs(monkeypatch)
    with monkeypatch.context() as patch:
        _cut_after(patch, 11)
        with pytest.raises(Cut):
            _train(store=tmp_path / "run")
    (tmp_path / "run.state").unlink()
    _same(_train(store=tmp_path / "run"), _train())


@pytest.mark.parametrize("records", [3, 11])
def test_a_state_that_another_run_left_behind_is_not_used(records, tmp_path, monkeypatch):
    """Its file was deleted, its state was not; series and steps are those of the new run."""
    _in_pairs(monkeypatch)
    monkeypatch.setattr(store, "SHARE", np.inf)
    with monkeypatch.context() as patch:
        _cut_after(patch, records)
        with pytest.raises(Cut):
            _train(store=tmp_path / "run", seed=8)
    (tmp_path / "run").unlink()
    left = (tmp_path / "run.state").read_bytes()
    with monkeypatch.context() as patch:
        _cut_after(patch, records)
        with pytest.raises(Cut):
            _train(store=tmp_path / "run")
    (tmp_path / "run.state").write_bytes(left)
    _same(_train(store=tmp_path / "run"), _train())


def test_a_state_ahead_of_its_records_is_not_used(tmp_path, monkeypatch):
    """As a power failure can leave them."""
    _in_pairs(monkeypatch)
    monkeypatch.setattr(store, "SHARE", np.inf)
    with monkeypatch.context() as patch:
        _cut_after(patch, 5)
        with pytest.raises(Cut):
            _train(store=tmp_path / "run")
    records = store.FileStore.records
    monkeypatch.setattr(store.FileStore, "records", lambda *a: list(records(*a))[:2])
    monkeypatch.setattr(store.FileStore, "append", lambda *_: None)
    _same(_train(store=tmp_path / "run"), _train())


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_state_that_was_cut_short_is_not_used(share, tmp_path, monkeypatch):
    _in_pairs(monkeypatch)
    with monkeypatch.context() as patch:
        _cut_after(patch, 3)
        with pytest.raises(Cut):
            _train(store=tmp_path / "run")
    state = tmp_path / "run.state"
    whole = state.read_bytes()
    state.write_bytes(whole[: int(share * len(whole))])
    _same(_train(store=tmp_path / "run"), _train())


PROGRAM = """
import sys, time
import numpy as np
import finitewidth as fw
from finitewidth.simulate.training import store

if sys.argv[2] == "slow":
    append = store.FileStore.append
    def slow(*args):
        append(*args)
        print("written", flush=True)
        time.sleep(0.2)
    store.FileStore.append = slow
rng = np.random.default_rng(5)
net = fw.MLP(4, [7, 7], activation="gelu")
found = fw.simulate.train(net, rng.standard_normal((6, 4)), rng.standard_normal(6), 0.05, 8,
                          size=3, momentum=0.5, store=sys.argv[1])
np.savez(sys.argv[3], outputs=found.outputs, kernels=found.kernels)
"""


def test_a_killed_process_ends_in_the_same_numbers(tmp_path):
    def run(store_name, speed, result):
        command = [sys.executable, "-c", PROGRAM, tmp_path / store_name, speed, tmp_path / result]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    killed = run("killed", "slow", "none")
    assert killed.stdout is not None
    for _ in range(4):
        assert killed.stdout.readline() == "written\n"
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert not (tmp_path / "none.npz").exists()
    for store_name, result in (("killed", "again.npz"), ("whole", "whole.npz")):
        finished = run(store_name, "fast", result)
        finished.communicate()
        assert finished.returncode == 0
    with np.load(tmp_path / "again.npz") as again, np.load(tmp_path / "whole.npz") as whole:
        for name in ("outputs", "kernels"):
            np.testing.assert_array_equal(again[name], whole[name])
    with Reader(tmp_path / "killed") as reader:
        assert {one.session for one in reader.records("networks 0 to 2")} == {1, 2}


def test_a_state_that_is_long_to_write_is_written_less_often(tmp_path, monkeypatch):
    """The end is the same; the steps behind the one state are made again."""
    _in_pairs(monkeypatch)
    monkeypatch.setattr(store, "SHARE", 0.0)
    with monkeypatch.context() as patch:
        _cut_after(patch, 5)
        with pytest.raises(Cut):
            _train(store=tmp_path / "run")
    kept = store.FileStore.state
    found = []
    monkeypatch.setattr(store.FileStore, "state", lambda *a: found.append(kept(*a)) or found[-1])
    _same(_train(store=tmp_path / "run"), _train())
    assert [at for at, _ in found] == [1, 0, 0]


def test_a_finished_run_is_read(tmp_path, monkeypatch):
    whole = _train(store=str(tmp_path / "run"))
    monkeypatch.setattr(loop, "_draw", None)
    _same(_train(store=tmp_path / "run"), whole)


def test_a_store_goes_on_with_its_own_number_of_networks_at_once(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        _in_pairs(patch)
        _cut_after(patch, 10)
        with pytest.raises(Cut):
            _train(store=tmp_path / "run")
    _same(_train(store=tmp_path / "run"), _train())
    with Reader(tmp_path / "run") as reader:
        assert "networks 4 to 4" in reader.series()


def test_the_record_says_what_was_found(tmp_path):
    whole = _train(store=tmp_path / "run")
    with Reader(tmp_path / "run") as reader:
        assert reader.experiment.kind == "training"
        np.testing.assert_array_equal(reader.experiment.arrays["X"], X)
        record = reader.at(4, "networks 0 to 4")
        assert record is not None
        np.testing.assert_array_equal(record.arrays["kernels"], whole.kernels[:, 4])


OTHERS = {
    "momentum": {"momentum": 0.5},
    "seed": {"seed": 4},
    "record": {"record": ("kernels",)},
    "probe": {"probe": X[:2]},
    "parametrization": {"parametrization": "mup"},
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_store_of_another_run_is_refused(name, tmp_path):
    _train(store=tmp_path / "run")
    with pytest.raises(ValueError, match=f"another experiment \\(different: .*{name}"):
        _train(store=tmp_path / "run", **OTHERS[name])


def test_another_function_of_the_same_name_is_refused(tmp_path):
    def of_size(size):
        def act(z):
            return size * np.sin(z)

        def slope(z):
            return size * np.cos(z)

        return replace(NET, activation=act, activation_derivatives=(slope,))

    fw.simulate.train(of_size(1.0), X, Y, 0.05, 2, store=tmp_path / "run")
    other = of_size(0.5)
    with pytest.raises(ValueError, match="different: activation"):
        fw.simulate.train(other, X, Y, 0.05, 2, store=tmp_path / "run")


def test_a_divergence_is_kept(tmp_path):
    asked = {"net": NET, "X": X, "y": Y, "learning_rate": 1e120, "steps": 6, "size": 3}
    with pytest.warns(RuntimeWarning, match="diverges"):
        first = fw.simulate.train(**asked, store=tmp_path / "run")
    with pytest.warns(RuntimeWarning, match="diverges"):
        again = fw.simulate.train(**asked, store=tmp_path / "run")
    assert again.diverged_at == first.diverged_at is not None
    assert again.diverged == first.diverged
    _same(again, first)
