"""Every method gives the numbers of the function it stands for, and they agree with the law."""

import sys
from pathlib import Path

import numpy as np
import pytest
import xarray

import finitewidth as fw
from finitewidth.sweep.cells import Cell
from finitewidth.sweep.methods.drawn import seed_of
from finitewidth.sweep.store import Reader

torch = pytest.importorskip("torch")

RATE = 0.02
AXES = {"n_in": 5, "width": 8, "depth": 3}
FACTORY = '''
import torch


def make(width, depth):
    """Biases 0 and weights of variance 2/fan-in, as the law has them; "standard" steps."""
    sizes = [5] + [width] * (depth - 1) + [1]
    layers = []
    for number, (a, b) in enumerate(zip(sizes, sizes[1:])):
        layer = torch.nn.Linear(a, b, dtype=torch.float64)
        gain = 1.0 if number == depth - 1 else 2.0
        torch.nn.init.normal_(layer.weight, std=(gain / a) ** 0.5)
        torch.nn.init.zeros_(layer.bias)
        layers += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def deaf():
    torch.manual_seed(0)
    return make(3, 2)


def two(seed):
    torch.manual_seed(seed)
    return torch.nn.Linear(5, 2, dtype=torch.float64)
'''


def open_one(tmp_path: Path, axes: dict, networks: int, **options) -> xarray.Dataset:
    grid = {"axes": AXES | axes, "precision": {"max_networks": networks}}
    done = fw.sweep.run(grid, tmp_path / "s.sqlite", **options)
    assert done.failures == []
    return fw.sweep.open(tmp_path / "s.sqlite")


@pytest.fixture
def factories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that a grid can name."""
    (tmp_path / "made_for_sweeps.py").write_text(FACTORY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "made_for_sweeps", raising=False)


METHODS = {
    "sampler": ({"method": "sampler"}, 2**15),
    "dense": ({"method": "dense"}, 4096),
    "dense step": ({"method": "dense", "learning_rate": RATE}, 4096),
    "dense uniform": ({"method": "dense", "weight_law": "uniform"}, 4096),
    "factory": (
        {"method": "factory", "factory": "made_for_sweeps:make", "parametrization": "standard"},
        256,
    ),
}
SLOW = {
    "deferred": ({"method": "deferred"}, 2048),
    "deferred step": ({"method": "deferred", "learning_rate": RATE}, 1024),
}


@pytest.mark.slow
@pytest.mark.parametrize(("axes", "networks"), SLOW.values(), ids=SLOW.keys())
def test_deferred_networks_agree_with_the_law(tmp_path: Path, axes, networks) -> None:
    """As below."""
    agree_with_the_law(tmp_path, axes, networks)


@pytest.mark.parametrize(("axes", "networks"), METHODS.values(), ids=METHODS.keys())
def test_what_is_drawn_agrees_with_the_law(tmp_path: Path, factories, axes, networks) -> None:
    """|z| < 5.5 for at most 20 comparisons: false alarm 7.6e-7.

    Seen would be 11 standard errors; three times the law's value is rejected.
    """
    agree_with_the_law(tmp_path, axes, networks)


def agree_with_the_law(tmp_path: Path, axes: dict, networks: int) -> None:
    found = open_one(tmp_path, axes, networks, allow_factories=True)
    fields = {name: axes[name] for name in ("weight_law", "parametrization") if name in axes}
    law = fw.KernelLaw(fw.MLP(5, [8, 8], **fields))
    truth = {"kernel_mean": law.mean(), "output_square_mean": law.output_moment(2)}
    truth["kernel_dispersion"] = law.dispersion()
    if "update_mean" in found:
        truth["update_mean"] = law.update_mean(RATE)
    assert ("update_mean" in found) == (axes == METHODS["dense step"][0])
    assert int(found.networks) >= networks
    for name, value in truth.items():
        error = float(found[f"{name}_std_error"])
        assert abs(float(found[name]) - value) < 5.5 * error, name
        assert abs(float(found[name]) - 3 * value) > 5.5 * error, name


@pytest.mark.slow
def test_the_step_of_dense_and_deferred_networks_is_one_law(tmp_path: Path) -> None:
    """|z| < 4.9: false alarm 1e-6; the change of one is some 20 standard errors from 0."""
    dense = open_one(tmp_path / "a", {"method": "dense", "learning_rate": RATE}, 8192)
    deferred = open_one(tmp_path / "b", {"method": "deferred", "learning_rate": RATE}, 2048)
    error = np.hypot(float(dense.step_mean_std_error), float(deferred.step_mean_std_error))
    assert abs(float(dense.step_mean - deferred.step_mean)) < 4.9 * error
    assert abs(float(dense.step_mean + deferred.step_mean)) > 4.9 * error


@pytest.fixture(autouse=True)
def folders(tmp_path: Path) -> None:
    """Folders of the stores."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()


