"""Running a grid: the numbers, resuming, continuing, errors of cells, and what open gives."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray

import finitewidth as fw
from finitewidth.sweep.cells import Cell
from finitewidth.sweep.store import Reader


def network(width: int, depth: int) -> fw.MLP:
    return fw.MLP.equal_width(5, width, depth - 1)


def test_the_numbers_of_the_law(tmp_path: Path, small: dict) -> None:
    done = fw.sweep.run(small, tmp_path / "s.sqlite")
    assert (done.cells, done.finished, done.complete, done.failures) == (8, 8, True, [])
    data = fw.sweep.open(tmp_path / "s.sqlite")
    assert data.kernel_mean.dims == ("width", "depth", "by_method")
    assert bool(data.complete.all())
    for width in (4, 7):
        for depth in (2, 4):
            law = fw.KernelLaw(network(width, depth))
            one = data.sel(by_method="law", width=width, depth=depth)
            assert float(one.kernel_mean) == law.mean()
            assert float(one.kernel_dispersion) == law.dispersion()
            assert float(one.log_dispersion) == law.log_dispersion()
            assert float(one.update_mean) == law.update_mean(0.1)
            assert float(one.output_square_mean) == law.output_moment(2)
            assert float(one.kernel_mean_std_error) == 0.0
            assert int(one.networks) == 0
            assert np.isnan(float(one.log_kernel_mean))


def test_the_sampler_is_the_sample_of_the_cell_s_entropy(tmp_path: Path, small: dict) -> None:
    """The streams are those of `KernelLaw.log_sample`, chunk after chunk."""
    from finitewidth.law.sampler.sample import log_sample

    fw.sweep.run(small, tmp_path / "s.sqlite")
    data = fw.sweep.open(tmp_path / "s.sqlite")
    with Reader(tmp_path / "s.sqlite") as reader:
        for row in reader.cells().rows:
            cell = Cell(row.inputs)
            if cell.inputs["method"] == "law":
                continue
            one = data.sel(by_method="sampler", width=cell.inputs["width"],
                           depth=cell.inputs["depth"])  # fmt: skip
            size = int(one.networks)
            assert size >= 10_000
            net = network(cell.inputs["width"], cell.inputs["depth"])
            drawn = log_sample(net, 5.0, size, cell.entropy, 1, None)
            kernel = np.exp(drawn.kernel)
            assert float(one.kernel_mean) == pytest.approx(kernel.mean(), rel=1e-12)
            assert float(one.log_kernel_variance) == pytest.approx(drawn.kernel.var(), rel=1e-10)
            assert float(one.kernel_median) == pytest.approx(np.median(kernel), rel=0.011)


def test_the_sampler_agrees_with_the_law(tmp_path: Path, small: dict) -> None:
    """8 comparisons at |z| < 5.2: false alarm 1.6e-6 in all; half of the value would be seen."""
    fw.sweep.run(small, tmp_path / "s.sqlite")
    data = fw.sweep.open(tmp_path / "s.sqlite")
    law, sampled = data.sel(by_method="law"), data.sel(by_method="sampler")
    for name in ("kernel_mean", "output_square_mean"):
        z = (sampled[name] - law[name]) / sampled[f"{name}_std_error"]
        assert float(abs(z).max()) < 5.2
        wrong = (sampled[name] - 1.5 * law[name]) / sampled[f"{name}_std_error"]
        assert float(abs(wrong).min()) > 5.2
    assert bool(sampled.kernel_mean_trusted.all())


def test_running_again_computes_nothing(tmp_path: Path, small: dict) -> None:
    first = fw.sweep.run(small, tmp_path / "s.sqlite")
    before = fw.sweep.open(tmp_path / "s.sqlite")
    again = fw.sweep.run(small, tmp_path / "s.sqlite")
    assert first.computed >= 8
    assert (again.computed, again.finished) == (0, 8)
    xarray.testing.assert_identical(before, fw.sweep.open(tmp_path / "s.sqlite").assign_attrs(
        before.attrs))  # fmt: skip


def test_more_precision_continues_the_same_streams(tmp_path: Path, small: dict) -> None:
    """In two steps or in one: the same bits."""
    more = {**small, "precision": {"max_networks": 60_000}}
    fw.sweep.run(small, tmp_path / "two.sqlite")
    done = fw.sweep.run(more, tmp_path / "two.sqlite")
    fw.sweep.run(more, tmp_path / "one.sqlite")
    assert 0 < done.computed < 30
    two, one = (fw.sweep.open(tmp_path / f"{name}.sqlite") for name in ("two", "one"))
    xarray.testing.assert_equal(one, two)
    # and less never throws networks away
    fw.sweep.run(small, tmp_path / "two.sqlite")
    xarray.testing.assert_equal(one, fw.sweep.open(tmp_path / "two.sqlite"))


def test_a_cell_stops_at_its_target(tmp_path: Path, small: dict) -> None:
    small["precision"] = {"relative_error": 0.01, "max_networks": 10**8}
    fw.sweep.run(small, tmp_path / "s.sqlite")
    found = fw.sweep.open(tmp_path / "s.sqlite").sel(by_method="sampler")
    relative = found.kernel_mean_std_error / found.kernel_mean
    assert float(relative.max()) <= 0.01
    assert bool(found.kernel_mean_trusted.all())
    assert int(found.networks.max()) < 10**6
    assert bool(found.complete.all())


def test_a_target_that_the_method_does_not_give_spends_the_budget(tmp_path: Path) -> None:
    axes = {"method": "sampler", "n_in": 5, "width": 8, "depth": 3}
    precision = {"relative_error": 0.5, "of": "step_mean", "max_networks": 10_000}
    fw.sweep.run({"axes": axes, "precision": precision}, tmp_path / "s.sqlite")
    assert int(fw.sweep.open(tmp_path / "s.sqlite").networks) == 16384


def test_a_cell_does_not_stop_before_its_target_can_be_told(tmp_path: Path) -> None:
    """The 5 % quantile takes 128 networks or more; a block of dense networks has 64."""
    axes = {"method": "dense", "n_in": 5, "width": 4, "depth": 2}
    precision = {"relative_error": 0.9, "of": "kernel_q05", "max_networks": 10_000}
    fw.sweep.run({"axes": axes, "precision": precision}, tmp_path / "s.sqlite")
    assert int(fw.sweep.open(tmp_path / "s.sqlite").networks) == 128


def test_a_budget_in_seconds_is_one_of_networks(tmp_path: Path, small: dict) -> None:
    small["precision"] = {"max_seconds": 0.01, "max_networks": 10**9}
    fw.sweep.run(small, tmp_path / "s.sqlite")
    found = fw.sweep.open(tmp_path / "s.sqlite").sel(by_method="sampler")
    assert int(found.networks.max()) < 10**6


def test_a_heavy_tail_is_not_trusted(tmp_path: Path) -> None:
    axes = {"method": "sampler", "n_in": 5, "width": 10, "depth": 60}
    fw.sweep.run({"axes": axes, "precision": {"max_networks": 8192}}, tmp_path / "s.sqlite")
    data = fw.sweep.open(tmp_path / "s.sqlite")
    assert not bool(data.kernel_dispersion_trusted)
    assert not bool(data.kernel_mean_trusted)
    assert bool(data.log_kernel_mean_trusted)


def test_a_failed_cell_costs_itself_and_says_why(tmp_path: Path, small: dict) -> None:
    small["axes"]["activation"] = ["relu", "tanh"]
    done = fw.sweep.run(small, tmp_path / "s.sqlite")
    assert (done.cells, done.finished, done.complete) == (16, 8, False)
    assert len(done.failures) == 8
    assert all(inputs["activation"] == "tanh" for inputs, _ in done.failures)
    assert all("the exact law needs an activation" in cause for _, cause in done.failures)
    data = fw.sweep.open(tmp_path / "s.sqlite")
    assert int(data.complete.sum()) == 8
    assert not bool(data.complete.sel(activation="tanh").any())
    assert len(json.loads(data.attrs["failures"])) == 8
    assert fw.sweep.run(small, tmp_path / "s.sqlite").computed == 0


def test_a_quantity_beyond_a_double_costs_itself_alone(tmp_path: Path) -> None:
    axes = {"n_in": 5, "width": 2, "depth": 2000}
    fw.sweep.run({"axes": axes}, tmp_path / "s.sqlite")
    data = fw.sweep.open(tmp_path / "s.sqlite")
    assert "kernel_dispersion" not in data
    assert float(data.log_dispersion) > 700


def test_units_and_provenance(tmp_path: Path, small: dict) -> None:
    fw.sweep.run(small, tmp_path / "s.sqlite")
    data = fw.sweep.open(tmp_path / "s.sqlite")
    assert data.width.attrs["units"] == "neurons"
    assert all("units" in data[name].attrs for name in ("kernel_mean", "networks"))
    (session,) = json.loads(data.attrs["sessions"])
    assert session["finitewidth"] == fw.__version__
    assert session["closed"] is True
    assert session["grid"]["axes"]["width"] == [4, 7]
    assert {"commit", "host", "time"} <= set(session)
    assert json.loads(data.attrs["inputs"])["activation"] == "relu"
    assert data.attrs["host_count"] == 1


def test_cells_that_fill_no_grid_lie_in_a_row(tmp_path: Path) -> None:
    grid = {
        "axes": {"n_in": 5, "activation": "abs"},
        "cells": [{"widths": [3, 4]}, {"width": 5, "depth": 2}, {"widths": [7]}],
    }
    fw.sweep.run(grid, tmp_path / "s.sqlite")
    data = fw.sweep.open(tmp_path / "s.sqlite")
    assert data.kernel_mean.dims == ("cell",)
    assert data.widths.values.tolist() == ["3-4", "", "7"]
    assert data.kernel_mean.values[0] == fw.KernelLaw(fw.MLP(5, [3, 4], activation="abs")).mean()


def test_a_bad_grid_or_store_is_refused_before_anything_is_written(
    tmp_path: Path, small: dict
) -> None:
    with pytest.raises(
        ValueError, match=r"precision.of has 'variance', expected one of kernel_mean"
    ):
        fw.sweep.run({**small, "precision": {"of": "variance"}}, tmp_path / "s.sqlite")
    with pytest.raises(ValueError, match=r"the store is .*, but there is no folder"):
        fw.sweep.run(small, tmp_path / "none" / "s.sqlite")
    with pytest.raises(ValueError, match="is a folder"):
        fw.sweep.run(small, tmp_path)
    with pytest.raises(ValueError, match="there is no store"):
        fw.sweep.open(tmp_path / "s.sqlite")
    assert list(tmp_path.iterdir()) == []
