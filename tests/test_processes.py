"""Processes that the package starts: no main guard, one that dies, warnings, sockets."""

import os
import subprocess
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest

from finitewidth._processes import pool, tell, with_warnings

ENSEMBLE = """
import finitewidth as fw, torch
def make(): return torch.nn.Linear(3, 1)
fw.measure.ensemble(make, torch.ones(2, 3), 4, workers=2)
"""
SWEEP = """
import finitewidth as fw
fw.sweep.run({"axes": {"n_in": 5, "width": [4, 7], "depth": 2}}, "s.sqlite", 2)
"""
SCRIPTS = {"torch": ENSEMBLE, "distributed": SWEEP}


@pytest.mark.parametrize("needed", SCRIPTS)
def test_a_script_without_a_main_guard_is_told_once(tmp_path: Path, needed: str) -> None:
    if find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed")
    script = tmp_path / "script.py"
    script.write_text(SCRIPTS[needed])
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 1
    assert done.stderr.count("Traceback") == 1  # that of the call itself, and none of a process
    assert done.stderr.splitlines()[-1].startswith("RuntimeError: the script has no main guard: ")
    assert not (tmp_path / "s.sqlite").exists()


def _dies() -> None:
    os._exit(9)


def test_a_process_that_dies_is_one_sentence() -> None:
    with pytest.raises(RuntimeError, match="a process ended before its work was done"):  # noqa: SIM117
        with pool(2) as processes:
            processes.submit(_dies).result()


def _warns(text: str) -> str:
    warnings.warn(text, UserWarning, stacklevel=1)
    warnings.warn(text, UserWarning, stacklevel=1)
    return text


def test_warnings_of_other_processes_are_shown_here_and_once() -> None:
    seen: set = set()
    with pool(2) as processes, warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        jobs = [processes.submit(with_warnings, _warns, text) for text in ("one", "two", "one")]
        for job in jobs:
            _, told = job.result()
            tell(told, seen)
    assert [str(one.message) for one in shown] == ["one", "one", "two", "two"]


def test_an_error_comes_after_its_warnings() -> None:
    def fails() -> None:
        warnings.warn("beforehand", UserWarning, stacklevel=1)
        raise KeyError("x")

    found, told = with_warnings(fails)
    assert isinstance(found, KeyError)
    assert [text for text, *_ in told] == ["beforehand"]