def test_dense_blocks_are_ensembles(tmp_path: Path) -> None:
    """Block b is `simulate.ensemble` with the block's own seed."""
    found = open_one(tmp_path, {"method": "dense"}, 128)
    with Reader(tmp_path / "s.sqlite") as reader:
        cell = Cell(reader.cells().rows[0].inputs)
    net, x = fw.MLP(5, [8, 8]), np.ones(5)
    kernels = [
        fw.simulate.ensemble(net, x, 64, seed_of(cell.entropy, block), "dense").kernels[:, 0, 0]
        for block in (0, 1)
    ]
    assert float(found.kernel_mean) == pytest.approx(np.mean(kernels), rel=1e-13)
    assert not set(kernels[0]) & set(kernels[1])


def test_the_expansion(tmp_path: Path) -> None:
    axes = {"method": "expansion", "activation": ["relu", "tanh"], "learning_rate": RATE}
    data = open_one(tmp_path, axes, 1)
    for name in ("relu", "tanh"):
        one = data.sel(activation=name)
        theory = fw.expansion.kernel(fw.MLP(5, [8, 8], activation=name), np.ones(5))
        assert float(one.kernel_mean) == theory.mean[0, 0]
        relative = theory.variance[0, 0] / theory.infinite[0, 0] ** 2
        assert float(one.kernel_dispersion) == 1.0 + relative
        assert float(one.update_mean) == theory.first_step([0.0], RATE)[0, 0]


def test_inputs(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    axes = {"n_in": 64, "input": ["digits:7", "ones"], "method": ["law", "dense"]}
    data = open_one(tmp_path, axes, 4096)
    from sklearn.datasets import load_digits

    x = load_digits(return_X_y=True)[0][7] / 16.0
    net = fw.MLP(64, [8, 8])
    assert float(data.kernel_mean.sel(input="digits:7", by_method="law")) == pytest.approx(
        fw.KernelLaw(net, x).mean(), rel=1e-14
    )
    dense, law = data.sel(by_method="dense"), data.sel(by_method="law")
    z = (dense.kernel_mean - law.kernel_mean) / dense.kernel_mean_std_error
    assert float(abs(z).max()) < 5.1  # 2 comparisons: false alarm 7e-7
    apart = float(law.kernel_mean[0] - law.kernel_mean[1]) / float(dense.kernel_mean_std_error[0])
    assert abs(apart) > 10


def test_a_factory_is_called_only_if_that_is_allowed(tmp_path: Path, factories) -> None:
    grid = {"axes": {"n_in": 5, "method": "factory", "factory": "made_for_sweeps:two"}}
    with pytest.raises(ValueError, match=r"names the factory 'made_for_sweeps:two', which would"):
        fw.sweep.run(grid, tmp_path / "s.sqlite")
    assert "made_for_sweeps" not in sys.modules
    assert not (tmp_path / "s.sqlite").exists()


CAUSES = {
    "deaf": ("made_for_sweeps:deaf", "the same network, so it ignores its seed"),
    "two outputs": ("made_for_sweeps:two", "has 2 outputs, expected one"),
    "no module": ("made_for_sweeps_not:two", "cannot be imported where it is computed"),
    "no function": ("made_for_sweeps:none", "cannot be imported where it is computed"),
    "no colon": ("made_for_sweeps", "expected package:function"),
}


@pytest.mark.parametrize(("factory", "sentence"), CAUSES.values(), ids=CAUSES.keys())
def test_a_bad_factory_is_its_cell_s_failure(tmp_path: Path, factories, factory, sentence) -> None:
    grid = {"axes": {"n_in": 5, "method": "factory", "factory": factory}}
    done = fw.sweep.run(grid, tmp_path / "s.sqlite", allow_factories=True)
    ((_, cause),) = done.failures
    assert sentence in cause
