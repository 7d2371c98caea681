"""First order where a model cannot be differentiated twice, or is wrong when it is."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

import finitewidth as fw
from finitewidth import measure
from finitewidth.measure import kernel_update, update_ensemble
from finitewidth.measure.update.tangents import Line
from tests.measure.test_update import gradient, off, slope
from tests.measure.zoo import Function, lin

RATE = 1e-3


class Once(torch.autograd.Function):
    """Its backward pass leaves the graph without a word."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        (x,) = ctx.saved_tensors
        return g * x.cos()


class Numpy(torch.autograd.Function):
    """Its backward pass does not run under differentiation."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return torch.from_numpy(np.sin(x.detach().numpy()))

    @staticmethod
    def backward(ctx: Any, g: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        (x,) = ctx.saved_tensors
        return torch.from_numpy(g.numpy() * np.cos(x.numpy()))


class Cosine(torch.autograd.Function):
    """With a derivative that is off by a share."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, share: float) -> torch.Tensor:
        ctx.save_for_backward(x)
        ctx.share = share
        return x.cos()

    @staticmethod
    def backward(ctx: Any, g: torch.Tensor) -> tuple[torch.Tensor, None]:  # type: ignore[override]
        (x,) = ctx.saved_tensors
        return -(1 + ctx.share) * g * x.sin(), None


