"""Small networks measured together give what each gives alone."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import finitewidth as fw
from finitewidth.measure import batched, calibrate, ensemble, ensembles
from finitewidth.measure.alike import Template
from finitewidth.measure.factory import build
from finitewidth.measure.one_seed import measure_model

SEEDS = list(range(5))
ROOM = 1e-12
"""Relative to the largest entry, in float64; a wrong layer or seed is off by 1e-2 and more."""


def inputs(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(6, *shape, generator=generator, dtype=torch.float64)


def mlp() -> nn.Module:
    return nn.Sequential(
        nn.Linear(4, 7), nn.ReLU(), nn.Linear(7, 5, bias=False), nn.Tanh(), nn.Linear(5, 3)
    ).double()


def frozen() -> nn.Module:
    model = mlp()
    next(model.children()).requires_grad_(False)
    return model


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lin, self.out = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(torch.tanh(self.lin(torch.tanh(self.lin(x)))))


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(4, 4), nn.Linear(4, 4)
        self.two.weight = self.one.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.two(torch.relu(self.one(x)))


def norms() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 5), nn.LayerNorm(5), nn.GELU(), nn.Linear(5, 2)).double()


def conv() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(27, 2)
    ).double()


def calibrated() -> nn.Module:
    model = conv()
    calibrate(model, inputs(1, 5, 5))
    return model


def described() -> nn.Module:
    return fw.measure.module(fw.MLP(4, [6, 5], activation="leaky_relu")).double()


TOGETHER: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "mlp": (mlp, (4,)),
    "frozen layer": (frozen, (4,)),
    "one layer twice": (lambda: Twice().double(), (4,)),
    "tied weights": (lambda: Tied().double(), (4,)),
    "layer norm": (norms, (4,)),
    "conv, batch norm": (calibrated, (1, 5, 5)),
    "module of an MLP": (described, (4,)),
}


class Routed(nn.Module):
    """Its path depends on the numbers, which vmap refuses."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(4, 3), nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if float(self.one.weight.detach().sum()) > 0:
            return torch.tanh(self.one(x))
        return torch.tanh(self.two(x))


def slope_by_seed(seed: int) -> nn.Module:
    return nn.Sequential(nn.Linear(4, 7), nn.LeakyReLU(0.1 * seed), nn.Linear(7, 1)).double()


def width_by_seed(seed: int) -> nn.Module:
    return nn.Sequential(nn.Linear(4, 5 + seed % 2), nn.ReLU(), nn.Linear(5 + seed % 2, 1)).double()


class Scaled(nn.Module):
    def __init__(self, scale: object) -> None:
        super().__init__()
        self.lin, self.scale = nn.Linear(4, 2), scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scale: Any = self.scale
        return self.lin(x) * (scale() if callable(scale) else scale)


def closure_by_seed(seed: int) -> nn.Module:
    return Scaled(lambda: 1.0 + seed).double()


def tensor_by_seed(seed: int) -> nn.Module:
    return Scaled(torch.tensor(1.0 + seed)).double()


APART: dict[str, Callable[..., nn.Module]] = {
    "path by numbers": lambda: Routed().double(),
    "slope by seed": slope_by_seed,
    "width by seed": width_by_seed,
    "closure by seed": closure_by_seed,
    "tensor by seed": tensor_by_seed,
}


@pytest.fixture
def alone(monkeypatch) -> list[int]:
    """Counts the networks that are measured alone."""
    seen: list[int] = []
    real = batched.measure_model

    def counted(*arguments: Any, **named: Any) -> Any:
        seen.append(1)
        return real(*arguments, **named)

    monkeypatch.setattr(batched, "measure_model", counted)
    return seen


def agree(make_model: Callable[..., nn.Module], x: torch.Tensor) -> None:
    found = ensemble(make_model, x, SEEDS)
    for place, seed in enumerate(SEEDS):
        one = measure_model(build(make_model, seed), x, check=False)
        scale = np.abs(one.kernel).max()
        assert np.abs(found.kernels[place] - one.kernel).max() <= ROOM * scale
        for name, value in one.shares.items():
            assert abs(found.layer_parts[name][place] - value) <= ROOM * scale
    total = sum(found.layer_parts.values())
    assert np.allclose(total, found.diagonals, rtol=ROOM)


@pytest.mark.parametrize("name", TOGETHER)
def test_together_is_what_each_is_alone(name, alone):
    make_model, shape = TOGETHER[name]
    agree(make_model, inputs(*shape))
    assert len(alone) == 1  # only to compare


@pytest.mark.parametrize("name", APART)
def test_what_cannot_be_together_is_measured_alone(name, alone):
    agree(APART[name], inputs(4))
    assert len(alone) >= len(SEEDS)


