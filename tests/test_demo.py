"""The demo at a small size: its numbers agree with the exact law, and its report is written."""

import importlib
import re
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import finitewidth as fw

DEMO = Path(__file__).parents[1] / "demo"
MODULES = ("digits", "digits_numbers", "digits_report", "digits_results", "digits_tables")
TRAINING = ("digits_training", "digits_training_report")


@pytest.fixture(scope="module")
def demo():
    """The demo's modules, found as when it is run as a program."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DEMO))
        yield SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})
        for name in [name for name in sys.modules if name.split("_")[0] == "digits"]:
            patch.delitem(sys.modules, name)


@pytest.fixture(scope="module")
def trained(demo):
    """The demo's PyTorch network at a small size, and its modules."""
    pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")
    pytest.importorskip("xarray", reason="xarray (the torch extra) is not installed")
    modules = {name: importlib.import_module(name) for name in TRAINING}
    settings = modules["digits_training"].TrainingSettings(seeds=32, steps=64, inputs=6)
    return SimpleNamespace(**modules, found=modules["digits_training"].train(settings))


@pytest.fixture(scope="module")
def settings(demo):
    return demo.digits_results.Settings(
        width=64, hidden_layers=(1, 3), networks=1000, steps=1000, sampled=20_000, middle=2
    )


@pytest.fixture(scope="module")
def results(demo, settings):
    return demo.digits_numbers.compute(settings, lambda cost: lambda done, total: None)


def test_the_networks_agree_with_the_exact_law(demo, results):
    """28 comparisons, at most 1e-6 false alarms in all: 4e-8 each, |z| < 5.5.

    Misses an error of 11 standard errors at most once in a million; the average of E K at L = 3
    has an error of 0.8 %.
    """
    found = list(demo.digits_tables.comparisons(results))
    trusted = [z for z in found if z is not None]
    assert len(found) == 28
    assert len(trusted) >= 26
    assert max(map(abs, trusted)) < 5.5
    assert "agree with the exact law" in demo.digits_tables.agreement(results)


def test_another_input_would_be_noticed(demo, settings, results):
    """Sabotage: the law at twice the input's square is far from the networks' averages."""
    wrong = fw.KernelLaw(demo.digits_numbers.network(settings, 3), power_sums=(2 * results.square,))
    deep = results.depths[1]
    assert abs(demo.digits_tables.z(deep.measured_mean, wrong.mean())) > 11


def test_the_exact_numbers_are_those_of_this_image(demo, results):
    x = demo.digits_numbers.images()[7]
    assert x.shape == (64,)
    assert x.min() == 0.0
    assert x.max() == 1.0
    law = fw.KernelLaw(fw.MLP(64, [64, 64, 64]), x)
    deep = results.depths[1]
    assert deep.mean == law.mean()
    assert deep.spread.exact == law.dispersion()
    assert deep.update.exact == law.relative_update(1 / law.mean())
    assert deep.beta == 3 / 64
    np.testing.assert_allclose(deep.sample.mean(), deep.measured_mean.value.item(), rtol=1e-12)


