"""Numbers of every network, kept as whole files beside the store."""

import os
from pathlib import Path

import numpy as np
import pytest
import xarray

import finitewidth as fw
from finitewidth.sweep.store import arrays

GRID = {
    "axes": {"n_in": 5, "width": [4, 8], "depth": 3, "method": ["law", "sampler"]},
    "precision": {"max_networks": 10_000},
    "samples": True,
}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A sweep that kept them."""
    assert fw.sweep.run(GRID, tmp_path / "s.sqlite").complete
    return tmp_path / "s.sqlite"


def test_they_are_what_the_results_are_made_of(store: Path) -> None:
    data = fw.sweep.open(store).sel(by_method="sampler", width=8)
    kept = fw.sweep.samples(store, width=8, method="sampler")
    assert set(kept) == {"kernel", "output_square"}
    assert len(kept["kernel"]) == int(data.networks)
    assert float(data.kernel_mean) == pytest.approx(kept["kernel"].mean(), rel=1e-13)
    assert float(data.kernel_median) == pytest.approx(np.median(kept["kernel"]), rel=0.011)


def test_keeping_them_does_not_change_the_results(store: Path, tmp_path: Path) -> None:
    fw.sweep.run({**GRID, "samples": False}, tmp_path / "t.sqlite")
    xarray.testing.assert_equal(fw.sweep.open(store), fw.sweep.open(tmp_path / "t.sqlite"))
    assert not arrays.folder_of(tmp_path / "t.sqlite").exists()


@pytest.mark.parametrize("damage", ["lost", "cut", "flipped"])
def test_a_damaged_file_is_computed_again(store: Path, damage: str) -> None:
    before = fw.sweep.samples(store, width=4, method="sampler")
    for path in arrays.folder_of(store).iterdir():
        content = path.read_bytes()
        if damage == "lost":
            path.unlink()
        elif damage == "cut":
            path.write_bytes(content[:-8])
        else:
            path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(RuntimeError, match="is missing or damaged; running the sweep again"):
        fw.sweep.samples(store, width=4, method="sampler")
    done = fw.sweep.run(GRID, store)
    assert done.complete
    assert done.computed == 6
    after = fw.sweep.samples(store, width=4, method="sampler")
    assert all((before[name] == after[name]).all() for name in before)


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch) -> None:
    store, content = tmp_path / "s.sqlite", b"some content"

    def refused(*_: object) -> None:
        raise OSError("no space left on device")

    arrays.write(store, content)
    arrays.write(store, content)
    (path,) = arrays.folder_of(store).iterdir()
    assert path.read_bytes() == content
    path.unlink()
    monkeypatch.setattr(os, "fsync", refused)
    with pytest.raises(RuntimeError, match=r"cannot be written: no space left .* is intact"):
        arrays.write(store, content)
    assert list(arrays.folder_of(store).iterdir()) == []


def test_which_cell_must_be_clear(store: Path, small: dict) -> None:
    with pytest.raises(ValueError, match=r"2 cells of .* expected one; name more of its inputs"):
        fw.sweep.samples(store, method="sampler")
    with pytest.raises(ValueError, match="were not kept; run the grid with samples = true"):
        fw.sweep.samples(store, method="law", width=4)
