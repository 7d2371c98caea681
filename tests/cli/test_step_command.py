"""`finitewidth step`: the library's numbers, the figure, and one sentence for bad input."""

from pathlib import Path
from typing import Any

import pytest

import finitewidth as fw
from tests.cli.running import Run, document

NET = ("--n-in", "10", "--width", "60", "--depth", "3")


def results(run: Run, *arguments: str) -> dict:
    return document(run, "step", *arguments)["results"]


def test_json_is_the_library(run: Run) -> None:
    found = results(run, *NET, "--lr", "0.01", "--target", "0.7", "--size", "2048", "--seed", "3")
    law = fw.KernelLaw(fw.MLP.equal_width(10, 60, 2))
    ask: dict[str, Any] = {"size": 2048, "seed": 3}
    variance = law.step_variance(0.01, 0.7, **ask)
    expected = {
        "frozen_mean": law.update_mean(0.01),
        "crossing_mean": law.crossing_mean(0.01, 0.7, **ask).value,
        "step_mean": law.step_mean(0.01, 0.7, **ask).value,
        "step_variance": variance.value,
        "step_variance_jumps": variance.jumps,
        "step_variance_drift": variance.drift,
        "step_variance_frozen": variance.frozen,
        "step_variance_shared": variance.shared,
        "crossings": law.crossings(0.01, 0.7, **ask).value,
        "largest_rate": law.crossing_mean(0.01, 0.7, **ask).largest_rate,
        "mean_kernel": law.mean(),
    }
    for name, value in expected.items():
        assert found[name]["value"] == pytest.approx(value, rel=1e-14), name
    assert found["crossing_mean"]["std_error"] > 0
    assert found["equal_width"]["method"] == "conditional"


def test_the_text_names_every_part(run: Run) -> None:
    done = run("step", *NET, "--lr", "0.01", "--verbose")
    assert done.returncode == 0
    text = " ".join(done.stdout.split())
    law = fw.KernelLaw(fw.MLP.equal_width(10, 60, 2))
    for part in (
        "Mean ΔK of one SGD step on ½(N − t)², t = 0, λ = 0.01",
        f"pattern frozen {law.update_mean(0.01):.6g} ",
        f"crossing term {law.crossing_mean(0.01)} ",
        f"real step {law.step_mean(0.01)} ",
        "Variance of ΔK over seeds",
        "jumps", "drift", "frozen", "shared",
        f"Neurons that cross zero in one step: {law.crossings(0.01)} of 120 on average.",
        "linear in λ up to about 0.1",
        "the two values are equal at width about",
        "Crossing term: method conditional",
    ):  # fmt: skip
        assert part in text, part


def test_a_rate_beyond_the_range_is_marked_and_still_exits_with_0(run: Run) -> None:
    assert results(run, *NET, "--lr", "5")["step_mean"]["trusted"] is False
    done = run("step", *NET, "--lr", "5")
    assert done.returncode == 0
    assert "not trusted: learning_rate is 5" in " ".join(done.stdout.split())


def test_the_plot_is_a_file(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib (report extra) is absent")
    monkeypatch.setattr("finitewidth.law.step.against_width.WORK", 1e6)
    for name, head in (("split.png", b"\x89PNG"), ("split.svg", b"<?xml")):
        target = tmp_path / name
        done = run(
            "step", "--n-in", "10", "--width", "16", "--depth", "2", "--lr", "0.05",
            "--plot", str(target),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert f"The figure is in {target}." in done.stdout
        assert target.read_bytes().startswith(head)


BAD = {
    "no rate": ((*NET,), "the learning rate is missing"),
    "rate 0": ((*NET, "--lr", "0"), "learning_rate"),
    "rate nan": ((*NET, "--lr", "nan"), "learning_rate"),
    "target inf": ((*NET, "--lr", "1", "--target", "inf"), "target"),
    "size": ((*NET, "--lr", "1", "--size", "2.5"), "--size"),
    "size 3": ((*NET, "--lr", "1", "--size", "3"), "at least 64"),
    "seed": ((*NET, "--lr", "1", "--seed", "-1"), "seed"),
    "no hidden layer": (("--n-in", "10", "--depth", "1", "--lr", "1"), "hidden layer"),
    "uniform": ((*NET, "--lr", "1", "--weight-law", "uniform"), "Gaussian weights"),
    "narrow with a target": (
        ("--n-in", "3", "--widths", "4,4", "--lr", ".1", "--target", "1"),
        "4 neurons",
    ),
    "plot": ((*NET, "--lr", "1", "--plot", "a.pdf"), ".png or .svg"),
    "folder": ((*NET, "--lr", "1", "--plot", "gone/a.png"), "no folder"),
    "no depth": (("--n-in", "10", "--lr", "1"), "depth is missing"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_exit_code_2(run: Run, case: str) -> None:
    arguments, part = BAD[case]
    done = run("step", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert part in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
