"""`finitewidth simulate`: its numbers are those of `simulate.train`, its words say them."""

import json

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.cli.simulate import prepared
from finitewidth.simulate.runs.line import exact_quantiles, log_spread
from finitewidth.simulate.curves.figure import training_panels
from finitewidth.simulate.runs.run import Training
from finitewidth.law.sampler.quantile import from_sorted
from finitewidth.report import Band
from tests.cli.running import Run

pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")

SMALL = ("simulate", "--widths", "12,10", "--steps", "3", "--activation", "tanh")


def test_numbers_are_those_of_train(run: Run) -> None:
    done = run(*SMALL, "--size", "3", "--seed", "4", "--parametrization", "mup", "--json")
    assert done.returncode == 0
    found = json.loads(done.stdout)["results"]
    data = prepared("digits", 4)
    assert data.y is not None
    assert np.mean((data.X**2).sum(axis=1)) == pytest.approx(64)
    assert data.y.tolist() == [1, -1, 1, -1]  # the digits 0, 1, 2, 3
    for name in ("mup", "ntk"):
        net = fw.MLP(64, [12, 10], activation="tanh", parametrization=name)
        start = fw.simulate.train(net, data.X, data.y, 1.0, 0, 3, 4).kernels[:, 0]
        largest = [np.linalg.eigvalsh(kernel)[-1] for kernel in start]
        rate = 0.5 / np.quantile(largest, 0.99)
        assert found[f"{name}_learning_rate"]["value"] == pytest.approx(rate)
        trained = fw.simulate.train(net, data.X, data.y, rate, 3, 3, 4)
        np.testing.assert_allclose(found[f"{name}_loss"]["value"], trained.loss)
        np.testing.assert_allclose(found[f"{name}_kernel_moved"]["value"], trained.distance)
        np.testing.assert_allclose(found[f"{name}_alignment"]["value"], trained.alignment)
        last = trained.features[:, :, 1]
        moved = np.sqrt(((last - last[:, :1]) ** 2).sum(axis=(2, 3)))
        moved /= np.sqrt((last[:, :1] ** 2).sum(axis=(2, 3)))
        np.testing.assert_allclose(found[f"{name}_features_moved"]["value"], moved)


def test_the_sentence_and_the_store(run: Run, tmp_path) -> None:
    options = ("--lr", "0.01", "--store", str(tmp_path / "run.sqlite"))
    first = run(*SMALL, *options)
    assert first.returncode == 0
    assert "One network, dense matrices" in first.stdout
    assert "After 3 steps the features of the last hidden layer have moved by" in first.stdout
    assert "mup" not in first.stdout
    assert run(*SMALL, *options).stdout == first.stdout  # read from the store
    other = run(*SMALL, *options, "--seed", "1")
    assert other.returncode == 2
    assert other.stderr
    many = run(*SMALL, "--size", "12")
    assert "12 networks, dense matrices; median with its standard error [10 %, 90 %]" in many.stdout


def test_the_figure_has_the_bands_of_the_record(run: Run, tmp_path) -> None:
    data = prepared("digits", 4)
    assert data.y is not None
    net = fw.MLP(64, [12, 10], activation="tanh", parametrization="mup")
    training = Training(data.X, data.y, 3, 24, 4, "auto", 0.0, 0.0, None, 0.01)
    trained = training.of("mup", net, None, None)
    panels = training_panels([trained], "A network.")
    assert [plot.y_label.split(":")[0] for plot in panels.plots] == [
        "loss ½ Σ (N − y)²", "kernel", "features",
    ]  # fmt: skip
    again = fw.simulate.train(net, data.X, data.y, 0.01, 3, 24, 4)
    for plot, wanted in zip(panels.plots, (again.loss, again.distance), strict=False):
        (band,) = plot.series
        assert isinstance(band, Band)
        np.testing.assert_allclose(band.low, np.quantile(wanted, 0.1, axis=0))
        np.testing.assert_allclose(band.middle, np.median(wanted, axis=0))
        np.testing.assert_allclose(band.high, np.quantile(wanted, 0.9, axis=0))
    drawn = tmp_path / "run.svg"
    done = run(*SMALL, "--plot", str(drawn))
    assert f"The curves are drawn in {drawn}." in done.stdout
    assert drawn.read_text().startswith("<?xml")


def test_the_law_of_the_trajectory_along_a_line(run: Run, tmp_path) -> None:
    options = ("--line", "beta=0.5", "--depths", "2,4", "--size", "64", "--steps", "2")
    drawn = tmp_path / "line.png"
    done = run("simulate", *options, "--inputs", "1", "--plot", str(drawn))
    assert done.returncode == 0
    assert drawn.read_bytes()[:4] == b"\x89PNG"
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [row[:4] for row in rows if row[1:2] == ["×"]] == [
        ["2", "×", "1", "0.500"],
        ["6", "×", "3", "0.500"],
    ]
    document = json.loads(run("simulate", *options, "--inputs", "1", "--json").stdout)
    assert document["inputs"]["width"] == [2, 6]
    found = document["results"]
    data = prepared("digits", 1)
    assert data.y is not None
    for depth, widths in ((2, [2]), (4, [6, 6, 6])):
        net = fw.MLP(64, widths)
        rate = found[f"d{depth}_learning_rate"]["value"]
        kernels = fw.simulate.train(net, data.X, data.y, rate, 2, 64).kernels[:, :, 0, 0]
        ratio = kernels / kernels[:, :1]
        np.testing.assert_allclose(found[f"d{depth}_kernel_ratio"]["value"], ratio)
        spread = found[f"d{depth}_log_kernel_sd"]
        assert spread["value"] == pytest.approx(np.log(kernels[:, 0]).std(ddof=1))


