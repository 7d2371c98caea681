"""`finitewidth sweep`: example, run, status, export, and plain errors."""

import csv
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import finitewidth as fw
from tests.cli.running import Run, document

pytestmark = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("pydantic", "xarray", "h5netcdf", "zarr")),
    reason="the sweep extra is not installed",
)

GRID = """\
[axes]
method = ["law", "sampler"]
n_in = 5
width = [4, 7]
depth = 3
[precision]
max_networks = 4096
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder the commands run in, with a grid."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "g.toml").write_text(GRID)
    return tmp_path


def test_run_status_and_export(folder: Path, run: Run) -> None:
    done = run("sweep", "run", "g.toml", "--store", "r.sqlite")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:2] == [
        "4 cells: 4 finished, 0 failed", "4 chunks computed now. Results: r.sqlite",
    ]  # fmt: skip
    assert f"{fw.KernelLaw(fw.MLP(5, [4, 4])).dispersion():.4g}" in done.stdout
    again = run("sweep", "run", "g.toml", "--store", "r.sqlite").stdout
    assert "4 finished, 0 failed\n0 chunks computed now" in again

    status = run("sweep", "status", "r.sqlite").stdout.splitlines()
    assert [line.split() for line in status if line.startswith(("law", "sampler"))] == [
        ["law", "2", "2", "0", "2", "0"],
        ["sampler", "2", "2", "0", "2", "8192"],
    ]
    assert any("Runs: 2; the last one was closed" in line for line in status)

    told = run("sweep", "export", "r.sqlite", "--to", "out.csv").stdout
    assert told == "out.csv: 4 cells\n"
    rows = list(csv.DictReader((folder / "out.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["width"], row["by_method"]) for row in rows] == [
        ("4", "law"), ("4", "sampler"), ("7", "law"), ("7", "sampler"),
    ]  # fmt: skip
    assert float(rows[2]["kernel_mean"]) == fw.KernelLaw(fw.MLP(5, [7, 7])).mean()
    assert rows[0]["log_kernel_mean"] == ""
    assert rows[0]["complete"] == "true"


@pytest.mark.parametrize("ending", ["nc", "zarr"])
def test_an_export_reads_back_the_same(folder: Path, run: Run, ending: str) -> None:
    import xarray

    run("sweep", "run", "g.toml", "--store", "r.sqlite")
    for _ in range(2):  # the second one replaces the first
        assert run("sweep", "export", "r.sqlite", "--to", f"out.{ending}").returncode == 0
    if ending == "nc":
        found = xarray.load_dataset(folder / "out.nc", engine="h5netcdf")
    else:
        found = xarray.open_zarr(folder / "out.zarr", consolidated=False)
    xarray.testing.assert_identical(found.load(), fw.sweep.open(folder / "r.sqlite"))
    assert found.kernel_mean.attrs["units"] == "gradient squared"
    assert sorted(path.name for path in folder.iterdir() if ".tmp" in path.name) == []


def test_the_example_is_a_grid_and_is_not_overwritten(folder: Path, run: Run) -> None:
    assert run("sweep", "example", "e.toml").returncode == 0
    assert (folder / "e.toml").read_text().startswith("# A grid")
    done = run("sweep", "example", "e.toml")
    assert (done.returncode, done.stderr) == (
        2, "finitewidth: e.toml exists already; give another name.\n",
    )  # fmt: skip


def test_a_failed_cell_is_told_and_exits_with_1(folder: Path, run: Run) -> None:
    (folder / "b.toml").write_text(
        GRID.replace("[axes]\n", '[axes]\nactivation = ["relu", "tanh"]\n')
    )
    done = run("sweep", "run", "b.toml", "--store", "r.sqlite")
    assert done.returncode == 1
    assert "8 cells: 4 finished, 4 failed" in done.stdout
    assert "4 failed: the exact law needs an activation" in done.stdout
    assert "4 failed: the exact law" in run("sweep", "status", "r.sqlite").stdout


def test_ctrl_c_leaves_a_store_that_continues(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from finitewidth.store.runner import engine, running

    run("sweep", "run", "g.toml", "--store", "whole.sqlite")
    compute, calls = engine.compute, []

    def stopped(tasks):
        calls.append(tasks)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return compute(tasks)

    monkeypatch.setattr(running, "BUNDLE_TASKS", 1)
    with monkeypatch.context() as patch:
        patch.setattr(engine, "compute", stopped)
        done = run("sweep", "run", "g.toml", "--store", "r.sqlite")
    assert done.returncode == 130
    assert "Stopped; what was finished is in r.sqlite" in done.stderr
    assert not bool(fw.sweep.open("r.sqlite").complete.all())
    told = run("sweep", "export", "r.sqlite", "--to", "o.csv").stdout
    assert told == "o.csv: 4 cells, 3 of them not finished\n"
    done = run("sweep", "run", "g.toml", "--store", "r.sqlite")
    assert "4 finished, 0 failed\n3 chunks computed now" in done.stdout
    one, two = fw.sweep.open("r.sqlite"), fw.sweep.open("whole.sqlite")
    for name in one.data_vars:
        np.testing.assert_array_equal(one[name], two[name])


BAD = {
    "no grid": (("run", "none.toml", "--store", "s"), "there is no grid file none.toml; write one"),
    "no store": (("status", "none.sqlite"), "there is no store"),
    "workers": (("run", "g.toml", "--store", "s", "--workers", "0"), "--workers is 0, expected 1"),
    "both": (
        ("run", "g.toml", "--store", "s", "--workers", "2", "--scheduler", "tcp://x:1"),
        "--workers and --scheduler were both given",
    ),
    "ending": (("example", "g.yaml"), "the example is 'g.yaml', expected a name ending in .toml"),
    "folder": (("example", "none/g.toml"), "the example is 'none/g.toml', but there is no folder"),
}


@pytest.mark.parametrize(("arguments", "sentence"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_sentence(folder: Path, run: Run, arguments, sentence: str) -> None:
    done = run("sweep", *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(f"finitewidth: {sentence}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("to", ["out.xlsx", "none/out.csv", "."])
def test_a_bad_export_is_refused(folder: Path, run: Run, to: str) -> None:
    run("sweep", "run", "g.toml", "--store", "r.sqlite")
    done = run("sweep", "export", "r.sqlite", "--to", to)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_a_report_is_a_result_like_any_other(folder: Path, run: Run) -> None:
    run("sweep", "run", "g.toml", "--store", "r.sqlite")
    done = run("sweep", "report", "r.sqlite", "--html", "a.html", "--plot", "a.svg")
    assert done.stdout.startswith("Sweep r.sqlite\n4 of 4 cells are finished, 0 failed.\n")
    assert done.stdout.endswith("The report is in a.html.\nThe figure is in a.svg.\n")
    assert (folder / "a-2.svg").is_file()
    assert "4 of 4 cells" in run("sweep", "report", "r.sqlite", "--markdown").stdout
    found = document(run, "sweep", "report", "r.sqlite")
    law = found["results"]["kernel_mean, width 7, law"]
    assert law["value"] == fw.KernelLaw(fw.MLP(5, [7, 7])).mean()
    assert (law["exact"], law["std_error"], law["method"]) == (True, 0, "law")
    drawn = found["results"]["kernel_mean, width 7, sampler"]
    assert (drawn["exact"], drawn["size"], drawn["method"]) == (False, 4096, "sampler")
    assert found["inputs"]["n_in"] == 5


def test_status_and_outcome_as_json(folder: Path, run: Run) -> None:
    more = ("failures", "messages")
    found = document(run, "sweep", "run", "g.toml", "--store", "r.sqlite", more=more)
    assert (found["failures"], found["messages"]) == ({}, [])
    counts = {name: entry["value"] for name, entry in found["results"].items()}
    assert counts == {"cells": 4, "finished": 4, "computed": 4, "failed": 0}
    found = document(run, "sweep", "status", "r.sqlite", more=("failures", "closed"))
    assert found["closed"] is True
    assert found["results"]["sampler, networks"]["value"] == 8192
    assert found["results"]["runs"]["value"] == 1


def test_a_report_by_the_name_of_its_file(folder: Path, run: Run) -> None:
    run("sweep", "run", "g.toml", "--store", "r.sqlite")
    assert run("sweep", "report", "r.sqlite", "--to", "out.html").stdout == "out.html written.\n"
    assert "4 of 4 cells are finished" in (folder / "out.html").read_text(encoding="utf-8")
    told = run("sweep", "report", "r.sqlite", "--to", "out.md").stdout
    assert told == "out.md written, with its figures beside it.\n"
    assert (folder / "out-1.svg").is_file()


def test_what_cannot_be_reported(folder: Path, run: Run) -> None:
    (folder / "h.toml").write_text(GRID.replace('"law", "sampler"', '"law"').replace(
        "depth = 3", 'depth = 3\nactivation = "tanh"'))  # fmt: skip
    run("sweep", "run", "h.toml", "--store", "r.sqlite")
    done = run("sweep", "report", "r.sqlite", "--to", "out.html")
    assert done.returncode == 2
    assert "no cell of r.sqlite is finished yet" in done.stderr
    done = run("sweep", "report", "r.sqlite", "--to", "out.pdf")
    assert done.returncode == 2
    assert "expected a name ending in .html or .md" in done.stderr
