"""A verdict at several widths or depths: the fitted power, and what the command shows."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import finitewidth as fw
from tests.cli.models import MODELS
from tests.cli.running import Run

torch = pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")

SWEEP = ("check", "swept_models:known", "--data", "swept_models:one", "--seeds", "6",
         "--inputs", "2", "--lr", "0.01", "--along", "width=16,32,8")  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "swept_models.py").write_text(MODELS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def models():
    import swept_models  # type: ignore[import-not-found]

    return swept_models


def estimate(value: float, error: float, *, trusted: bool = True) -> fw.Estimate:
    return fw.Estimate(value, error, 9, "measured", trusted=trusted, note="" if trusted else "few.")


def test_the_power_of_data_made_from_one() -> None:
    from finitewidth.verdict.along import fitted_power

    at = [8, 16, 64, 100]
    found = fitted_power(at, [estimate(3.0 * n**-1.5, 0.01 * n**-1.5) for n in at])
    assert found is not None
    assert found.value == pytest.approx(-1.5, rel=1e-12)
    assert found.trusted


def test_the_error_of_a_power_is_the_spread_of_repeats() -> None:
    """400 repeats: the spread is known to 3.5 %; within 5 of those, 2 in 10⁶ false alarms."""
    from finitewidth.verdict.along import fitted_power

    rng, at = np.random.default_rng(3), [16, 32, 64]
    exact, relative = 2.0 / np.array(at), np.array([0.01, 0.02, 0.03])
    powers, alone = [], []
    for _ in range(400):
        drawn = exact * (1 + relative * rng.standard_normal(3))
        points = [estimate(*point) for point in zip(drawn, exact * relative, strict=True)]
        found, two = fitted_power(at, points), fitted_power(at[::2], points[::2])
        assert found is not None
        assert two is not None
        powers.append((found.value, found.std_error))
        alone.append((two.value, two.std_error))
    logs = np.log(at)
    weight = relative**-2.0
    expected = 1 / np.sqrt((weight * (logs - np.average(logs, weights=weight)) ** 2).sum())
    values, errors = np.array(powers).T
    assert values.std() == pytest.approx(expected, rel=0.175)
    assert abs(values.mean() + 1) < 5 * expected / 20 + 1e-3
    assert errors.min() == pytest.approx(expected, rel=0.05)  # never narrower
    values, errors = np.array(alone).T
    assert values.std() == pytest.approx(np.hypot(0.01, 0.03) / np.log(4), rel=0.175)
    np.testing.assert_allclose(errors, np.hypot(0.01, 0.03) / np.log(4), rtol=0.1)


def test_points_off_the_line_widen_the_error() -> None:
    from finitewidth.verdict.along import fitted_power

    on = fitted_power([1, 2, 4], [estimate(v, 0.001 * v) for v in (1.0, 2.0, 4.0)])
    off = fitted_power([1, 2, 4], [estimate(v, 0.001 * v) for v in (1.0, 3.0, 4.0)])
    assert on is not None
    assert off is not None
    assert off.std_error > 100 * on.std_error


def test_numbers_that_are_not_positive_are_left_out_and_said() -> None:
    from finitewidth.verdict.along import fitted_power

    some = [estimate(1.0, 0.1), estimate(-0.5, 0.1), estimate(4.0, 0.1)]
    found = fitted_power([1, 2, 4], some)
    assert found is not None
    assert found.value == pytest.approx(1.0)
    assert not found.trusted
    assert "1 of 3 numbers are not positive" in found.note
    assert fitted_power([1, 2], some[:2]) is None
    doubtful = fitted_power([1, 2], [estimate(1.0, 0.1), estimate(2.0, 0.1, trusted=False)])
    assert doubtful is not None
    assert not doubtful.trusted


def test_a_sweep_is_a_check_at_every_value(folder: Path) -> None:
    from finitewidth.verdict.along import check_along

    X, y = models().one()
    told: list[tuple[int, int]] = []
    swept = check_along(
        models().known, "width", [16, 8], X, y, learning_rate=0.01, seeds=4,
        progress=lambda done, total: told.append((done, total)),
    )  # fmt: skip
    assert swept.values == [8, 16]
    direct = fw.check(lambda: models().known(width=8), X, y, learning_rate=0.01, seeds=4)
    assert swept.checks[0].table == direct.table
    values, found = swept.series("dispersion")
    dispersion = next(row.measured for row in direct.table if row.name == "dispersion")
    assert (values[0], found[0].value) == (8, dispersion.value - 1.0)
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1] == 2 * 4  # values and seeds


@pytest.mark.parametrize(
    ("argument", "values", "part"),
    [
        ("heads", [1, 2], "takes width, depth, so 'heads' cannot be varied"),
        ("width", [8], "has 1 value, expected at least 2"),
        ("width", [], "has 0 values"),
        ("width", [8, 8], "a value twice"),
        ("width", [8, 0], "width is 0"),
        ("width", [True, 2], "width is True"),
    ],
)
def test_bad_values_are_one_sentence(folder: Path, argument, values, part) -> None:
    from finitewidth.verdict.along import check_along

    X, y = models().one()
    with pytest.raises((ValueError, TypeError), match=part):
        check_along(models().known, argument, values, X, y, learning_rate=0.01, seeds=2)


def test_a_factory_that_takes_anything_can_be_varied() -> None:
    from finitewidth.verdict.along import refuse_missing

    refuse_missing(lambda **sizes: sizes, "width")
    refuse_missing(lambda width=3: width, "width")
    with pytest.raises(ValueError, match="cannot be varied"):
        refuse_missing(lambda width=3: width, "depth")


def test_where_a_power_meets_a_limit_and_its_spread_over_repeats() -> None:
    """400 repeats: the spread is known to 3.5 %; within 5 of those, 2 in 10⁶ false alarms."""
    from finitewidth.verdict.along.powers import crossing

    at = [16, 32, 64]
    exact = crossing(at, [estimate(3.0 / n, 0.03 / n) for n in at], 0.01)
    assert exact is not None
    assert exact[0] == pytest.approx(300.0, rel=1e-12)
    told = np.log(exact[2] / exact[1]) / 4
    rng, found = np.random.default_rng(5), []
    for _ in range(400):
        drawn = 3.0 / np.array(at) * (1 + 0.01 * rng.standard_normal(3))
        one = crossing(at, [estimate(v, 0.01 * v) for v in drawn], 0.01)
        assert one is not None
        found.append(np.log(one[0]))
    assert np.std(found) == pytest.approx(told, rel=0.175)
    doubted = [estimate(3.0 / n, 0.03 / n, trusted=False) for n in at]
    assert crossing(at, doubted, 0.01) is None
    assert crossing(at, [estimate(1.0, 0.3) for _ in at], 0.5) is None  # it does not depend on it
    assert crossing(at, [estimate(3.0 / n, 0.03 / n) for n in at], 0.0) is None


def limited(values: list[int], estimates: list[fw.Estimate], limit: float) -> list[str]:
    """What is said of a limit on the dispersion, whose 1 is taken off."""
    from finitewidth.verdict.along import fitted_power
    from finitewidth.verdict.along.reach import reach

    setting = SimpleNamespace(max_dispersion=limit, max_kernel_change=None)
    along = SimpleNamespace(
        argument="width", values=values, seconds=[9.0] * len(values),
        checks=[SimpleNamespace(setting=setting)],
        series=lambda _: (values, estimates),
        power=lambda _: fitted_power(values, estimates),
    )  # fmt: skip
    return list(reach(along))  # type: ignore[arg-type]


@pytest.mark.usefixtures("unchecked")
def test_the_width_that_would_keep_a_limit_and_what_it_costs_to_know() -> None:
    at = [16, 32, 64]
    found = limited(at, [estimate(3.0 / n, 0.03 / n) for n in at], 1.01)
    # ± 2 hypot(0.01/√3, ln(300/32) · 0.01/(√2 ln 2)), in ln of the width
    (far,) = found
    assert far == (
        "By the fitted power the dispersion keeps the limit 1.01 from width 300 on (287 to 315 "
        "within two standard errors, beyond what was measured)."
    )
    falls, undecided = limited(at, [estimate(3.0 / n, 0.03 / n) for n in at], 1.047)
    assert "from width 64 on (63 to 66 within two standard errors)" in falls
    # 1.2 (2 · 0.00046875 / 0.000125)² · 9 seeds, each of them one second
    assert undecided == (
        "width 64: to know whether the dispersion keeps the limit 1.047 takes about 608 seeds, "
        "10 minutes at the pace of this run."
    )
    (grows,) = limited([2, 4, 8], [estimate(0.1 * n, 0.001 * n) for n in (2, 4, 8)], 1.25)
    assert "keeps the limit 1.25 up to width 2 (" in grows


# -- the command ----------------------------------------------------------------------------------


def test_json_has_every_value_and_the_powers(run: Run, folder: Path) -> None:
    from finitewidth.verdict.along import check_along

    done = run(*SWEEP, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    drawn = fw.data.load("swept_models:one", 2)
    X, y = drawn.X, drawn.y
    direct = check_along(models().known, "width", [8, 16, 32], X, y, learning_rate=0.01,
                         seeds=6)  # fmt: skip
    assert document["inputs"]["along"] == {"width": [8, 16, 32]}
    power = direct.power("movement")
    assert power is not None
    assert document["results"]["power_movement"]["value"] == power.value
    assert document["results"]["width=32/mean"]["value"] == direct.checks[2].table[0].measured.value
    assert document["verdict"]["values"]["width=8"]["word"] == direct.checks[0].verdict
    assert document["verdict"]["sentence"] == direct.sentence


def test_the_terminal_has_one_row_a_value_and_a_sentence(run: Run, folder: Path) -> None:
    from finitewidth.verdict.along import check_along

    drawn = fw.data.load("swept_models:one", 2)
    X, y = drawn.X, drawn.y
    direct = check_along(models().known, "width", [8, 16, 32], X, y, learning_rate=0.01,
                         seeds=6)  # fmt: skip
    shown = run(*SWEEP).stdout
    assert len(shown.splitlines()) <= 40
    assert direct.sentence[1:] in " ".join(shown.split())
    assert run(*SWEEP[:-2], "--sweep", SWEEP[-1]).stdout == shown  # the old spelling
    text = " ".join(run(*SWEEP, "--verbose").stdout.split())
    assert direct.sentence[1:] in text
    for value, one in zip(direct.values, direct.checks, strict=True):
        assert f"width {value}: {one}" in text
    assert "The dispersion at the first input along width, beside the exact law" in text
    assert "∝ widthᵖ" in text


@pytest.mark.parametrize(("limit", "code"), [("0.9", 0), ("1e-9", 1)])
def test_one_value_beyond_the_limit_fails_the_sweep(
    run: Run, folder: Path, limit: str, code: int
) -> None:
    done = run(*SWEEP, "--max-kernel-change", limit, "--markdown")
    assert done.returncode == code
    word = "passed" if code == 0 else "failed"
    assert f"Limits: {word}." in done.stdout
    assert done.stdout.count(f"limit {float(limit):g}: {word}.") == 3
    assert done.stdout.startswith("### swept\\_models:known: ")


def test_the_report_has_the_curves_with_law_and_thresholds(run: Run, folder: Path) -> None:
    pytest.importorskip("jinja2", reason="jinja2 (report extra) is absent")
    pytest.importorskip("matplotlib", reason="matplotlib (report extra) is absent")
    run(*SWEEP, "--html", "out.html", "--max-kernel-change", "0.9")
    html = (folder / "out.html").read_text(encoding="utf-8")
    assert html.count("<svg ") == html.count("<figcaption>") == 4
    assert "<h1>swept_models:known: " in html
    assert "The limit: passed." in html


def test_the_figures_hold_what_was_measured_and_what_the_law_says(folder: Path) -> None:
    from finitewidth.report import Curve, Plot
    from finitewidth.verdict.along import check_along

    X, y = models().one()
    swept = check_along(models().known, "depth", [2, 3], X[:2], y[:2], learning_rate=0.01, seeds=6,
                        max_dispersion=1.5, max_kernel_change=0.2)  # fmt: skip
    drawn = {plot.title: plot for plot in swept.page().drawings() if isinstance(plot, Plot)}
    law = drawn["Randomness at the first input against depth, beside the exact law"]
    curve = next(one for one in law.series if isinstance(one, Curve))
    nets = [fw.MLP(5, [40] * hidden, parametrization="standard") for hidden in (1, 2)]
    np.testing.assert_allclose(curve.y, [fw.KernelLaw(n, X[0]).dispersion() - 1 for n in nets])
    levels = {
        one.label: one.y[0]
        for plot in drawn.values()
        for one in plot.series
        if isinstance(one, Curve) and one.label.startswith(("limit", "1 %", "10 %"))
    }
    assert levels == {
        "limit 1.5": 0.5, "limit 0.2": 0.2, "1 %, below it frozen": 0.01,
        "10 %, above it features": 0.1,
    }  # fmt: skip
