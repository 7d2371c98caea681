"""`finitewidth simulate`: its numbers are those of `simulate.train`, its words say them."""

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.data import training_set
from tests.cli.running import Run, document

pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")

SMALL = ("simulate", "--widths", "12,10", "--steps", "3", "--activation", "tanh")


def test_numbers_are_those_of_train(run: Run) -> None:
    options = ("--size", "3", "--seed", "4", "--parametrization", "mup")
    found = document(run, *SMALL, *options)["results"]
    data = training_set("digits", 4)
    assert data.y is not None
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


def test_the_figure_is_written(run: Run, tmp_path) -> None:
    drawn = tmp_path / "run.svg"
    done = run(*SMALL, "--plot", str(drawn))
    assert f"The figure is in {drawn}." in done.stdout
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
    answer = document(run, "simulate", *options, "--inputs", "1")
    assert answer["network"]["width"] == [2, 6]
    found = answer["results"]
    data = training_set("digits", 1)
    assert data.y is not None
    for depth, widths in ((2, [2]), (4, [6, 6, 6])):
        net = fw.MLP(64, widths)
        rate = found[f"d{depth}_learning_rate"]["value"]
        kernels = fw.simulate.train(net, data.X, data.y, rate, 2, 64).kernels[:, :, 0, 0]
        ratio = kernels / kernels[:, :1]
        np.testing.assert_allclose(found[f"d{depth}_kernel_ratio"]["value"], ratio)
        spread = found[f"d{depth}_log_kernel_sd"]
        assert spread["value"] == pytest.approx(np.log(kernels[:, 0]).std(ddof=1))


def test_each_parametrization_has_its_own_store(run: Run, tmp_path) -> None:
    options = ("--lr", "0.01", "--parametrization", "mup", "--store", str(tmp_path / "a"))
    first = run(*SMALL, *options)
    assert {file.name for file in tmp_path.iterdir()} == {"a", "a.ntk"}
    assert run(*SMALL, *options).stdout == first.stdout


def test_without_a_hidden_layer_there_are_no_features(run: Run) -> None:
    done = run("simulate", "--depth", "1", "--steps", "1")
    assert "there are no features, and the kernel stays what it is" in done.stdout
    assert "have moved" not in done.stdout


@pytest.mark.filterwarnings("default:training diverges:RuntimeWarning")
def test_divergence_is_told(run: Run) -> None:
    network = ("--widths", "12,10", "--activation", "identity")
    done = run("simulate", *network, "--steps", "99", "--lr", "10")
    assert done.stderr.count("finitewidth: warning: training diverges") == 1
    assert "ntk diverges at step" in done.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--depths", "3,5"), "--depths was given without --line"),
        (("--line", "beta=0.5", "--depths", "3"), "leave out --width, --widths"),
        (("--plot", "a.pdf"), "expected a name ending in .png or .svg"),
        (("--inputs", "0"), "0 inputs were asked for"),
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
        ("beta=0.5", "3,x", "expected a whole number"),
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
