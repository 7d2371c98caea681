"""The demo at a small size: its numbers agree with the exact law, and its report is written."""

import importlib
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import finitewidth as fw

for needed in ("torch", "xarray", "sklearn", "matplotlib", "jinja2"):
    pytest.importorskip(needed, reason=f"{needed} (make setup installs every extra) is absent")

DEMO = Path(__file__).parents[1] / "demo"


@pytest.fixture(scope="module")
def demo():
    """The demo's module, found as when it is run as a program."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DEMO))
        yield importlib.import_module("digits")
        patch.delitem(sys.modules, "digits")


@pytest.fixture(scope="module")
def rows(demo):
    """Spread and update of two depths."""
    size = demo.Size(
        width=64, hidden_layers=(1, 3), networks=1000, steps=1000, sampled=20_000, seeds=32
    )
    seeds = np.random.SeedSequence(20200426).generate_state(4).reshape(2, 2)
    depths = [demo.one_depth(size, layers, seeds[k]) for k, layers in enumerate((1, 3))]
    return [row for depth in depths for row in depth[2:]]


def test_the_networks_agree_with_the_exact_law(rows):
    """4 comparisons, at most 1e-6 false alarms in all: 4e-8 each, |z| < 5.5.

    Misses an error of 11 standard errors at most once in a million.
    """
    scores = [row.z for row in rows]
    assert None not in scores
    assert max(map(abs, scores)) < 5.5


def test_another_input_would_be_noticed(demo, rows):
    """Sabotage: the law at twice the input's square is far from the networks' averages."""
    wrong = fw.KernelLaw(fw.MLP(64, [64] * 3), power_sums=(2 * float(demo.SEVEN @ demo.SEVEN),))
    rate = 1.0 / fw.KernelLaw(fw.MLP(64, [64] * 3), demo.SEVEN).mean()
    deep = rows[3]
    assert abs(replace(deep, exact=wrong.relative_update(rate)).z) > 11


def test_the_exact_numbers_are_those_of_this_image(demo, rows):
    assert demo.SEVEN.shape == (64,)
    assert demo.SEVEN.min() == 0.0
    assert demo.SEVEN.max() == 1.0
    law = fw.KernelLaw(fw.MLP(64, [64, 64, 64]), demo.SEVEN)
    spread, update = rows[2:]
    assert spread.exact == law.dispersion()
    assert update.exact == law.relative_update(1 / law.mean())


def test_the_limit_is_approached_like_one_over_the_width(demo):
    """At d/n = 1/4 the distance from the exact value halves when both double (up to 10 %)."""
    distances = []
    for width in (400, 800):
        net = fw.MLP.equal_width(64, width, width // 4 - 1)
        routes = demo.theory(fw.KernelLaw(net, demo.SEVEN))
        distances.append([abs(limit / exact - 1) for exact, limit, _ in routes])
    first, second = np.array(distances)
    assert (second < 0.01).all()
    np.testing.assert_allclose(first / second, 2.0, rtol=0.1)


def test_an_untrusted_average_has_no_z(demo):
    rare = fw.Estimate(2.0, 0.5, 9, "dense", trusted=False, note="tails.")
    row = demo.Row(1, 1.0, 1.0, 1.0, None, rare)
    assert row.z is None
    assert replace(row, networks=replace(rare, trusted=True)).z == 2.0


def test_the_pytorch_network_starts_as_the_law_says(demo):
    """4 comparisons over 32 seeds, at most 1e-6 false alarms: |z| < 5.1 each.

    Misses an error of 10 standard errors at most once in a million; a share has one of 2 %.
    """
    x, y = demo.IMAGES[:6], np.eye(10)[demo.CLASSES[:6]]
    check = fw.check(demo.make_mlp, x, y, learning_rate=2e-3, seeds=32)
    (mean,) = [row for row in check.table if row.name == "mean"]
    rows = [mean, *check.shares]
    assert len(rows) == 4
    assert max(abs(row.measured.z(row.theory)) for row in rows) < 5.1
    wrong = zip(check.shares, check.shares[::-1], strict=True)
    assert max(abs(row.measured.z(other.theory)) for row, other in wrong) > 10
    net = fw.MLP(64, [128, 128], parametrization="standard")
    each = [fw.KernelLaw(net, image).mean() for image in x]
    assert mean.theory == pytest.approx(10 * sum(each) / 6, rel=1e-13)


def test_the_program_prints_tables_and_writes_the_report(demo, tmp_path, capsys):
    small = demo.Size(
        width=16, hidden_layers=(1, 2), networks=60, steps=30, sampled=200, seeds=32, training=64
    )
    assert demo.main(small, tmp_path / "report.html") == 0
    printed = capsys.readouterr().out
    for title in ("Randomness: dispersion", "activation pattern frozen", "Over 32 seeds"):
        assert title in printed
    assert "[a] not trusted" in printed, "30 networks are too few for an error"
    assert "The model was recognised" in printed
    assert "After 64 steps the kernel lies" in " ".join(printed.split())
    assert str(tmp_path / "report.html") in printed.replace("\n", "")
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "not trusted: " in html
    assert html.count("<svg ") == html.count("<figcaption>") >= 9
    assert html.count("<table>") >= 5
    for heading in re.findall(r"<h[123][^>]*>(.*?)</h", html):
        if "ΔK" in heading:
            assert "activation pattern frozen" in heading.replace("\u00a0", " ")
    assert "http://" not in html
    assert "https://" not in html