class Sine(torch.autograd.Function):
    """The right gradient, whose own derivative is off by a share."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, share: float) -> torch.Tensor:
        ctx.save_for_backward(x)
        ctx.share = share
        return x.sin()

    @staticmethod
    def backward(ctx: Any, g: torch.Tensor) -> tuple[torch.Tensor, None]:  # type: ignore[override]
        (x,) = ctx.saved_tensors
        return g * Cosine.apply(x, ctx.share), None


def of(forward: Callable[..., torch.Tensor]) -> Callable[[], nn.Module]:
    return lambda: Function(forward, a=lin(4, 7), b=lin(7, 2))


def scaled(m: Any, x: torch.Tensor) -> torch.Tensor:
    h = m.a(x)
    h.register_hook(lambda gradient: 0.5 * gradient)
    return m.b(torch.tanh(h))


def normalised(m: Any, x: torch.Tensor) -> torch.Tensor:
    h = torch.tanh(m.a(x))
    return m.b(h / h.norm(dim=1, keepdim=True).detach())


def hooked() -> nn.Module:
    model = nn.Sequential(lin(4, 7), nn.Tanh(), lin(7, 2))
    model[1].register_full_backward_hook(lambda module, inner, outer: (0.5 * inner[0],))
    return model


def bag(mode: str, sparse: bool) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(
        nn.EmbeddingBag(9, 4, mode=mode, sparse=sparse), nn.Tanh(), lin(4, 2)
    )


WRONG: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "once differentiable": (of(lambda m, x: m.b(Once.apply(m.a(x)))), r"by \d.* %.*its own \(Once"),
    "NumPy backward": (of(lambda m, x: m.b(Numpy.apply(m.a(x)))), "call numpy"),
    "detached norm": (of(normalised), "a detached tensor, a hook, or an operation"),
    "hook on a tensor": (of(scaled), "a detached tensor, a hook, or an operation"),
    "hook on a module": (hooked, r"its own \(BackwardHookFunction"),
    "bag, sum": (bag("sum", False), "_embedding_bag_backward"),
    "bag, mean, sparse": (bag("mean", True), "_embedding_bag_backward"),
    "bag, max": (bag("max", False), "_embedding_bag_backward"),
}  # fmt: skip


def drawn(build: Callable[[], nn.Module], bags: bool = False) -> tuple[nn.Module, torch.Tensor]:
    torch.manual_seed(3)
    x = torch.randint(9, (5, 3)) if bags else torch.randn(5, 4, dtype=torch.float64)
    return build().double(), x


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
def test_first_order_is_that_of_the_gradients_that_are_used(name):
    """Within 1e-7 of differences of brute-force kernels; differentiating twice is far off."""
    build, words = WRONG[name]
    model, x = drawn(build, bags="bag" in name)
    y = torch.ones(5, 2, dtype=torch.float64)
    found = kernel_update(model, x, y, learning_rate=RATE)
    if "sparse" in name:
        model[0].sparse = False  # type: ignore[index]
    parts = gradient(model, x, lambda output, y: 0.5 * (output - y).square().sum(), y)
    exact = RATE * slope(model, x, parts, 3e-4)
    assert off(found.first_order, exact) < 1e-7
    assert found.first_order_trusted
    assert found.first_order_range is not None
    assert found.first_order_range > 1e-3
    assert found.first_order_note in found.page().lead
    assert re.search(words, found.first_order_note)


@pytest.mark.parametrize("activation", [torch.tanh, torch.relu])
def test_the_smallest_error_that_is_seen(activation, monkeypatch):
    """2e-4 of the change of the gradients; one of 5e-5 is left alone."""
    y, twice = torch.ones(5, 2, dtype=torch.float64), Line.twice
    notes, exact = {}, None
    for share in (0.0, 5e-5, -5e-5, 2e-4, -2e-4):

        def off_by_a_share(line, value, turned, gradient, share=share):
            twice(line, value, turned, gradient)
            turned *= 1 + share

        monkeypatch.setattr(Line, "twice", off_by_a_share)
        model, x = drawn(of(lambda m, x: m.b(activation(m.a(x)))))
        found = kernel_update(model, x, y, learning_rate=RATE, find_range=False)
        notes[share] = found.first_order_note
        exact = found.first_order if exact is None else exact
        assert off(found.first_order, exact) < (1e-7 if notes[share] else 1e-4)
    assert [share for share, note in notes.items() if note] == [2e-4, -2e-4]


def test_a_wrong_second_derivative_of_a_right_gradient():
    def build(share: float) -> Callable[[], nn.Module]:
        return of(lambda m, x: m.b(torch.tanh(Sine.apply(m.a(x), share))))

    y = torch.ones(5, 2)
    exact, found = (
        kernel_update(*drawn(build(share)), y, learning_rate=RATE, find_range=False)
        for share in (0.0, 0.1)
    )
    assert exact.first_order_note == ""
    assert "Sine" in found.first_order_note
    assert off(found.first_order, exact.first_order) < 1e-7


class Attending(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.out = lin(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.layer(x.view(len(x), 2, 8)).mean(1))


def pooled() -> nn.Module:
    return nn.Sequential(
        nn.Unflatten(1, (1, 4, 4)), nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), lin(8, 2),
    )  # fmt: skip


def deep(*between: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        layers = [part for _ in range(4) for part in (lin(16, 16), *(make() for make in between))]
        return nn.Sequential(*layers, lin(16, 2))

    return build


class Square(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x).square()


RIGHT: dict[str, Callable[[], nn.Module]] = {
    "smooth": deep(nn.Tanh),
    "ReLU": deep(nn.ReLU),
    "wide ReLU": lambda: nn.Sequential(
        lin(16, 200), nn.ReLU(), lin(200, 200), nn.ReLU(), lin(200, 2)
    ),
    "squared ReLU": deep(Square),
    "LayerNorm": deep(lambda: nn.LayerNorm(16), nn.ReLU),
    "BatchNorm": deep(lambda: nn.BatchNorm1d(16), nn.ReLU),
    "maxima": pooled,
    "attention": Attending,
    "linear": lambda: lin(16, 2),
}  # fmt: skip


@pytest.mark.parametrize("precision", ["double", "model", "single alone"])
@pytest.mark.parametrize("name", RIGHT)
def test_no_false_alarm(name, precision):
    """Also at inputs of 0, where activations without biases sit exactly at their kinks."""
    torch.manual_seed(5)
    model, x = RIGHT[name](), torch.randn(6, 16)
    if name == "BatchNorm":
        measure.calibrate(model, torch.randn(40, 16))
    model.eval()
    x[3] = 0.0
    with torch.no_grad():
        for each in model.modules():
            if isinstance(each, nn.Linear):
                each.bias.zero_()
    if precision == "single alone":
        one = torch.ones(())
        inner, model = model, Function(lambda m, x: m.inner(x) * m.told(x), inner=model)
        model.told = lambda x: one if x.dtype == torch.float32 else 1 / 0  # type: ignore[assignment]
        assert inner is model.inner
        precision = "double"
    found = kernel_update(
        model, x, torch.zeros(6, 2), learning_rate=RATE, precision=precision, find_range=False
    )
    assert found.first_order_note == ""


def test_a_kink_that_is_exactly_hit_decides_nothing(monkeypatch):
    """The square of a ReLU at 0: differences settle, at half of the one-sided derivative."""
    model = Function(
        lambda m, x: m.b(torch.relu(m.a(x)).square()) + m.c(x),
        a=lin(2, 3),
        b=lin(3, 1),
        c=lin(2, 1),
    ).double()
    with torch.no_grad():
        model.a.bias.fill_(0.1)  # type: ignore[union-attr]
        model.a.weight.fill_(-0.1)  # type: ignore[union-attr]
    x = torch.tensor([[1.0, 0.0], [0.5, 0.2], [0.1, 0.1]], dtype=torch.float64)
    found = kernel_update(model, x, torch.ones(3, 1), learning_rate=RATE, find_range=False)
    assert found.first_order_note == ""
    monkeypatch.setattr(Line, "is_kinked", lambda *_: False)  # the test can fail
    found = kernel_update(model, x, torch.ones(3, 1), learning_rate=RATE, find_range=False)
    assert found.first_order_note != ""


class Noisy(torch.autograd.Function):
    """A gradient without a derivative: no difference agrees with another."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    def backward(ctx: Any, g: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        (x,) = ctx.saved_tensors
        return torch.from_numpy(g.numpy() * (x.cos() + 0.3 * (1e13 * x).sin()).numpy())


