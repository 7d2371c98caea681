"""`finitewidth check`: the measured numbers of a factory, and one sentence for bad input."""

import json
from pathlib import Path

import numpy as np
import pytest

import finitewidth as fw
from tests.cli.running import Run

torch = pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")

MODELS = """
import numpy as np
import torch.nn as nn

def make():
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 2))

def data():
    return np.linspace(-1, 1, 30).reshape(6, 5), np.zeros(6)

def number():
    return 3
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "checked_models.py").write_text(MODELS)
    np.savez(tmp_path / "data.npz", X=np.linspace(-1, 1, 30).reshape(6, 5))
    np.savez(tmp_path / "other.npz", Z=np.ones(3))
    (tmp_path / "text.npz").write_text("no archive")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("data", ["data.npz", "checked_models:data"])
def test_json_holds_the_ensemble(run: Run, folder: Path, data: str) -> None:
    done = run("check", "checked_models:make", "--data", data, "--inputs", "4", "--seeds", "6",
               "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["results"]
    import checked_models  # type: ignore[import-not-found]

    direct = fw.measure.ensemble(checked_models.make, checked_models.data()[0][:4], 6)
    assert found["mean"]["value"] == direct.mean.value
    assert found["mean"]["std_error"] == direct.mean.std_error
    assert found["log10_condition"]["value"] == direct.log10_condition.value
    shares = [entry["value"] for name, entry in found.items() if name.startswith("share_")]
    assert sum(shares) == pytest.approx(1.0)
    assert found["dispersion"]["trusted"] is False


def test_the_sentence_says_what_one_seed_is_worth(run: Run, folder: Path) -> None:
    done = run("check", "checked_models:make", "--data", "data.npz", "--seeds", "6")
    text = " ".join(done.stdout.split())
    assert "Two seeds' kernels differ by about" in text
    assert "rank architectures by it only where they differ by more" in text
    assert "not trusted yet" in text


BAD = {
    "no colon": (("checked_models",), "module:function"),
    "no module": (("gone_module:make",), "importing 'gone_module' fails"),
    "no function": (("checked_models:gone",), "no function 'gone'"),
    "not a model": (("checked_models:number",), "expected a torch.nn.Module"),
    "no file": (("checked_models:make", "--data", "gone.npz"), "no such file"),
    "no X": (("checked_models:make", "--data", "other.npz"), "expected an array X"),
    "no archive": (("checked_models:make", "--data", "text.npz"), "text.npz"),
    "one seed": (("checked_models:make", "--data", "data.npz", "--seeds", "1"), "at least 2"),
    "no inputs": (("checked_models:make", "--data", "data.npz", "--inputs", "0"), "--inputs is 0"),
    "wrong shape": (("checked_models:make", "--data", "digits"), "cannot take an input of shape"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_exit_code_2(run: Run, folder: Path, case: str) -> None:
    arguments, part = BAD[case]
    if "digits" in arguments:
        pytest.importorskip("sklearn", reason="scikit-learn (demo extra) is absent")
    done = run("check", *arguments)
    assert done.returncode == 2
    assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert [line for line in done.stderr.splitlines() if line.strip()][-1].startswith("finitewidth")
