"""The page of a recorded training: its numbers are those of the file."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")
pytest.importorskip("xarray", reason="xarray (the torch extra) is not installed")

from torch import nn  # noqa: E402

import finitewidth as fw  # noqa: E402
from finitewidth.report import Curve, Plot, Table  # noqa: E402


def make_model() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1)).double()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    X = torch.linspace(-1, 1, 12, dtype=torch.float64).reshape(4, 3)
    y = torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=torch.float64)
    null = fw.measure.null_band(make_model, X, seeds=32, y=y)
    torch.manual_seed(0)
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    target = tmp_path_factory.mktemp("record") / "run.sqlite"
    with fw.measure.Recorder(model, X, target, y=y, null=null) as recorder:
        for _ in range(40):
            loss = ((model(X)[:, 0] - y) ** 2).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            recorder.step(loss)
    return target


def test_its_numbers_are_those_of_the_file(path):
    data, report = fw.measure.open_record(path), fw.measure.TrainingReport(path)
    page = report.page()
    table = page.sections[0].blocks[0]
    assert isinstance(table, Table)
    assert table.rows[0][0] == 0
    assert table.rows[-1][0] == 40
    assert table.rows[-1][1] == float(data.distance[-1])
    assert table.rows[0][-1] is None  # no loss at step 0
    assert f"After 40 steps the kernel lies {float(data.distance[-1]):.3g} times" in page.lead[0]
    results = json.loads(report.to_json())["results"]
    np.testing.assert_array_equal(results["trace"]["value"], data.trace)
    assert "loss" not in results  # unknown at step 0


def test_its_figures_are_those_of_the_file(path):
    data = fw.measure.open_record(path)
    report = fw.measure.TrainingReport(data, {"exact mean": 2.5})
    figures = {
        plot.title: [one for one in plot.series if isinstance(one, Curve)]
        for plot in report.page().drawings()
        if isinstance(plot, Plot)
    }
    distance = figures["How far training moves the kernel"]
    np.testing.assert_array_equal(distance[0].y, data.distance[1:])
    assert len(distance) == 1 + len(data["quantile"])
    np.testing.assert_array_equal(distance[-1].y, [data.distance_null[-1]] * 2)
    size = figures["The size of the kernel"]
    np.testing.assert_allclose(size[0].y, data.trace / 4)
    assert (size[1].label, *size[1].y) == ("exact mean", 2.5, 2.5)
    np.testing.assert_array_equal(
        figures["Which layers carry the kernel"][1].y, data.layer_share[-1]
    )
    np.testing.assert_array_equal(figures["The loss"][0].y, data.loss[1:])
