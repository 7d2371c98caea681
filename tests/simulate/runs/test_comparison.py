"""Networks trained on the same data: their rates, curves, bands, and what a page says."""

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.data import training_set
from finitewidth.report import Band
from finitewidth.simulate.runs.run import FLOAT32

DATA = training_set("digits", 4)
assert DATA.y is not None
X, Y = DATA.X, DATA.y
NETS = {
    name: fw.MLP(64, [12, 10], activation="tanh", parametrization=name) for name in ("mup", "ntk")
}


def test_the_figure_has_the_bands_of_the_record() -> None:
    compared = fw.simulate.compare({"mup": NETS["mup"]}, X, Y, 3, 24, 4, learning_rate=0.01)
    panels = compared.panels()
    assert [plot.y_label.split(":")[0] for plot in panels.plots] == [
        "loss ½ Σ (N − y)²", "kernel", "features",
    ]  # fmt: skip
    again = fw.simulate.train(NETS["mup"], X, Y, 0.01, 3, 24, 4)
    for plot, wanted in zip(panels.plots, (again.loss, again.distance), strict=False):
        (band,) = plot.series
        assert isinstance(band, Band)
        np.testing.assert_allclose(band.low, np.quantile(wanted, 0.1, axis=0))
        np.testing.assert_allclose(band.middle, np.median(wanted, axis=0))
        np.testing.assert_allclose(band.high, np.quantile(wanted, 0.9, axis=0))


def test_each_network_has_its_default_rate_and_its_own_run() -> None:
    told: list[tuple[int, int]] = []
    compared = fw.simulate.compare(
        NETS, X, Y, 2, 3, 4, momentum=0.5, progress=lambda done, of: told.append((done, of))
    )
    assert told[-1] == (2 * 3 * 3, 2 * 3 * 3)  # two runs of 3 networks, 3 observations each
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    for run in compared.runs:
        net = NETS[run.name]
        rate = fw.simulate.default_rate(net, X, Y, 3, 4)
        assert run.trajectory.learning_rate == rate
        again = fw.simulate.train(net, X, Y, rate, 2, 3, 4, momentum=0.5)
        np.testing.assert_array_equal(run.trajectory.loss, again.loss)


def test_wide_networks_are_trained_in_single_precision() -> None:
    wide = fw.MLP(64, [FLOAT32])
    compared = fw.simulate.compare({"wide": wide}, X, Y, 0, learning_rate=0.1)
    again = fw.simulate.train(wide, X.astype(np.float32), Y, 0.1, 0)
    np.testing.assert_array_equal(compared.runs[0].trajectory.loss, again.loss)
    assert "float32; 4 inputs; mean |x|² = n_in" in compared.page().lead[-1]


def test_a_page_says_what_the_networks_are() -> None:
    same = fw.simulate.compare(NETS, X, Y, 1, learning_rate=0.01).page()
    assert sum("tanh" in line for line in same.lead) == 1
    nets = {"narrow": NETS["ntk"], "wide": fw.MLP(64, [20], "tanh")}
    twice = fw.simulate.compare(nets, 2 * X, Y, 1, learning_rate=0.01, data="twice")
    lead = twice.page().lead
    assert [line.split(":")[0] for line in lead[:2]] == ["narrow", "wide"]
    assert "4 inputs of twice; mean |x|² = 256" in lead[2]


def test_no_networks() -> None:
    with pytest.raises(ValueError, match="no networks"):
        fw.simulate.compare({}, X, Y, 1)