@pytest.mark.parametrize("first", [1.0001, 1.0])
def test_wrong_numbers_of_a_batch_are_noticed(monkeypatch, alone, first):
    """Those of all networks, or of all but the one that stands in for the others."""
    for way in (batched._by_layers, batched._by_jacobians):

        def wrong(stack: Any, x: torch.Tensor, way: Any = way) -> Any:
            factors = torch.full((len(SEEDS), 1, 1), 1.0001, dtype=torch.float64)
            factors[0] = first
            return {name: part * factors for name, part in way(stack, x).items()}

        monkeypatch.setattr(batched, way.__name__, wrong)
    agree(mlp, inputs(4))
    assert len(alone) == 1 + len(SEEDS)


def test_small_errors_of_a_batch_are_noticed_in_single_precision(monkeypatch, alone):
    real: Callable[..., Any] = batched._by_layers

    def wrong(stack: Any, x: torch.Tensor) -> Any:
        return {name: part * 1.001 for name, part in real(stack, x).items()}

    monkeypatch.setattr(batched, "_by_layers", wrong)
    monkeypatch.setattr(batched, "_by_jacobians", lambda *_: None)
    ensemble(lambda: mlp().float(), inputs(4).float(), SEEDS)
    assert len(alone) == 1 + len(SEEDS)


def test_workers_change_no_bit_of_a_batch(monkeypatch):
    monkeypatch.setattr(ensembles, "batch_size", lambda *_: 4)
    make_model = partial(fw.measure.module, fw.MLP(4, [6, 5]))  # other processes can import it
    one, two = (ensemble(make_model, inputs(4), 9, workers=workers) for workers in (1, 2))
    assert np.array_equal(one.kernels, two.kernels)
    assert all(np.array_equal(one.layer_parts[n], two.layer_parts[n]) for n in one.layer_parts)


def broken_at_three(seed: int) -> nn.Module:
    model = mlp()
    if seed == 3:
        with torch.no_grad():
            next(model.parameters()).fill_(float("nan"))
    return model


def test_nan_in_one_network_names_its_layer():
    with pytest.raises(ValueError, match=r"not finite; nan or infinity first appears in 0 \(Lin"):
        ensemble(broken_at_three, inputs(4), 5)


def test_what_makes_modules_different():
    template = Template(build(described, 1))
    assert template.fits(build(described, 2)) is not None
    for other in (
        fw.measure.module(fw.MLP(4, [6, 5], activation="leaky_relu", negative_slope=0.02)),
        fw.measure.module(fw.MLP(4, [6, 5])),
        fw.measure.module(fw.MLP(4, [6, 5], activation="leaky_relu")),  # float32
        frozen(),
    ):
        assert template.fits(other) is None
    tied, free = Tied(), Tied()
    free.two.weight = nn.Parameter(free.one.weight.detach().clone())
    assert Template(tied).fits(free) is None
    assert Template(mlp()).fits(mlp().eval()) is None


def in_float64(make_model: Callable[[], nn.Module], x: torch.Tensor, seed: int) -> np.ndarray:
    """The kernel of the network as it was rounded, computed without further rounding."""
    model = build(make_model, seed).double()
    return fw.measure.kernel(model, x.double(), outputs="trace").numpy()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ["tied weights", "one layer twice", "mlp", "frozen layer"])
def test_half_precision_is_measured_one_network_at_a_time(name, dtype, alone):
    """Rounding is some ε = 0.008 or 0.001 of the kernel; a way that misses a tie is 0.15 off."""
    x, made = inputs(4).to(dtype), TOGETHER[name][0]

    def make_model() -> nn.Module:
        return made().to(dtype)

    found = ensemble(make_model, x, SEEDS)
    assert len(alone) == len(SEEDS)
    for seed, kernel in zip(SEEDS, found.kernels, strict=True):
        exact = in_float64(make_model, x, seed)
        room = 10 * torch.finfo(dtype).eps * np.abs(exact).max()
        assert np.abs(kernel - exact).max() <= room
        one = measure_model(build(make_model, seed), x, check=False)
        assert np.array_equal(kernel, one.kernel)


class Aside(nn.Module):
    """Uses a layer's weight once more, outside the layer, by so little."""

    def __init__(self, little: float) -> None:
        super().__init__()
        self.lin, self.out, self.little = nn.Linear(4, 4), nn.Linear(4, 1), little

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        aside = nn.functional.linear(x.flip(1), self.lin.weight)
        return self.out(torch.tanh(self.lin(x) + self.little * aside))


@pytest.mark.parametrize("little", [1e-1, 1e-3, 1e-4, 3e-5])
def test_what_single_precision_would_hide_is_seen_in_float64(little):
    """A gradient that is missed shows in float64 however small it is; rounding is about 1e-6."""
    x = inputs(4).float()
    found = ensemble(lambda: Aside(little), x, SEEDS)
    for seed, kernel in zip(SEEDS, found.kernels, strict=True):
        exact = in_float64(lambda: Aside(little), x, seed)
        assert np.abs(kernel - exact).max() <= 50 * np.finfo(np.float32).eps * np.abs(exact).max()