def test_where_differences_do_not_settle_nothing_is_claimed():
    def build() -> nn.Module:
        model = Function(lambda m, x: m.b(Noisy.apply(m.a(x))), a=lin(4, 7), b=lin(7, 2)).double()
        model.b.requires_grad_(False)  # type: ignore[union-attr]
        return model

    _, x = drawn(build)
    found = update_ensemble(build, x, torch.ones(5, 2), learning_rate=RATE, seeds=3)
    one = found.updates[0]
    assert not one.first_order_trusted
    assert one.first_order_note.endswith("These do not settle, so it is not to be trusted.")
    for estimate in (found.first_order, found.relative_first_order, found.crossing):
        assert estimate is not None
        assert not estimate.trusted
        assert "do not settle" in estimate.note
    assert found.actual is not None
    assert "do not settle" not in found.actual.note
    rows = str(one.page().terminal())
    assert "real step" in rows
    assert "ΔK/K, pattern frozen" not in rows


def make_once() -> nn.Module:
    return Function(lambda m, x: m.b(Once.apply(m.a(x))), a=lin(4, 7), b=lin(7, 2)).double()


def make_sine() -> nn.Module:
    return Function(lambda m, x: m.b(torch.sin(m.a(x))), a=lin(4, 7), b=lin(7, 2)).double()


def test_every_seed_is_looked_at():
    _, x = drawn(make_sine)
    y = torch.ones(5, 2)
    found, exact = (
        update_ensemble(make, x, y, learning_rate=RATE, seeds=4) for make in (make_once, make_sine)
    )
    assert all("Once" in update.first_order_note for update in found.updates)
    assert exact.first_order_note == ""
    for one, two in zip(found.updates, exact.updates, strict=True):
        assert off(one.first_order, two.first_order) < 1e-7
    checked = [fw.check(make, x, y, learning_rate=RATE, seeds=4) for make in (make_once, make_sine)]
    rows = [[row.measured for row in each.table if row.name == "relative_first_order"] for each in
            checked]  # fmt: skip
    assert rows[0][0].value == pytest.approx(rows[1][0].value, rel=1e-7)


def test_an_input_that_alone_takes_the_wrong_way_is_found_among_four():
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        h = m.a(x)
        return m.b(torch.where(x[:, :1] > 0, Once.apply(h), h.sin()))

    model, x = drawn(of(forward))
    x[:, 0] = torch.tensor([-1.0, -1.0, -1.0, 1.0, -1.0])
    y = torch.ones(5, 2)
    exact = kernel_update(
        drawn(of(lambda m, x: m.b(m.a(x).sin())))[0], x, y, learning_rate=RATE, find_range=False
    )
    found = kernel_update(model, x, y, learning_rate=RATE, find_range=False)
    assert off(found.first_order, exact.first_order) < 1e-7


def test_a_step_of_nothing_needs_no_differences(monkeypatch):
    model, x = drawn(make_once)
    monkeypatch.setattr(Line, "doubt", None)
    found = kernel_update(model, x, model(x).detach(), learning_rate=RATE, find_range=False)
    assert not found.first_order.any()


def test_gradients_of_one_position_and_the_whole_agree():
    """Cross-entropy of a bag of words, with the embedding and the reduction written out."""
    model, x = drawn(bag("mean", False), bags=True)
    written = nn.Sequential(nn.Embedding(9, 4), nn.Tanh(), lin(4, 2)).double()
    written.load_state_dict(model.state_dict())
    classes = torch.tensor([0, 1, 1, 0, 1])
    exact = kernel_update(
        Function(lambda m, x: m.n[2](torch.tanh(m.n[0](x).mean(1))), n=written), x, classes,
        "cross_entropy", learning_rate=RATE, find_range=False,
    )  # fmt: skip
    found = kernel_update(
        model, x, classes, lambda output, y: functional.cross_entropy(output, y, reduction="sum"),
        learning_rate=RATE, find_range=False,
    )  # fmt: skip
    assert exact.first_order_note == ""
    assert off(found.first_order, exact.first_order) < 1e-8
    assert off(found.actual, np.asarray(exact.actual)) < 1e-10
