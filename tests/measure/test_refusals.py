"""What is refused, each with one sentence that says what to do instead."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from finitewidth import measure
from finitewidth.measure import calibrate, kernel
from tests.measure.zoo import Function, lin, weights


def x(*shape: int) -> torch.Tensor:
    return torch.randn(shape or (5, 4), generator=torch.Generator().manual_seed(1))


def refused(
    *said: str, model: nn.Module, inputs: object = None, error: type = ValueError, **more: object
) -> None:
    """One sentence, with every word of `said` in it."""
    with pytest.raises(error) as caught:
        kernel(model, x() if inputs is None else inputs, **more)  # type: ignore[arg-type]
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert ". " not in sentence.replace("fw.", "")
    for word in said:
        assert word in sentence


def test_what_is_refused_here_is_measured_otherwise():
    """The inputs and the layer of this page are fine by themselves."""
    assert kernel(lin(4, 2), x()).shape == (5, 5, 2, 2)


def test_no_module(unchecked):
    refused("function", "torch.nn.Module", model=torch.tanh, error=TypeError)  # type: ignore[arg-type]


def test_no_parameters():
    refused("no parameter", "requires_grad_(True)", model=nn.Tanh())


def test_all_frozen():
    refused("no parameter", "requires_grad_(True)", model=lin(4, 2).requires_grad_(False))


def test_output_that_does_not_depend_on_the_trained_parameters():
    model = Function(lambda m, x: m.a(x), a=lin(4, 2).requires_grad_(False), b=lin(1, 1))
    refused("does not depend", "trained parameters", model=model)


RETURNED: dict[str, Callable[[torch.Tensor], object]] = {
    "dict": lambda y: {"logits": y},
    "tuple": lambda y: (y, y),
    "list": lambda y: [y],
    "NoneType": lambda y: None,
}


@pytest.mark.parametrize("name", RETURNED)
def test_output_that_is_no_tensor(name):
    model = Function(lambda m, x: RETURNED[name](m.a(x)), a=lin(4, 2))  # type: ignore[arg-type]
    refused(name, "one tensor", "wrap", model=model, error=TypeError)


OUTPUTS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "a number": torch.sum,
    "the batch last": torch.t,
    "half the batch": lambda y: y[::2],
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_output_without_the_batch_first(name):
    model = Function(lambda m, x: OUTPUTS[name](m.a(x)), a=lin(4, 3))
    refused("the batch first", "output has shape", model=model)


def test_integers_for_a_model_that_does_not_embed():
    refused("int64", "convert them to floats", model=lin(4, 2), inputs=torch.ones(5, 4).long())


def test_inputs_of_another_size():
    refused("[2, 3]", "float32", model=lin(4, 2), inputs=x(5, 3))


def test_complex_inputs():
    refused("complex64", "real", model=lin(4, 2), inputs=x().to(torch.complex64))


def test_complex_parameters():
    refused("weight", "complex64", "real", model=nn.Linear(4, 2, dtype=torch.complex64))


def test_complex_output():
    model = Function(lambda m, x: torch.complex(m.a(x), m.a(x)), a=lin(4, 2))
    refused("complex64", "real", model=model)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_inputs_that_are_not_finite(value):
    bad = x()
    bad[3, 1] = value
    refused("X", "finite", model=lin(4, 2), inputs=bad)
    refused("X2", "finite", model=lin(4, 2), X2=bad)


class Root(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sqrt(x - 100.0)


def test_nan_in_the_forward_pass_names_the_module():
    model = nn.Sequential(lin(4, 4), nn.Sequential(nn.Tanh(), Root()), lin(4, 2))
    refused("nan", "1.1 (Root)", model=model)


def test_nan_for_a_later_input_alone_names_the_module():
    far = x()
    far[4] += 1e4
    model = nn.Sequential(Function(lambda m, x: torch.exp(x)), lin(4, 2))
    refused("0 (Function)", model=model, inputs=far)


@pytest.mark.parametrize("norm", [nn.BatchNorm1d(3), nn.BatchNorm1d(3, affine=False)])
def test_batchnorm_in_train_mode(norm):
    model = nn.Sequential(lin(4, 3), norm.train(), lin(3, 1))
    refused("1 (BatchNorm1d)", "train mode", "fw.measure.calibrate(model, X)", model=model)
    assert kernel(calibrate(model, x()), x()).shape == (5, 5, 1, 1)  # the way out works


def test_batchnorm_that_was_never_updated():
    model = nn.Sequential(lin(4, 3), nn.BatchNorm1d(3), lin(3, 1)).eval()
    refused("1 (BatchNorm1d)", "never updated", "fw.measure.calibrate(model, X)", model=model)
    assert kernel(calibrate(model, x()), x()).shape == (5, 5, 1, 1)


def test_batchnorm_without_statistics():
    """The way out must be one: calibrate has nothing to set here."""
    model = nn.Sequential(lin(4, 3), nn.BatchNorm1d(3, track_running_stats=False)).eval()
    refused("1 (BatchNorm1d)", "track_running_stats", model=model)


@pytest.mark.parametrize("layer", [nn.Dropout(0.5), nn.AlphaDropout(0.1)])
def test_dropout_in_train_mode(layer):
    model = nn.Sequential(lin(4, 3), layer.train(), lin(3, 1))
    refused("1 (", "Dropout)", "model.eval()", model=model)
    assert kernel(model.eval(), x()).shape == (5, 5, 1, 1)


def test_dropout_of_probability_0_is_not_random():
    kernel(nn.Sequential(lin(4, 3), nn.Dropout(0.0)).train(), x())


def test_random_model_in_eval_mode():
    model = Function(lambda m, x: m.a(x) + torch.rand(()), a=lin(4, 2)).eval()
    refused("two different answers", "eval mode", model=model)


def test_model_that_changes_as_it_runs():
    class Moving(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lin = lin(4, 2)
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            return self.calls * self.lin(x)

    model = Moving()
    refused("two different answers", model=model)
    assert model.calls == 0


COUPLED: dict[str, Callable[[Any, torch.Tensor], torch.Tensor]] = {
    "input": lambda m, x: m.b(torch.tanh(m.a(x - x.mean(0)))),
    "hidden": lambda m, x: m.b(torch.tanh(m.a(x)) - torch.tanh(m.a(x)).mean(0)),
    "output": lambda m, x: m.b(m.a(x)) - m.b(m.a(x)).mean(0),
    "scale of the output": lambda m, x: m.b(m.a(x)) / x.norm(),
    "softmax over the batch": lambda m, x: m.b(m.a(x)).softmax(0),
    "neighbour": lambda m, x: m.b(m.a(x)) + m.b(m.a(x.roll(1, 0))),
    "order": lambda m, x: m.b(m.a(x)).flip(0),
    "bilinear": lambda m, x: m.two(x, x) - m.two(x, x).mean(0),
}


@pytest.mark.parametrize("count", [2, 5, 32])
@pytest.mark.parametrize("name", COUPLED)
def test_batch_coupled_model(name, count):
    parts = (
        {"two": nn.Bilinear(4, 4, 2)} if name == "bilinear" else {"a": lin(4, 3), "b": lin(3, 2)}
    )
    model = Function(COUPLED[name], **parts)
    refused("depend on the other inputs", model=model, inputs=x(count, 4))


def test_budget_too_small_says_the_least():
    model, inputs = nn.Sequential(lin(4, 8), nn.Tanh(), lin(8, 2)), x()
    refused("memory_budget is 100", "give at least", model=model, memory_budget=100)
    with pytest.raises(ValueError, match="memory_budget") as caught:
        kernel(model, inputs, memory_budget=100)
    number, unit = str(caught.value).split(" take ")[1].split(";")[0].split()
    factor = {"bytes": 1, "B": 1, "kB": 1e3, "KB": 1e3, "KiB": 2**10, "MB": 1e6}[unit]
    least = int(float(number) * factor * 1.01) + 1  # the number is rounded
    assert kernel(model, inputs, memory_budget=least).shape == (5, 5, 2, 2)


@pytest.mark.parametrize("outputs", ["none", "", -1, True, 2.0, None])
def test_outputs_that_mean_nothing(outputs, unchecked):
    refused(repr(outputs), "'all', 'trace', 'sum'", model=lin(4, 2), outputs=outputs)


def test_an_output_that_does_not_exist():
    refused("outputs is 2", "2 outputs", model=lin(4, 2), outputs=2)


def test_second_inputs_of_another_shape():
    refused("X2", "[3, 7]", model=lin(4, 2), X2=x(3, 7))


def test_second_inputs_of_another_length_of_sequence():
    """A model that takes any length: its outputs are then not the same outputs."""
    model = nn.Sequential(nn.Conv1d(2, 1, 2), nn.Tanh())
    refused("X2", model=model, inputs=x(3, 2, 5), X2=x(3, 2, 6))


@pytest.mark.parametrize("name", ["X", "X2"])
@pytest.mark.parametrize("empty", [torch.zeros(0, 4), torch.zeros(())])
def test_empty_batch(name, empty):
    given = {"inputs": empty} if name == "X" else {"X2": empty}
    refused(name, "at least one input", model=lin(4, 2), **given)


@pytest.mark.parametrize("given", ["text", None, object()])
def test_no_numbers(given):
    with pytest.raises(TypeError, match=r"expected a tensor or an array\.$"):
        kernel(lin(4, 2), given)


def test_another_device():
    refused("meta", "move", model=lin(4, 2), inputs=torch.zeros(3, 4, device="meta"))


def test_embedding_that_rewrites_its_weights():
    """max_norm rescales rows in the forward pass: the model must not change, or be refused."""
    model = nn.Embedding(4, 3, max_norm=0.5)
    before = model.weight.detach().clone()
    try:
        kernel(model, torch.arange(4))
    except ValueError as error:
        assert "max_norm" in str(error)  # noqa: PT017
    assert torch.equal(model.weight, before)


def test_calibrate_without_batchnorm():
    with pytest.raises(ValueError, match="no BatchNorm") as caught:
        calibrate(lin(4, 2), x())
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("count", [1, 0])
def test_calibrate_with_too_little(count):
    model = nn.Sequential(lin(4, 3), nn.BatchNorm1d(3))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ValueError, match=r"at least|input"):
        calibrate(model, x(count, 4))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    with pytest.raises(ValueError, match="batch_size is 1, expected at least 2"):
        calibrate(model, x(), batch_size=1)


def test_a_refused_model_is_left_as_it_was():
    model = Function(lambda m, x: torch.sqrt(m.a(x) - 100 * m.g), a=lin(4, 2), g=weights(1))
    with torch.no_grad():
        next(p for name, p in model.named_parameters() if name == "g").fill_(1.0)
    refused("finite", model=model)
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert not any(m._forward_hooks for m in model.modules())


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors:UserWarning")
def test_outputs_of_size_0_are_one_sentence() -> None:
    def make() -> nn.Module:
        return nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 0))

    X, y = torch.ones(2, 3), torch.zeros(2, 0)
    for call in (
        lambda: measure.kernel(make(), X),
        lambda: measure.ensemble(make, X, 2),
        lambda: measure.kernel_update(make(), X, y, learning_rate=0.1),
        lambda: measure.KernelOperator(make(), X),
        lambda: measure.update_ensemble(make, X, y, seeds=2, learning_rate=0.1),
    ):
        with pytest.raises(ValueError, match=r"\[2, 0\], expected at least one number"):
            call()