def test_the_error_of_a_spread_is_that_of_repeated_samples() -> None:
    """300 samples of 64; the mean stated error against the spread of the estimates.

    Their ratio has a standard error of about 4 % + 1 %, and the delta method is short by 2 % at
    this size in Laplace logs (heavier than those of K): ±0.3 has a false-alarm rate below 1e-6.
    A missing factor 2 or √n, or the normal law's error, is off by more (0.5, 8, 0.63).
    """
    rng = np.random.default_rng(0)
    found = [log_spread(np.exp(rng.laplace(size=64)), "made up") for _ in range(300)]
    spread = np.std([one.value for one in found], ddof=1)
    stated = np.sqrt(np.mean([one.std_error**2 for one in found]))
    assert stated / spread == pytest.approx(1, abs=0.3)


def test_exact_quantiles_are_those_of_stored_networks() -> None:
    """4,000 networks of width 8: quantiles within 5.5 standard errors of the exact law's.

    False-alarm rate 2e-7 over three quantiles; a law of another width (12) is off by 12.
    """
    data = prepared("digits", 1)
    assert data.y is not None
    net = fw.MLP(64, [8, 8])
    trained = Training(data.X, data.y, 0, 4000, 5, "dense", 0.0, 0.0, None, 0.1).of(
        "8 × 2", net, None, None
    )
    exact, errors = exact_quantiles(trained, data.X)
    start = np.sort(trained.trajectory.kernels[:, 0, 0, 0])
    seen = [from_sorted(start, np.array(q)) for q in (0.1, 0.5, 0.9)]
    for which in (0, 2):
        ratio = float(seen[which].value) / float(seen[1].value)
        error = ratio * np.hypot(
            float(seen[which].std_error) / float(seen[which].value),
            float(seen[1].std_error) / float(seen[1].value),
        )
        assert abs(ratio - exact[which]) < 5.5 * np.hypot(error, errors[which])


def test_networks_without_features_have_not_moved() -> None:
    data = prepared("digits", 2)
    assert data.y is not None
    trained = Training(data.X, data.y, 2, 40, 0, "dense", 0.0, 0.0, None, 0.01).of(
        "relu", fw.MLP(64, [1, 1]), None, None
    )
    dead = trained.trajectory.features[:, 0, -1].sum(axis=(1, 2)) == 0
    assert 0 < dead.sum() < 40
    assert (trained.features_moved[dead] == 0).all()
    last = trained.trajectory.features[~dead, :, -1]
    moved = np.sqrt(((last[:, 1] - last[:, 0]) ** 2).sum(axis=(1, 2)))
    start = np.sqrt((last[:, 0] ** 2).sum(axis=(1, 2)))
    np.testing.assert_allclose(trained.features_moved[~dead, 1], moved / start)


def test_each_parametrization_has_its_own_store(run: Run, tmp_path) -> None:
    options = ("--lr", "0.01", "--parametrization", "mup", "--store", str(tmp_path / "a"))
    first = run(*SMALL, *options)
    assert {file.name for file in tmp_path.iterdir()} == {"a", "a.ntk"}
    assert run(*SMALL, *options).stdout == first.stdout


def test_without_a_hidden_layer_there_are_no_features(run: Run) -> None:
    done = run("simulate", "--depth", "1", "--steps", "1")
    assert "there are no features, and the kernel stays what it is." in done.stdout
    assert "have moved" not in done.stdout


def test_divergence_is_told(run: Run) -> None:
    with pytest.warns(RuntimeWarning, match="training diverges"):
        done = run(
            "simulate",
            "--widths",
            "12,10",
            "--steps",
            "99",
            "--lr",
            "10",
            "--activation",
            "identity",
        )
    assert "The run diverges at step" in done.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--depths", "3,5"), "--depths was given without --line"),
        (("--line", "beta=0.5", "--depths", "3"), "leave out --width, --widths"),
        (("--plot", "a.pdf"), "expected a name ending in .png or .svg"),
        (("--inputs", "0"), "--inputs is 0"),
        (("--data", "no.npz"), "there is no such file"),
        (("--beside", "sp"), "parametrization is 'sp'"),
        (("--weight-law", "laplace", "--method", "deferred"), "only Gaussian weights"),
        (("--batch-size", "0"), "batch_size"),
        (("--steps", "-1"), "steps"),
    ],
    ids=str,
)
def test_bad_input(run: Run, options, words) -> None:
    done = run(*SMALL, *options)
    assert done.returncode == 2
    assert words in done.stderr


@pytest.mark.parametrize(
    ("line", "depths", "words"),
    [
        ("gamma=2", "3,5", "expected beta=0.5"),
        ("beta=-1", "3,5", "expected beta=0.5"),
        ("beta=0.5", "3,x", "expected whole numbers"),
        ("beta=0.5", "1", "a line needs hidden layers"),
        ("beta=5", "2", "asks for a width of 0.2"),
        ("beta=0.5", None, "needs the depths on it"),
    ],
)
def test_lines_that_are_none(run: Run, line, depths, words) -> None:
    given = () if depths is None else ("--depths", depths)
    done = run("simulate", "--line", line, *given)
    assert done.returncode == 2
    assert words in done.stderr
