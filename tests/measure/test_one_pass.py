"""The start, a step and a descent in one pass: each one's numbers, each network made once."""

from collections import Counter
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import finitewidth as fw
from finitewidth.measure import descent_ensemble, ensemble, update_ensemble
from finitewidth.measure.kernel.blocks import Blocks
from finitewidth.measure.update import one_pass
from finitewidth.measure.update.one_pass import start_step_descent
from finitewidth.measure.update.sharpness import sharpness

X = torch.randn(5, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
Y = torch.sin(3 * X[:, :2])
RATE = 0.02


def small() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 9), nn.ReLU(), nn.Linear(9, 2)).double()


def normed() -> nn.Module:
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 2)).double()
    return fw.measure.calibrate(model, X)


class Single(nn.Module):
    """Runs in single precision alone."""

    def __init__(self) -> None:
        super().__init__()
        self.lin, self.out = nn.Linear(4, 9), nn.Linear(9, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(torch.tanh(self.lin(x) @ torch.eye(9, dtype=torch.float32)))


MODELS = {
    "double": (small, 2.0**-52),
    "single": (lambda: small().float(), 2.0**-23),
    "batch norm": (normed, 2.0**-52),
    "single alone": (Single, 2.0**-23),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_numbers_of_each_alone(name: str) -> None:
    """Of the start to the rounding of the model's precision, of the rest to that of the step's.

    A hundred roundings of the largest entry; another seed is off by 0.1 and more.
    """
    make, rounding = MODELS[name]
    start, step, descent, sharp = start_step_descent(
        make, X, Y, learning_rate=RATE, seeds=[4, 0, 2]
    )
    np.testing.assert_allclose(sharp, sharpness(make, X, Y, seeds=[4, 0, 2]), rtol=1e-12)
    alone = ensemble(make, X, [4, 0, 2])
    scale = np.abs(alone.kernels).max()
    assert start.seeds == step.seeds == descent.seeds == [4, 0, 2]
    np.testing.assert_allclose(start.kernels, alone.kernels, atol=100 * rounding * scale, rtol=0)
    assert start.layer_parts.keys() == alone.layer_parts.keys()
    for layer, part in alone.layer_parts.items():
        room = 100 * rounding * scale
        np.testing.assert_allclose(start.layer_parts[layer], part, atol=room, rtol=0)
    steps = update_ensemble(make, X, Y, learning_rate=RATE, seeds=[4, 0, 2])
    room = 100 * (rounding if name == "single alone" else 2.0**-52) * scale
    for one, two in zip(step.updates, steps.updates, strict=True):
        for key in ("before", "first_order", "actual", "actual_at_half"):
            np.testing.assert_allclose(getattr(one, key), getattr(two, key), atol=room, rtol=0)
        for key in ("loss_before", "loss_after", "diverged", "crossed", "pairs", "precision"):
            assert getattr(one, key) == getattr(two, key)
    descents = descent_ensemble(make, X, Y, learning_rate=RATE, seeds=[4, 0, 2])
    for one, two in zip(descent.descents, descents.descents, strict=True):
        np.testing.assert_array_equal(one.losses, two.losses)
        assert one.moved == pytest.approx(two.moved, abs=room / scale)


def test_workers_change_no_bit_and_progress_counts_seeds() -> None:
    make = partial(fw.measure.module, fw.MLP(4, [6, 5], n_out=2))
    told: list[tuple[int, int]] = []
    one, two = (
        start_step_descent(
            make, X, Y, learning_rate=RATE, seeds=3, workers=workers,
            progress=lambda done, total: told.append((done, total)),
        )
        for workers in (1, 2)
    )  # fmt: skip
    assert told == 2 * [(1, 3), (2, 3), (3, 3)]
    np.testing.assert_array_equal(one[0].kernels, two[0].kernels)
    for a, b in zip(one[1].updates, two[1].updates, strict=True):
        np.testing.assert_array_equal(a.actual, b.actual)
    assert [d.moved for d in one[2].descents] == [d.moved for d in two[2].descents]


def test_a_check_makes_each_network_once() -> None:
    """But the first, which is made twice to compare, and those whose weights are looked at."""
    made: Counter[int] = Counter()

    def make(seed: int) -> nn.Module:
        made[seed] += 1
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(25, 25), nn.Tanh(), nn.Linear(25, 25)).double()

    inputs = X.repeat(1, 7)[:, :25]
    fw.check(make, inputs, torch.zeros(5, 25), learning_rate=1e-3, seeds=12)
    assert {made[seed] for seed in range(8, 12)} == {1}


def test_the_first_kernel_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside it four: after the step, half of it and the descent, and of all outputs for λ_max."""
    counted: Counter[str] = Counter()
    measure_model, kernel = one_pass.measure_model, Blocks.kernel

    def first(*arguments: Any, **named: Any) -> Any:
        counted["first"] += 1
        return measure_model(*arguments, **named)

    def later(*arguments: Any, **named: Any) -> Any:
        counted["later"] += 1
        return kernel(*arguments, **named)

    monkeypatch.setattr(one_pass, "measure_model", first)
    monkeypatch.setattr(Blocks, "kernel", later)
    start_step_descent(small, X, Y, learning_rate=RATE, seeds=4)
    assert counted == {"first": 4, "later": 16}