@pytest.mark.parametrize("quantity", ["spread", "update"])
def test_the_limit_is_approached_like_one_over_the_width(demo, quantity):
    """At d/n = 1/4 the distance from the exact value halves when both double (up to 10 %)."""
    x, distance = demo.digits_numbers.images()[7], []
    for width in (400, 800):
        law = fw.KernelLaw(fw.MLP.equal_width(64, width, width // 4 - 1), x)
        if quantity == "spread":
            limit, exact = demo.digits_numbers.limit_spread(law), law.dispersion()
        else:
            limit = demo.digits_numbers.limit_update(law, 1.0)
            exact = law.relative_update()
        distance.append(abs(limit / exact - 1))
    assert distance[1] < 0.01
    assert distance[0] / distance[1] == pytest.approx(2.0, rel=0.1)


def test_the_page_holds_every_table_and_figure(demo, results):
    html = demo.digits_report.page(results).html()
    assert html.count("<table>") == 4
    assert html.count("<svg ") == html.count("<figcaption>") == 5
    for heading in re.findall(r"<h[123][^>]*>(.*?)</h", html):
        if "ΔK" in heading or "step" in heading:
            assert "activation pattern frozen" in heading.replace("\u00a0", " ")
    assert "http://" not in html
    assert "https://" not in html


def test_the_program_prints_tables_and_writes_the_report(demo, trained, tmp_path, capsys):
    settings = demo.digits_results.Settings(
        width=16, hidden_layers=(1, 2), networks=60, steps=30, middle=1
    )
    small = trained.digits_training.TrainingSettings(seeds=30, steps=12, inputs=4)
    assert demo.digits.main(settings, tmp_path / "report.html", small) == 0
    printed = capsys.readouterr().out
    for title in ("Mean kernel E K", "Dispersion", "activation pattern frozen", "Ten digits"):
        assert title in printed
    assert "[a] not trusted" in printed, "30 networks are too few for an error"
    assert "100%" in printed
    assert str(tmp_path / "report.html") in printed.replace("\n", "")
    assert "Trained for 12 steps of SGD" in " ".join(printed.split())
    written = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "not trusted: " in written
    assert "A PyTorch network, measured and trained" in written


def test_the_pytorch_network_starts_as_the_law_says(trained):
    """4 comparisons over 32 seeds, at most 1e-6 false alarms: |z| < 5.1 each.

    Misses an error of 10 standard errors at most once in a million; a share has one of 2 %.
    """
    found = trained.found
    rows = trained.digits_training_report.comparisons(found)
    assert len(rows) == 4
    assert trained.digits_training_report.worst(found) < 5.1
    wrong = replace(found, exact_shares=found.exact_shares[::-1])
    assert trained.digits_training_report.worst(wrong) > 10
    assert "The largest |z| is" in trained.digits_training_report.table(wrong).caption
    assert found.check.theory.startswith("The model was recognised")


def test_the_exact_mean_is_the_sum_over_outputs_and_the_average_over_images(trained):
    x = trained.digits_training.classes()[0][:6]
    net = fw.MLP(64, [128, 128], parametrization="standard")
    each = [fw.KernelLaw(net, image).mean() for image in x]
    assert trained.found.exact_mean == pytest.approx(10 * sum(each) / 6, rel=1e-13)
    # the verdict finds the network from the module's weights and computes its own
    known = [row.theory for row in trained.found.check.shares]
    np.testing.assert_allclose(trained.found.exact_shares, known, rtol=1e-12)


def test_training_is_recorded_and_told(demo, trained, results):
    found = trained.found
    assert int(found.data.step.values[-1]) == 64
    assert found.data.loss.values[-1] < found.data.loss.values[1]
    assert 0.2 < found.accuracy < 1.0
    html = demo.digits_report.page(results, found).html()
    assert html.count("<table>") == 5
    assert html.count("<svg ") == html.count("<figcaption>") == 9
    assert f"{found.accuracy:.0%}" in trained.digits_training_report.trained(found)


def test_progress_ends_at_the_announced_cost(demo, settings):
    told, ends = [], []

    def meter(cost):
        told.append(cost)
        return lambda done, total: ends.append((done, total))

    demo.digits_numbers.compute(settings, meter)
    assert sum(told) == pytest.approx(settings.cost(), rel=1e-12)
    assert sum(done == total for done, total in ends) >= len(told)


def test_a_disagreement_is_said(demo, results):
    off = fw.Estimate(results.depths[0].mean + 1, 0.01, 1000, "dense")
    wrong = replace(results, depths=[replace(results.depths[0], measured_mean=off)])
    assert "more than chance explains" in demo.digits_tables.agreement(wrong)


def test_an_untrusted_average_has_no_z(demo):
    rare = fw.Estimate(2.0, 0.5, 9, "dense", trusted=False, note="tails.")
    assert demo.digits_tables.z(rare, 1.0) is None
    assert demo.digits_tables.z(replace(rare, trusted=True), 1.0) == 2.0


def test_what_is_not_installed_is_named_before_the_work(demo, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(demo.digits, "find_spec", lambda name: None if name == "sklearn" else 1)
    assert demo.digits.main(demo.digits_results.Settings(), tmp_path / "report.html") == 1
    assert "The demo needs sklearn, not installed here; run make setup." in capsys.readouterr().out
