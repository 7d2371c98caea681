"""The command line: same numbers as the library, one sentence and exit code 2 for bad input."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import finitewidth as fw
from tests.cli.running import ENVIRONMENT, Run, document


def results(run: Run, *arguments: str) -> dict:
    return document(run, *arguments)["results"]


def test_it_is_a_program(run: Run) -> None:
    arguments = ("law", "--n-in", "784", "--width", "256", "--depth", "10")
    done = subprocess.run(
        [sys.executable, "-m", "finitewidth", *arguments],
        capture_output=True, text=True, env=os.environ | ENVIRONMENT, check=True,
    )  # fmt: skip
    assert done.stdout == run(*arguments).stdout
    bad = subprocess.run(
        [sys.executable, "-m", "finitewidth", "law", "--n-in", "0", "--widths", "4"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr == run("law", "--n-in", "0", "--widths", "4").stderr


def test_json_holds_the_exact_law(run: Run) -> None:
    found = results(run, "law", "--n-in", "784", "--width", "256", "--depth", "10", "--lr", "0.5")
    law = fw.KernelLaw(fw.MLP.equal_width(784, 256, 9))
    expected = {
        "mean_kernel": law.mean(),
        "mean_weights": law.mean("weights"),
        "mean_biases": law.mean("biases"),
        "dispersion": law.dispersion(),
        "relative_sd": law.relative_variance() ** 0.5,
        "update_mean": law.update_mean(0.5),
        "relative_update": law.relative_update(0.5),
        "relative_update_sd": law.update_variance(0.5) ** 0.5 / law.mean(),
        "natural_relative_update": law.update_mean(1 / law.mean()) / law.mean(),
        "beta": law.net.beta,
    }
    for name, value in expected.items():
        assert found[name]["value"] == pytest.approx(value, rel=1e-14), name
        assert found[name]["exact"] is True
    paper = law.paper()
    assert found["paper_dispersion"]["value"] == pytest.approx(np.exp(5 * 9 / 256), rel=1e-14)
    assert not found["paper_dispersion"]["exact"]
    update = paper["relative_update"].value.to_float("", "") * 0.5
    assert found["paper_relative_update"]["value"] == pytest.approx(update, rel=1e-14)


def test_limit_column_is_the_limit_of_the_exact_column(run: Run) -> None:
    """At d/n = 1 the two differ by O(1/n): a tenth of the width, ten times the distance."""
    gaps = []
    for n in ("100", "1000"):
        found = results(run, "law", "--n-in", "50", "--width", n, "--depth", n)
        gaps.append(
            [
                found[f"limit_{name}"]["value"] / found[name]["value"] - 1
                for name in ("dispersion", "relative_update", "weights_squared")
            ]
        )
    ratio = np.array(gaps[0]) / np.array(gaps[1])
    assert np.all(np.abs(gaps[1]) < 0.05)
    assert np.all((ratio > 7) & (ratio < 13)), ratio


def test_values_beyond_a_double_are_given_as_logs(run: Run) -> None:
    found = results(run, "law", "--n-in", "784", "--width", "50", "--depth", "1000001")
    law = fw.KernelLaw(fw.MLP.equal_width(784, 50, 1_000_000))
    assert "dispersion" not in found
    assert found["log_dispersion"]["value"] == pytest.approx(law.log_dispersion(), rel=1e-12)
    text = run(
        "law", "--n-in", "784", "--width", "50", "--depth", "1000001", "--verbose"
    ).stdout  # fmt: skip
    assert "e^95308" in text
    assert "Σ 1/n² = 400" in text  # where the paper's exponent is no longer right


def test_widths_input_and_activation(run: Run, tmp_path: Path) -> None:
    x = np.array([0.5, -1.0, 2.0])
    np.save(tmp_path / "x.npy", x)
    found = results(run,
        "law", "--input", str(tmp_path / "x.npy"), "--widths", "30,1e1", "--activation",
        "leaky_relu", "--negative-slope", "0.2", "--weight-law", "uniform",
        "--parametrization", "standard",
    )  # fmt: skip
    net = fw.MLP(3, [30, 10], "leaky_relu", 0.2, weight_law="uniform", parametrization="standard")
    law = fw.KernelLaw(net, x)
    assert found["dispersion"]["value"] == pytest.approx(law.dispersion(), rel=1e-14)
    assert found["update_mean"]["value"] == pytest.approx(law.update_mean(), rel=1e-14)
    assert "paper_dispersion" not in found


def test_the_step_has_two_values_each_with_its_meaning(run: Run) -> None:
    text = run("law", "--n-in", "784", "--width", "256", "--depth", "10", "--lr", "0.01").stdout
    assert "ΔK of one SGD step, activation pattern frozen" in text
    assert "Mean ΔK of one SGD step: both values, target 0, λ = 0.01" in text
    law = fw.KernelLaw(fw.MLP.equal_width(784, 256, 9))
    rows = {line[:14]: line for line in text.splitlines()[-25:]}
    assert f"{law.update_mean(0.01):.6g}" in rows["pattern frozen"]
    assert "neurons keep their state; 1/n" in rows["pattern frozen"]
    assert f" {law.crossing_mean(0.01)} " in rows["crossing term "]
    assert "neurons cross zero; n^(-1/2)" in rows["crossing term "]
    assert f" {law.step_mean(0.01)} " in rows["real step     "]
    assert "what training shows" in rows["real step     "]
    assert "not trusted" not in text
    assert "the two values are equal at width roughly 34" in " ".join(text.split())
    assert "Weakly random" in text


def test_json_holds_the_real_step(run: Run) -> None:
    found = results(run, "law", "--n-in", "784", "--width", "256", "--depth", "4", "--lr", "0.01")
    law = fw.KernelLaw(fw.MLP.equal_width(784, 256, 3))
    for name, value in (
        ("crossing_mean", law.crossing_mean(0.01)),
        ("step_mean", law.step_mean(0.01)),
    ):
        assert found[name]["value"] == value.value
        assert found[name]["std_error"] == value.std_error > 0
        assert found[name]["trusted"] is True
    total = found["update_mean"]["value"] + found["crossing_mean"]["value"]
    assert found["step_mean"]["value"] == pytest.approx(total, rel=1e-14)


def test_a_rate_beyond_the_linear_range_is_marked(run: Run) -> None:
    arguments = ("law", "--n-in", "784", "--width", "256", "--depth", "10", "--lr", "1")
    found = results(run, *arguments)
    assert found["step_mean"]["trusted"] is False
    assert "linear for rates up to about 0.037" in found["step_mean"]["note"]
    text = " ".join(run(*arguments).stdout.split())
    assert "not trusted: learning_rate is 1, and the crossing term is linear" in text


def test_equal_width_of_one_hidden_layer_is_where_the_order_turns(run: Run) -> None:
    arguments = ("law", "--n-in", "784", "--depth", "2")
    width = results(run, *arguments, "--width", "300")["equal_width"]
    assert width["method"] == "closed"
    for n, larger in ((width["value"], True), (width["value"] - 1, False)):
        found = results(run, *arguments, "--width", str(int(n)))
        crossing = found["crossing_mean"]["value"]
        assert (crossing <= found["update_mean"]["value"]) is larger


def test_equal_width_of_more_layers_equates_the_two(run: Run) -> None:
    """By an independent sample at the two whole widths around it; 4.9 errors of both."""
    found = results(run, "law", "--n-in", "784", "--depth", "4", "--width", "300")["equal_width"]
    assert found["method"] == "conditional"
    width = found["value"]
    low, high = int(width), int(width) + 1
    gaps, errors = [], []
    for n in (low, high):
        law = fw.KernelLaw(fw.MLP.equal_width(784, n, 3))
        term = law.crossing_mean(1e-6, size=400_000, seed=9)
        gaps.append(np.log(term.value / law.update_mean(1e-6)))
        errors.append(-term.std_error / term.value)
    here = gaps[0] + (width - low) * (gaps[1] - gaps[0])
    spread = np.hypot(max(errors), 0.5 * found["std_error"] / width)
    assert abs(here) < 4.9 * spread
    assert abs(here + 0.5 * np.log(2.0)) > 9.6 * spread  # twice the width would be noticed


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--weight-law", "uniform"), "No value of a real step"),
        (("--activation", "identity"), "no activation pattern to freeze"),
        (("--activation", "abs", "--hidden-gain", "1"), "the crossing term is 0"),
    ],
    ids=["weights", "identity", "abs"],
)
def test_where_there_is_no_crossing_term(run: Run, arguments: tuple[str, ...], part: str) -> None:
    done = run("law", "--n-in", "784", "--width", "50", "--depth", "2", *arguments)
    assert done.returncode == 0
    text = " ".join(done.stdout.split())
    assert part in text
    assert "the two values are equal" not in text
    assert ("both values" in text) is (arguments[1] == "abs")


def test_a_digit_is_an_input(run: Run) -> None:
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn (demo extra) is absent")
    found = results(run, "law", "--input", "digits:7", "--width", "64", "--depth", "3")
    x = datasets.load_digits().data[7] / 16.0
    law = fw.KernelLaw(fw.MLP.equal_width(64, 64, 2), x)
    assert found["mean_kernel"]["value"] == pytest.approx(law.mean(), rel=1e-14)


def test_design_prints_the_width(run: Run) -> None:
    arguments = ("design", "--depth", "30", "--max-dispersion", "1.2", "--n-in", "784")
    found = results(run, *arguments)
    width = fw.design.width_for(29, 1.2, 784)
    assert found["width"]["value"] == width
    assert run(*arguments).stdout.startswith(f"Width {width}: ")


BAD = {
    "no depth": (("--n-in", "3"), "depth is missing"),
    "no width": (("--n-in", "3", "--depth", "3"), "width is missing"),
    "no n_in": (("--width", "3", "--depth", "3"), "input dimension is missing"),
    "fraction of a width": (("--n-in", "3", "--depth", "2", "--width", "2.5"), "'2.5'"),
    "the same at depth 1": (("--n-in", "3", "--depth", "1", "--width", "2.5"), "'2.5'"),
    "width 0": (("--n-in", "3", "--depth", "2", "--width", "0"), "width is 0"),
    "negative width": (("--n-in", "3", "--depth", "2", "--width", "-4"), "width is -4"),
    "infinite width": (("--n-in", "3", "--depth", "2", "--width", "inf"), "'inf'"),
    "word for a width": (("--n-in", "3", "--depth", "2", "--width", "wide"), "'wide'"),
    "hole in the widths": (("--n-in", "3", "--widths", "3,,4"), "--widths"),
    "depth 0": (("--n-in", "3", "--depth", "0", "--width", "4"), "--depth is 0"),
    "both": (("--n-in", "3", "--width", "4", "--widths", "3,4"), "both"),
    "depth against widths": (("--n-in", "3", "--depth", "5", "--widths", "3,4"), "--depth is 5"),
    "n_in 0": (("--n-in", "0", "--depth", "2", "--width", "4"), "n_in is 0"),
    "tanh": (("--n-in", "3", "--depth", "2", "--width", "4", "--activation", "tanh"), "expansion"),
    "no activation": (("--n-in", "3", "--depth", "2", "--width", "4", "--activation", "x"), "'x'"),
    "rate 0": (("--n-in", "3", "--depth", "2", "--width", "4", "--lr", "0"), "learning_rate"),
    "rate nan": (("--n-in", "3", "--depth", "2", "--width", "4", "--lr", "nan"), "learning_rate"),
    "missing moment": (
        ("--n-in", "3", "--depth", "2", "--width", "4", "--weight-law", "student_t:3"),
        "E W^4",
    ),
    "weight law": (("--n-in", "3", "--depth", "2", "--width", "4", "--weight-law", "z"), "'z'"),
    "parametrization": (
        ("--n-in", "3", "--depth", "2", "--width", "4", "--parametrization", "z"),
        "'z'",
    ),
    "no file": (("--input", "gone.npy", "--depth", "2", "--width", "4"), "no such file"),
    "digit": (("--input", "digits:99999", "--depth", "2", "--width", "4"), "digits:I"),
    "input length": (("--input", "{x}", "--n-in", "5", "--depth", "2", "--width", "4"), "[5]"),
    "text file": (("--input", "{text}", "--depth", "2", "--width", "4"), "is not one"),
    "truncated": (("--input", "{short}", "--depth", "2", "--width", "4"), "is not one"),
    "objects": (("--input", "{objects}", "--depth", "2", "--width", "4"), "Python objects"),
    "matrix": (("--input", "{matrix}", "--depth", "2", "--width", "4"), "one vector"),
    "complex": (("--input", "{complex}", "--depth", "2", "--width", "4"), "real numbers"),
    "nan": (("--input", "{nan}", "--depth", "2", "--width", "4"), "x[1] is nan"),
    "zeros": (("--input", "{zeros}", "--depth", "2", "--width", "4"), "not zero"),
}  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("inputs")
    arrays = {
        "x": np.ones(3),
        "objects": np.array([{}, []], dtype=object),
        "matrix": np.ones((2, 3)),
        "complex": np.ones(3) * 1j,
        "nan": np.array([1.0, np.nan]),
        "zeros": np.zeros(3),
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=True)
    (folder / "text.npy").write_text("1 2 3")
    (folder / "short.npy").write_bytes((folder / "x.npy").read_bytes()[:40])
    return {name: str(folder / f"{name}.npy") for name in (*arrays, "text", "short")}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_exit_code_2(
    run: Run, case: str, files: dict[str, str]
) -> None:
    arguments, part = BAD[case]
    if "digits" in " ".join(arguments):
        pytest.importorskip("sklearn", reason="scikit-learn (demo extra) is absent")
    done = run("law", *(argument.format(**files) for argument in arguments))
    assert done.returncode == 2
    assert done.stdout == ""
    assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


def test_bad_target_in_design(run: Run) -> None:
    done = run("design", "--depth", "30", "--max-dispersion", "1", "--n-in", "784")
    assert done.returncode == 2
    assert "only infinite width" in done.stderr
