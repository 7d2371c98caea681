"""`finitewidth expansion`: its numbers are those of the expansion and of the exact law."""

import numpy as np
import pytest

import finitewidth as fw
from tests.cli.running import Run, document

GELU = ("expansion", "--activation", "gelu", "--width", "512", "--depth", "12")


def found(run: Run, *options: str) -> tuple[dict, dict]:
    """Inputs, the network among them, and results of --json."""
    told = document(run, "expansion", *options)
    results = {name: one["value"] for name, one in told["results"].items()}
    return told["inputs"] | told["network"], results


def test_the_critical_gains_are_the_default(run: Run) -> None:
    inputs, results = found(run, *GELU[1:])
    critical = fw.expansion.criticality("gelu")
    assert inputs["critical"] is True
    assert inputs["class"] == "half_stable"
    assert inputs["hidden_gain"] == critical.hidden_gain == results["critical_hidden_gain"]
    assert inputs["bias_variance"] == critical.bias_variance == results["critical_bias_variance"]
    assert results["fixed_point"] == critical.fixed_point
    assert results["kernel_growth"] == critical.kernel_growth
    assert results["best_ratio"] == critical.best_ratio()
    assert "depth_coefficient" not in results
    _, relu = found(run, "--width", "100", "--depth", "4")
    assert relu["depth_coefficient"] == pytest.approx(11 / 3)


def test_numbers_are_those_of_the_expansion(run: Run, tmp_path) -> None:
    X = np.array([[1.0, -0.5, 0.8], [0.3, 1.2, -0.4]])
    np.savez(tmp_path / "two.npz", X=X)
    inputs, results = found(
        run, "--data", str(tmp_path / "two.npz"), "--inputs", "2", "--widths", "40,60",
        "--activation", "tanh", "--hidden-gain", "1.6", "--bias-variance", "0.1",
        "--output-gain", "0.7", "--bias-lr", "0.5", "--parametrization", "standard",
    )  # fmt: skip
    X = X * np.sqrt(3 / (X**2).sum(axis=1).mean())
    net = fw.MLP(
        3, [40, 60], activation="tanh", hidden_gain=1.6, bias_variance=0.1, output_gain=0.7,
        bias_lr=0.5, parametrization="standard",
    )  # fmt: skip
    expansion = fw.expansion.kernel(net, X)
    assert inputs["critical"] is False
    assert inputs["learning_rate"] == pytest.approx(
        0.5 / np.linalg.eigvalsh(expansion.infinite)[-1], rel=1e-12
    )
    for name, value in {
        "tangent": expansion.infinite,
        "kernel": expansion.nngp,
        "mean_shift": expansion.correction,
        "variance": expansion.variance,
        "first_step": expansion.first_step([0.0, 0.0], inputs["learning_rate"]),
    }.items():
        np.testing.assert_allclose(results[name], value, rtol=1e-12, err_msg=name)
    mean = np.trace(expansion.infinite) / 2
    spread = sum(expansion.covariance[a, a, b, b] for a in (0, 1) for b in (0, 1)) / 4 / mean**2
    assert results["relative_variance"] == pytest.approx(spread, rel=1e-12)
    assert results["layer_tangent"][-1] == pytest.approx(mean, rel=1e-12)
    assert results["layer_kernel"][-1] == pytest.approx(np.trace(expansion.nngp) / 2, rel=1e-12)
    assert results["quadrature_error_covariance"] < 1e-6
    # The hidden layers' contributions add up.
    shift = np.trace(expansion.correction) / 2 / mean
    step = np.trace(results["first_step"]) / 2 / mean
    for name, whole in {"shift": shift, "variance": spread, "step": step}.items():
        assert len(results[f"layer_{name}_share"]) == 2
        assert sum(results[f"layer_{name}_share"]) == pytest.approx(whole, rel=1e-9), name


def test_the_exact_law_beside_first_order(run: Run) -> None:
    options = ("--width", "100", "--depth", "4", "--lr", "0.01", "--n-in", "7")
    _, results = found(run, *options)
    law = fw.KernelLaw(fw.MLP.equal_width(7, 100, 3))
    assert results["exact_mean"] == pytest.approx(law.mean(), rel=1e-12)
    assert results["exact_relative_variance"] == pytest.approx(law.dispersion() - 1, rel=1e-12)
    assert results["exact_first_step"] == pytest.approx(law.update_mean(0.01), rel=1e-12)
    # First order: off by a few per cent here, and less than the exact value.
    ratio = results["relative_variance"] / results["exact_relative_variance"]
    assert 0.95 < ratio < 0.99
    done = run("expansion", *options)
    assert f"first order is {ratio:.1%} of the exact variance" in " ".join(done.stdout.split())
    _, smooth = found(run, *GELU[1:])
    _, biased = found(run, *options, "--bias-variance", "0.1")
    assert "exact_mean" not in smooth
    assert "exact_mean" not in biased


