"""`calibrate` and `as_in_use`: the statistics of normalisation layers, and models put into use."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn

from finitewidth import measure
from finitewidth.measure.calibrate import as_in_use
from finitewidth.measure.model.norms import fresh


def x(count: int = 9, features: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    return 2.0 + torch.randn(count, features, generator=generator, dtype=torch.float64)


def normed(*more: nn.Module) -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), *more, nn.Linear(4, 2)).double()


def set_as_by_a_checkpoint(norm: nn.Module) -> None:
    """Without ``num_batches_tracked``, as of PyTorch before 0.4 or written by hand."""
    assert isinstance(norm, nn.BatchNorm1d)
    state = {"running_mean": torch.full((4,), 0.5), "running_var": torch.full((4,), 2.0)}
    norm.load_state_dict(norm.state_dict() | state)
    assert int(norm.num_batches_tracked or 0) == 0


def test_a_new_model_is_calibrated_and_evaluated_and_says_so() -> None:
    model, same = normed(nn.Dropout(0.5)), normed(nn.Dropout(0.5))
    assert as_in_use(model, x()) == (
        "The model is measured in eval mode (BatchNorm1d, Dropout came in train mode), with the "
        "statistics of BatchNorm1d set from the 9 inputs."
    )
    assert not any(module.training for module in model.modules())
    found, expected = model.state_dict(), measure.calibrate(same, x()).state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert as_in_use(model, 3 * x()) == ""  # nothing is left to do
    again = model.state_dict()
    assert all(torch.equal(again[name], expected[name]) for name in expected)


def test_statistics_of_a_checkpoint_stay() -> None:
    model = normed(nn.BatchNorm1d(4))
    set_as_by_a_checkpoint(model[1])
    assert not fresh(model[1])
    assert fresh(model[2])
    assert "BatchNorm1d set from the 9 inputs" in as_in_use(model, x())
    torch.testing.assert_close(model[1].running_mean, torch.full((4,), 0.5).double())
    torch.testing.assert_close(model[1].running_var, torch.full((4,), 2.0).double())
    seen = (model[0](x()) - 0.5) / (2.0 + 1e-5) ** 0.5
    torch.testing.assert_close(model[2].running_mean, seen.mean(0).detach())


class Functional(nn.Module):
    """Its Dropout is no module."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(nn.functional.dropout(x, 0.5, self.training))


SAID: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "no mode": (lambda: nn.Linear(3, 2), ""),
    "no dropout": (lambda: nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.0)), ""),
    "evaluated": (lambda: nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5)).eval(), ""),
    "functional": (Functional, "The model is measured in eval mode (it came in train mode)."),
    "random slopes": (
        lambda: nn.Sequential(nn.Linear(3, 2), nn.RReLU()),
        "The model is measured in eval mode (it came in train mode).",
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_what_is_said(case: str) -> None:
    make_model, sentence = SAID[case]
    torch.manual_seed(0)
    model = make_model().double()
    before, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    assert as_in_use(model, x()) == sentence
    assert not any(module.training for module in model.modules())
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_an_instance_norm_that_keeps_statistics() -> None:
    """In eval mode it uses them; it never counts its batches."""
    torch.manual_seed(1)
    norm = nn.InstanceNorm1d(4, track_running_stats=True).double()
    model = nn.Sequential(nn.Unflatten(1, (4, 5)), norm, nn.Flatten(), nn.Linear(20, 1).double())
    inputs = x(6, 20)
    assert fresh(norm)
    assert "InstanceNorm1d set from the 6 inputs" in as_in_use(model, inputs)
    signals = inputs.view(6, 4, 5)
    torch.testing.assert_close(norm.running_mean, signals.mean(2).mean(0))
    torch.testing.assert_close(norm.running_var, signals.var(2).mean(0))
    assert not fresh(norm)


def test_a_norm_that_runs_twice_averages_over_both_uses() -> None:
    norm = nn.BatchNorm1d(3).double()
    measure.calibrate(nn.Sequential(norm, nn.ReLU(), norm), x())
    second = torch.relu((x() - x().mean(0)) / (x().var(0, unbiased=False) + norm.eps).sqrt())
    assert norm.running_mean is not None
    torch.testing.assert_close(norm.running_mean, (x().mean(0) + second.mean(0)) / 2)


def test_statistics_that_no_input_reaches_stay() -> None:
    """As of a head that runs in training alone."""

    class Headed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.aside = normed(), nn.BatchNorm1d(4).double()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.body(x)

    model = Headed()
    set_as_by_a_checkpoint(model.aside)
    measure.calibrate(model, x())
    torch.testing.assert_close(model.aside.running_mean, torch.full((4,), 0.5).double())


def test_statistics_of_a_checkpoint_are_not_refused() -> None:
    model = normed().eval()
    with pytest.raises(ValueError, match="never updated"):
        measure.kernel(model, x())
    set_as_by_a_checkpoint(model[1])
    mean, variance = torch.full((4,), 0.5).double(), torch.full((4,), 2.0).double()
    norm, last = model[1], model[2]
    assert isinstance(norm, nn.BatchNorm1d)
    assert isinstance(last, nn.Linear)
    hidden = (model[0](x()) - mean) / (variance + norm.eps).sqrt()
    scale = last.weight / (variance + norm.eps).sqrt()
    slopes, plain = (scale @ scale.T).trace(), x() @ x().T + 1
    through = (last.weight**2).sum(0)  # by gamma and beta
    by_norm = (hidden * through) @ hidden.T + through.sum()
    expected = slopes * plain + by_norm + 2 * (hidden @ hidden.T + 1)
    found = measure.kernel(model, x(), outputs="trace")
    torch.testing.assert_close(found, expected.detach(), rtol=1e-10, atol=1e-10)


def test_an_instance_norm_without_statistics_is_refused_in_eval_mode() -> None:
    norm = nn.InstanceNorm1d(4, track_running_stats=True).double()
    model = nn.Sequential(nn.Unflatten(1, (4, 5)), norm, nn.Flatten(), nn.Linear(20, 1).double())
    with pytest.raises(ValueError, match=r"1 \(InstanceNorm1d\) has statistics that were never"):
        measure.kernel(model.eval(), x(6, 20))
    assert measure.kernel(measure.calibrate(model, x(6, 20)), x(6, 20)).shape == (6, 6, 1, 1)


def test_a_norm_that_no_input_reaches_can_be_calibrated_away() -> None:
    """The way out of the refusal is one."""

    class Headed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.aside = normed(), nn.BatchNorm1d(4).double()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.aside(self.body(x)) if self.training else self.body(x)

    model = Headed()
    as_in_use(model, x())
    body = measure.kernel(model.body, x())
    assert torch.equal(measure.kernel(model, x()), body)


def test_a_model_of_several_inputs_is_put_into_use() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.out = nn.BatchNorm1d(3).double(), nn.Linear(3, 1).double()

        def forward(self, one: torch.Tensor, two: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"out": self.out(self.norm(one * two))}

    model = Two()
    batch = {"one": x(), "two": x() + 1}
    said = as_in_use(model, batch, forward=lambda m, b: m(**b)["out"])
    assert "BatchNorm1d set from the 9 inputs" in said
    torch.testing.assert_close(model.norm.running_mean, (x() * (x() + 1)).mean(0))
