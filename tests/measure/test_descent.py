"""Descents over seeds: against a loop in plain PyTorch and brute-force Jacobians; how they end.

Rounding: a loss of a few steps of a few hundred parameters keeps 1e-12 of its size, and the
distance of two kernels 1e-10 of itself where they differ by more than 1e-3.
"""

import re
import warnings
from collections.abc import Callable
from functools import partial
from math import e, inf, log, nan

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import finitewidth as fw
from finitewidth.measure.update.descent import Descent, DescentEnsemble
from tests.measure import brute


def mlp() -> nn.Sequential:
    """One bias is not trained."""
    model = nn.Sequential(
        nn.Linear(6, 10), nn.Tanh(), nn.Linear(10, 8), nn.ReLU(), nn.Linear(8, 3)
    ).double()
    model[2].bias.requires_grad_(False)
    return model


def cnn() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(4, 3, 2), nn.GELU(),
        nn.Flatten(), nn.Linear(3, 3),
    ).double()  # fmt: skip


def own_loss(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return functional.smooth_l1_loss(output, y, reduction="sum", beta=0.3)


def inputs(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


MODELS: dict[str, tuple[Callable[[], nn.Module], torch.Tensor]] = {
    "mlp": (mlp, inputs(5, 6)),
    "cnn": (cnn, inputs(5, 2, 4, 4)),
}
NUMBERS = torch.linspace(-1.0, 1.0, 15, dtype=torch.float64).view(5, 3)
CLASSES = torch.tensor([0, 2, 1, 1, 0])
LOSSES = {
    "mse": ("mse", NUMBERS, lambda n, y: 0.5 * ((n - y) ** 2).sum()),
    "cross_entropy": (
        "cross_entropy",
        CLASSES,
        lambda n, y: (n.exp().sum(1).log() - n[torch.arange(len(y)), y]).sum(),
    ),
    "own": (own_loss, NUMBERS, own_loss),
}
X, Y = MODELS["mlp"][1], NUMBERS


def plain(
    model: nn.Module, x: torch.Tensor, loss: Callable[[torch.Tensor], torch.Tensor], rate: float,
    most: int,
) -> tuple[list[float], float]:  # fmt: skip
    """Losses until one is at most 1/e of the first, and how far the traced kernel then is."""
    before = brute.kernel(model, x, outputs="trace")
    losses = []
    while True:
        model.zero_grad()
        found = loss(model(x))
        losses.append(float(found.detach()))
        if losses[-1] <= losses[0] / e or len(losses) > most:
            break
        found.backward()
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.grad is not None:
                    parameter -= rate * parameter.grad
    after = brute.kernel(model, x, outputs="trace")
    return losses, float((after - before).norm() / before.norm())


@pytest.mark.parametrize("most", [100, 3])
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("kind", MODELS)
def test_losses_and_movement_are_those_of_a_plain_loop(kind: str, name: str, most: int) -> None:
    (make, x), (loss, y, formula) = MODELS[kind], LOSSES[name]
    found = fw.measure.descent_ensemble(
        make, x, y, loss, learning_rate=0.02, seeds=[4, 2], max_steps=most
    )
    assert found.seeds == [4, 2]
    for seed, descent in zip(found.seeds, found.descents, strict=True):
        torch.manual_seed(seed)
        losses, moved = plain(make(), x, lambda n: formula(n, y), 0.02, most)
        assert moved > 1e-3
        assert len(descent.losses) == len(losses)
        np.testing.assert_allclose(descent.losses, losses, rtol=1e-12)
        assert descent.moved == pytest.approx(moved, rel=1e-10)
        assert descent.finite
        assert not descent.diverged
        assert descent.folds == pytest.approx(log(losses[0] / losses[-1]), rel=1e-10)


def test_it_stops_where_the_loss_first_has_fallen_by_e_or_at_max_steps() -> None:
    found = fw.measure.descent_ensemble(mlp, X, Y, learning_rate=0.01, seeds=3)
    for descent in found.descents:
        assert descent.losses[-1] <= descent.losses[0] / e < descent.losses[-2]
        assert descent.folds >= 1
    np.testing.assert_array_equal(found.steps, [len(d.losses) - 1 for d in found.descents])
    least = int(found.steps.min())
    assert least > 2
    short = fw.measure.descent_ensemble(mlp, X, Y, learning_rate=0.01, seeds=3, max_steps=least - 1)
    np.testing.assert_array_equal(short.steps, [least - 1] * 3)
    for descent, whole in zip(short.descents, found.descents, strict=True):
        np.testing.assert_array_equal(descent.losses, whole.losses[:least])
        assert 0 < descent.folds < 1
        assert not descent.diverged


def test_the_models_of_the_factory_are_as_they_were() -> None:
    made: list[tuple[nn.Module, dict[str, torch.Tensor]]] = []

    def make() -> nn.Module:
        model = mlp().float().eval()
        made.append((model, {k: v.clone() for k, v in model.state_dict().items()}))
        return model

    found = fw.measure.descent_ensemble(make, X.float(), Y, learning_rate=0.01, seeds=2)
    assert not found.diverged.any()
    assert len(made) >= 2
    for model, before in made:
        assert not model.training
        assert all(p.grad is None for p in model.parameters())
        for key, tensor in model.state_dict().items():
            assert tensor.dtype == before[key].dtype
            assert torch.equal(tensor, before[key])


def test_movement_is_the_mean_of_those_that_fall_by_one_factor() -> None:
    found = fw.measure.descent_ensemble(mlp, X, Y, learning_rate=0.01, seeds=8)
    rates = np.array([float(d.moved or nan) / d.folds for d in found.descents])
    movement = found.movement
    assert movement is not None
    assert movement.value == pytest.approx(rates.mean(), rel=1e-12)
    assert movement.std_error == pytest.approx(rates.std(ddof=1) / 8**0.5, rel=1e-12)
    assert movement.size == 8


def descents(*falls: tuple[float, float]) -> DescentEnsemble:
    """Last loss of 1, and movement."""
    made = [Descent(np.array([1.0, last]), True, moved) for last, moved in falls]
    return DescentEnsemble(list(range(len(made))), made)


def test_movement_leaves_out_what_diverged() -> None:
    found = descents((1 / e, 0.1), (1 / e, 0.3), (1.0, 5.0), (2.0, 7.0))
    assert found.diverged.tolist() == [False, False, True, True]
    assert found.movement is not None
    assert found.movement.value == pytest.approx(0.2)
    assert found.movement.size == 2
    assert descents((1 / e, 0.1), (1.5, 0.3)).movement is None


def test_movement_of_slow_descents_and_of_few_carriers_is_not_trusted() -> None:
    slow = descents((0.99, 0.01), (1 / e, 0.3)).movement
    assert slow is not None
    assert not slow.trusted
    assert "1 of 2 seeds" in slow.note
    assert "max_steps" in slow.note
    even = descents(*[(1 / e, 0.1)] * 40).movement
    assert even is not None
    assert even.trusted
    assert even.value == pytest.approx(0.1)
    rare = descents(*[(1 / e, 0.001)] * 39, (1 / e, 1.0)).movement
    assert rare is not None
    assert not rare.trusted
    assert "of 40 seeds carry" in rare.note


def test_a_loss_of_exactly_zero_is_a_fall() -> None:
    """One input and one weight layer: the step of rate 1/K takes the squared error to 0."""

    def make(seed: int) -> nn.Module:
        model = nn.Linear(1, 1, bias=False).double()
        nn.init.constant_(model.weight, 2.0 + seed)
        return model

    one = torch.ones(1, 1, dtype=torch.float64)
    found = fw.measure.descent_ensemble(make, one, 0 * one, learning_rate=1.0, seeds=2)
    for seed, descent in enumerate(found.descents):
        np.testing.assert_array_equal(descent.losses, [0.5 * (2 + seed) ** 2, 0.0])
        assert descent.folds == inf
        assert descent.moved == 0.0
        assert not descent.diverged
    assert found.movement is not None
    assert found.movement.value == 0.0


@pytest.mark.parametrize("rate", [3.0, 1e6, 1e160, 1e300])
def test_a_rate_that_explodes_is_a_verdict(rate: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fw.measure.descent_ensemble(mlp, X, Y, learning_rate=rate, seeds=3)
        assert found.diverged.all()
        assert found.movement is None
    for descent in found.descents:
        assert np.isfinite(descent.losses).all()
        assert descent.moved is None or np.isfinite(descent.moved)
        assert len(descent.losses) <= 101


def from_zero() -> nn.Sequential:
    """Its output is exactly 0 until a step is taken."""
    model = mlp()
    for parameter in model[4].parameters():
        nn.init.zeros_(parameter)
    return model


@pytest.mark.parametrize("bad", [nan, inf])
def test_a_loss_that_is_not_finite_ends_a_descent(bad: float) -> None:
    def loss(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        found = (output - y).square().sum()
        return found * bad if bool(output.any()) else found

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fw.measure.descent_ensemble(from_zero, X, Y, loss, learning_rate=1e-3, seeds=2)
    assert found.diverged.all()
    assert found.movement is None
    for descent in found.descents:
        np.testing.assert_allclose(descent.losses, [float(Y.square().sum())], rtol=1e-14)
        assert not descent.finite
        assert descent.moved is None


def test_numbers_do_not_depend_on_the_workers() -> None:
    factory = partial(fw.measure.module, fw.MLP(6, [9, 7], n_out=3))  # importable elsewhere
    one, two = (
        fw.measure.descent_ensemble(
            factory, X, Y, learning_rate=0.02, seeds=[3, 1, 4], workers=count
        )
        for count in (1, 2)
    )
    assert not one.diverged.any()
    assert one.seeds == two.seeds == [3, 1, 4]
    for left, right in zip(one.descents, two.descents, strict=True):
        np.testing.assert_array_equal(left.losses, right.losses)
        assert left.moved == right.moved
        assert left.finite == right.finite


def test_progress_counts_seeds() -> None:
    seen: list[tuple[int, int]] = []
    fw.measure.descent_ensemble(
        mlp, X, Y, learning_rate=0.1, seeds=3, progress=lambda done, all_: seen.append((done, all_))
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]


def _descend(**changed: object) -> None:
    given: dict[str, object] = {"learning_rate": 0.01, "seeds": 2, "X": X, "y": Y, "loss": "mse"}
    given.update(changed)
    make = given.pop("make_model", mlp)
    fw.measure.descent_ensemble(make, **given)  # type: ignore[arg-type]


def _zeros() -> nn.Module:
    torch.rand(1)
    model = nn.Linear(6, 3).double()
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    return model


BAD: dict[str, tuple[dict[str, object], str]] = {
    "loss 0": (
        {"make_model": _zeros, "y": 0 * Y},
        "the loss of seed 0 is 0 at the start, so it cannot fall by a factor; use a loss that is",
    ),
    "loss below 0": ({"loss": lambda n, y: -(n - y).square().sum()}, "the loss of seed 0 is -"),
    "no steps": ({"max_steps": 0}, "max_steps is 0, expected a whole number of at least 1"),
    "max_steps True": ({"max_steps": True}, "max_steps is True, expected a whole number"),
    "rate 0": ({"learning_rate": 0.0}, "learning_rate is 0.0, expected a number above 0"),
    "rate -1": ({"learning_rate": -1.0}, "learning_rate is -1.0, expected a number above 0"),
    "rate nan": ({"learning_rate": nan}, "learning_rate is nan, expected a number above 0"),
    "loss name": ({"loss": "hinge"}, "loss is 'hinge', expected 'mse', 'cross_entropy' or a"),
    "targets": ({"y": Y[:, 0]}, "y has shape"),
    "one seed": ({"seeds": 1}, "at least 2"),
    "workers": ({"workers": 2, "make_model": lambda: mlp()}, "workers=1"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_sentence(name: str) -> None:
    changed, message = BAD[name]
    with pytest.raises((ValueError, TypeError), match=re.escape(message)) as caught:
        _descend(**changed)
    assert "\n" not in str(caught.value)


def test_the_same_network_for_every_seed_is_refused() -> None:
    def make() -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return mlp()

    with pytest.raises(ValueError, match="ignores its seed"):
        _descend(make_model=make, seeds=3)
