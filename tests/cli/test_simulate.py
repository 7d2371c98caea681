"""`finitewidth simulate`: its numbers are those of `simulate.train`, its words say them."""

import json

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.cli.simulate import prepared
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
        rate = 0.5 / np.linalg.eigvalsh(start.mean(axis=0))[-1]
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
    assert "12 networks, dense matrices; median [10 %, 90 %]" in many.stdout


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
