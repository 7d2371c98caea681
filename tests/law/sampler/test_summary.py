"""A `SampleSummary` shows itself: the same numbers in every form."""

import json
from math import exp, log

import pytest

import finitewidth as fw

NET = fw.MLP(5, [40, 30])
SUMMARY = fw.KernelLaw(NET, input_name="x.npy").summary(2000, 7)


def test_it_knows_what_it_is_of() -> None:
    document = json.loads(SUMMARY.to_json())
    assert document["inputs"] == {"input": "x.npy", "size": 2000, "seed": 7}
    assert document["network"]["widths"] == [[40, 1], [30, 1]]
    assert SUMMARY.log_dispersion == fw.KernelLaw(NET).log_dispersion()
    assert fw.KernelLaw(NET).summary(64, 7).input_name == "|x|^2 = 5"


def test_a_notebook_shows_quantiles_and_density_and_leaves_details_out() -> None:
    html = SUMMARY._repr_html_()
    assert "Quantiles of K over 2000 random initialisations" in html
    assert "Sampled over exact moments" not in html
    assert "Sampled over exact moments" in SUMMARY.markdown()


def test_the_line_of_infinite_width_is_the_kernel_that_all_seeds_share() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib (report extra) is absent")
    (density,) = SUMMARY.page().drawings()
    assert isinstance(density, fw.report.Plot)
    places = {one.label: one.x[0] for one in density.series if isinstance(one, fw.report.Curve)}
    # E K of a wide ReLU network: d |x|²/n_0 from weights, (d + 1)/2 from biases
    assert places["infinite width: the same K for every seed"] == pytest.approx(log(5.0), abs=1e-6)
    assert places["exact mean"] == pytest.approx(log(fw.KernelLaw(NET).mean()), rel=1e-12)
    assert places["median"] == pytest.approx(SUMMARY.log_quantile(0.5).value)
    ratio = fw.KernelLaw(NET).mean() / exp(places["median"])
    assert f"The exact mean is {ratio:.4g} times the median" in density.sentence