def test_the_trusted_depth(run: Run) -> None:
    """The last depth at which first order's relative variance is at most 0.1."""
    for activation, width in (("relu", 100), ("gelu", 512)):
        _, results = found(run, "--activation", activation, "--width", str(width), "--depth", "3")
        most, around = results["trusted_hidden_layers"], []
        for more in (1, 2):
            _, deeper = found(
                run, "--activation", activation, "--width", str(width), "--depth", str(most + more)
            )
            around.append(deeper["relative_variance"])
        assert around[0] <= 0.1 < around[1]
    done = run(*GELU)
    assert "trustworthy up to 12 hidden layers (depth 13)" in done.stdout
    assert "This network has 11, within that." in done.stdout
    assert "This network has 13, beyond that." in run(*GELU[:-1], "14").stdout
    for gain, words in (
        ("2", "at most 0.1 for all 1000 that were tried; this network has 2."),
        ("1e-2", "up to 60 hidden layers, where the kernel leaves the range of float64"),
    ):
        done = run("expansion", "--width", "1e6", "--depth", "3", "--hidden-gain", gain)
        assert words in " ".join(done.stdout.split())


def test_the_words(run: Run) -> None:
    done = run(*GELU)
    assert "C_W = 1.98306 and C_b = 0.172922, critical for gelu" in done.stdout
    assert "half-stable: K* attracts from one side" in done.stdout
    assert "both 1 at K*; K starts at 2.156, and at K* where |x|²/n_in = 1.709." in " ".join(
        done.stdout.split()
    )
    assert "relative to Θ (covariance: Θ²): below 1e-12." in run(*GELU, "--verbose").stdout
    _, results = found(run, *GELU[1:])
    spread = results["relative_variance"] ** 0.5
    assert f"Between seeds the kernel varies by {spread:.1%}" in done.stdout
    other = run("expansion", "--width", "100", "--depth", "6", "--hidden-gain", "2.4")
    assert "activation pattern frozen" in other.stdout
    assert "pattern frozen" not in done.stdout
    assert "Not critical: χ_∥ = 1.2 and χ_⊥ = 1.2 in hidden layer 5" in other.stdout
    several = run(
        "expansion", "--width", "9", "--depth", "2", "--data", "digits", "--inputs", "7",
        "--verbose",
    )  # fmt: skip
    assert "6 of 7 inputs." in several.stdout
    assert "E ΔΘ_ab of the first step" in several.stdout
    deep = run("expansion", "--width", "99", "--depth", "30", "--verbose")
    assert "12 of 30 layers are shown." in deep.stdout


def test_numbers_out_of_range_are_not_quoted(run: Run) -> None:
    deep = " ".join(run("expansion", "--width", "10", "--depth", "30").stdout.split())
    assert "Between seeds" not in deep
    spread = fw.KernelLaw(fw.MLP.equal_width(1, 10, 29), [1.0]).relative_variance() ** 0.5
    assert f"by the exact law the kernel varies by {spread:.3g} times its mean" in deep
    tanh = " ".join(
        run("expansion", "--activation", "tanh", "--width", "10", "--depth", "30").stdout.split()
    )
    assert "Between seeds" not in tanh
    assert "Out of range:" in tanh
    assert "draw networks with fw.simulate.ensemble." in tanh


def test_the_figure(run: Run, tmp_path) -> None:
    path = tmp_path / "depth.svg"
    done = run("expansion", "--width", "100", "--depth", "5", "--plot", str(path))
    assert f"The figure is in {path}." in done.stdout
    for label in ("first order in 1/n", "exact law", "trusted below", "this network"):
        assert label in path.read_text()
    assert run(*GELU, "--plot", str(path)).returncode == 0
    assert "exact law" not in path.read_text()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--depth", "1"), "without a hidden layer"),
        (
            ("--depth", "4", "--activation", "gelu", "--no-bias"),
            "and the network has none; give it biases",
        ),
        (("--depth", "4", "--activation", "softplus"), "activation is 'softplus'"),
        (("--depth", "4", "--parametrization", "standard"), "the input dimension is missing"),
        (("--depth", "4", "--data", "digits", "--n-in", "64"), "--data was given with"),
        (("--depth", "4", "--data", "digits", "--inputs", "0"), "0 inputs of --data 'digits'"),
        (("--depth", "4", "--input", "digits:7", "--n-in", "3"), "X has shape (64,)"),
        (("--depth", "4", "--n-in", "0"), "n_in is 0"),
        (("--depth", "4", "--bias-variance", "-1"), "bias_variance is -1"),
        (("--depth", "4", "--lr", "nan"), "learning_rate"),
        (("--depth", "4", "--plot", "x.pdf"), "ending in .png or .svg"),
        (("--depth", "900", "--hidden-gain", "9"), "the variance of the pre-activations is"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input(run: Run, options, words) -> None:
    done = run("expansion", "--width", "50", *options)
    assert done.returncode == 2
    assert words in done.stderr


def test_no_figure_of_unequal_widths(run: Run) -> None:
    done = run("expansion", "--widths", "5,6", "--plot", "x.svg")
    assert done.returncode == 2
    assert "the hidden widths are [5, 6]" in done.stderr
