"""`kernel_update` against brute-force kernels: the pattern frozen by stored masks, and moved."""

from collections.abc import Callable
from copy import deepcopy
from threading import Lock
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from finitewidth.measure import kernel_update
from finitewidth.measure.model.model import Model
from finitewidth.measure.update import crossings, derivative
from tests.measure import brute
from tests.measure.zoo import CASES, Case, Function, lin

pytestmark = [
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths"),
    pytest.mark.filterwarnings("ignore:enable_nested_tensor is True"),
]

TOLERANCE = 1e-8
"""Relative to the largest entry; rounding of the kernels leaves 1e-11."""


class Gate(nn.Module):
    """A ReLU with its mask stored."""

    def __init__(self, masks: list[torch.Tensor]) -> None:
        super().__init__()
        self.masks, self.calls = masks, 0

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return z * self.masks[(self.calls - 1) % len(self.masks)]


def mlp() -> nn.Module:
    return nn.Sequential(lin(4, 12), nn.ReLU(), lin(12, 10), nn.ReLU(inplace=True), lin(10, 3))


def cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 5, 3, stride=2), nn.ReLU(),
        nn.AvgPool2d(2), nn.Flatten(), lin(5, 3),
    )  # fmt: skip


class Block(nn.Module):
    """Attention and a ReLU layer with residuals and norms, like an encoder's."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.one, self.two, self.relu = lin(4, 8), lin(8, 4), nn.ReLU()
        self.norms = nn.ModuleList([nn.LayerNorm(4), nn.LayerNorm(4)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norms[0](x + self.attention(x, x, x, need_weights=False)[0])
        return self.norms[1](x + self.two(self.relu(self.one(x))))


def transformer() -> nn.Module:
    return nn.Sequential(lin(4, 4), Block(), Block(), nn.Flatten(), lin(12, 3))


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "mlp": (mlp, (4,)),
    "cnn": (cnn, (2, 7, 7)),
    "transformer": (transformer, (3, 4)),
}


def cosh(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return torch.cosh(output - y).log().mean()


LOSSES: dict[str, tuple[Any, torch.Tensor, Callable[..., torch.Tensor]]] = {
    "mse": (
        "mse", torch.tensor([[0.3, -0.5, 1.0]]).repeat(5, 1),
        lambda output, y: 0.5 * (output - y).pow(2).sum(),
    ),
    "classes": (
        "cross_entropy", torch.tensor([0, 2, 1, 1, 0]),
        lambda output, y: -(output - output.logsumexp(1, keepdim=True))[range(5), y].sum(),
    ),
    "probabilities": (
        "cross_entropy", torch.tensor([[0.2, 0.3, 0.5]]).repeat(5, 1),
        lambda output, y: -(y * (output - output.logsumexp(1, keepdim=True))).sum(),
    ),
    "own": (cosh, torch.full((5, 3), 0.1), cosh),
}  # fmt: skip


def drawn(name: str) -> tuple[nn.Module, torch.Tensor]:
    build, shape = NETWORKS[name]
    torch.manual_seed(4)
    return build().double(), torch.randn(5, *shape, dtype=torch.float64)


def masked(model: nn.Module, x: torch.Tensor) -> nn.Module:
    """The same network with every ReLU's mask at `x` stored."""
    stored: dict[str, list[torch.Tensor]] = {}

    def watch(name: str) -> Callable[..., None]:
        def keep(_module: nn.Module, inputs: tuple[torch.Tensor, ...], _output: object) -> None:
            stored.setdefault(name, []).append(inputs[0] > 0)

        return keep

    plain = deepcopy(model)
    for name, module in plain.named_modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
            module.register_forward_hook(watch(name))
    plain(x)
    frozen = deepcopy(model)
    for name, masks in stored.items():
        parent, _, child = name.rpartition(".")
        setattr(frozen.get_submodule(parent), child, Gate([mask.double() for mask in masks]))
    return frozen


def gradient(model: nn.Module, x: torch.Tensor, loss: Callable[..., torch.Tensor], y: Any) -> list:
    parameters = [p for p in model.parameters() if p.requires_grad]
    if isinstance(y, torch.Tensor) and y.is_floating_point():
        y = y.double()
    return list(
        torch.autograd.grad(
            loss(model(x), y), parameters, allow_unused=True, materialize_grads=True
        )
    )


def stepped(model: nn.Module, rate: float, descent: list[torch.Tensor]) -> nn.Module:
    moved = deepcopy(model)
    parameters = [p for p in moved.parameters() if p.requires_grad]
    with torch.no_grad():
        for parameter, part in zip(parameters, descent, strict=True):
            parameter -= rate * part
    return moved


def traced(model: nn.Module, x: torch.Tensor) -> np.ndarray:
    return brute.kernel(model, x, outputs="trace").numpy()


def rate_of(descent: list[torch.Tensor], distance: float) -> float:
    size = sum(float(part.square().sum()) for part in descent) ** 0.5
    return distance / max(size, 1e-3)


def slope(
    model: nn.Module, x: torch.Tensor, descent: list[torch.Tensor], distance: float = 3e-3
) -> np.ndarray:
    """dK/dλ by central differences of order 6, up to 3 times a distance in parameter space."""
    h = rate_of(descent, distance)
    found = np.zeros((len(x), len(x)))
    for k, weight in {1: 45.0, 2: -9.0, 3: 1.0}.items():
        ahead, back = (traced(stepped(model, sign * k * h, descent), x) for sign in (1, -1))
        found += weight * (ahead - back) / (60 * h)
    return found


def off(found: np.ndarray | None, expected: np.ndarray) -> float:
    assert found is not None
    return float(np.abs(found - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", NETWORKS)
def test_first_order_and_actual_agree_with_brute_force(name, loss):
    model, x = drawn(name)
    given, y, independent = LOSSES[loss]
    rate = 0.05
    found = kernel_update(model, x, y, given, learning_rate=rate, find_range=False)
    descent = gradient(model, x, independent, y)
    assert off(found.before, traced(model, x)) < TOLERANCE
    assert off(found.first_order, rate * slope(masked(model, x), x, descent)) < TOLERANCE
    actual = traced(stepped(model, rate, descent), x) - traced(model, x)
    assert off(found.actual, actual) < TOLERANCE
    assert off(found.crossing, actual - found.first_order) < 1e-6
    y = y.double() if y.is_floating_point() else y
    assert found.loss_before == pytest.approx(float(independent(model(x), y).detach()))
    after = independent(stepped(model, rate, descent)(x), y)
    assert found.loss_after == pytest.approx(float(after.detach()))
    assert not found.diverged


@pytest.mark.parametrize("name", NETWORKS)
def test_a_wrong_first_order_would_be_seen(name):
    """Sabotage: the other sign, half of the symmetric sum, the pattern free to move."""
    model, x = drawn(name)
    given, y, independent = LOSSES["mse"]
    found = kernel_update(model, x, y, given, learning_rate=1.0, find_range=False).first_order
    exact = slope(masked(model, x), x, gradient(model, x, independent, y))
    assert off(-found, exact) > 1.0
    assert off(found / 2, exact) > 0.4
    step = stepped(model, 0.3, gradient(model, x, independent, y))
    assert off(traced(masked(model, x), x), traced(model, x)) < TOLERANCE
    assert off(traced(step, x) - traced(model, x), 0.3 * exact) > 1e-3


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_zoo_agrees_with_brute_force(case: Case):
    """Differences so narrow that nothing crosses: plain ones are the frozen ones."""
    model, x = case.model(), case.inputs(3)
    y = torch.zeros_like(model(x)).detach()
    found = kernel_update(model, x, y, learning_rate=1e-3, find_range=False)
    descent = gradient(model, x, lambda output, y: 0.5 * (output - y).square().sum(), y)
    exact = 1e-3 * slope(model, x, descent, 3e-5)
    here = crossings.sides(brute.called(model, x))
    for end in (-3, 3):
        there = stepped(model, end * rate_of(descent, 3e-5), descent)
        assert not crossings.crossed(here, crossings.sides(brute.called(there, x))).count
    actual = traced(stepped(model, 1e-3, descent), x) - traced(model, x)
    assert found.actual is not None
    # PyTorch's second derivative of a weight norm lacks the part along the weight, to which every
    # gradient is orthogonal: the kernel's derivative would be right all the same
    by_differences = case in (CASES["embedding bag"], CASES["weight norm"])
    assert bool(found.first_order_note) == by_differences
    if case is CASES["unused parameter"]:  # linear in its parameters
        assert not found.first_order.any()
        assert np.abs(found.actual).max() < 1e-13
        return
    assert off(found.first_order, exact) < 1e-7
    assert off(found.actual, actual) < TOLERANCE


def test_half_the_rate():
    model, x = drawn("mlp")
    given, y, independent = LOSSES["mse"]
    found = kernel_update(model, x, y, given, learning_rate=0.3, find_range=False)
    actual = traced(stepped(model, 0.15, gradient(model, x, independent, y)), x)
    assert off(found.actual_at_half, actual - traced(model, x)) < TOLERANCE


def test_held_out_inputs():
    model, x = drawn("mlp")
    given, y, independent = LOSSES["mse"]
    probe = torch.randn(4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(9))
    found = kernel_update(model, x, y, given, learning_rate=0.05, X_probe=probe)
    descent = gradient(model, x, independent, y)
    assert off(found.first_order, 0.05 * slope(masked(model, probe), probe, descent)) < TOLERANCE
    actual = traced(stepped(model, 0.05, descent), probe) - traced(model, probe)
    assert off(found.actual, actual) < TOLERANCE


def test_relative_changes():
    model, x = drawn("cnn")
    given, y, _ = LOSSES["mse"]
    found = kernel_update(model, x, y, given, learning_rate=0.05, find_range=False)
    assert found.actual is not None
    before, first, actual = found.before, found.first_order, found.actual
    assert found.relative_first_order == pytest.approx(np.trace(first) / np.trace(before))
    assert found.relative_actual == pytest.approx(np.trace(actual) / np.trace(before))
    ratio = np.sqrt((first**2).sum() / (before**2).sum())
    assert found.distance_first_order == pytest.approx(ratio)
    ratio = np.sqrt((actual**2).sum() / (before**2).sum())
    assert found.distance_actual == pytest.approx(ratio)


def smooth() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    torch.manual_seed(2)
    model = nn.Sequential(lin(4, 9), nn.Tanh(), lin(9, 9), nn.GELU(), lin(9, 2)).double()
    return model, torch.randn(5, 4).double(), torch.randn(5, 2).double()


def test_a_smooth_model_approaches_its_first_order_linearly():
    model, x, y = smooth()
    distances = []
    for rate in (2e-4, 1e-4, 5e-5):
        found = kernel_update(model, x, y, learning_rate=rate, find_range=False)
        assert found.crossing is not None
        distances.append(np.linalg.norm(found.crossing) / rate)
        assert found.crossed is None
        assert "no ReLU-like activation" in found.crossed_note
    orders = np.log2(np.array(distances[:-1]) / distances[1:])
    np.testing.assert_allclose(orders, 1.0, atol=0.02)


@pytest.mark.parametrize("start", [1e-4, 0.3])
def test_the_range_of_the_first_order(start):
    """From below and from above: it holds there, and no longer at twice the rate."""
    model, x, y = smooth()
    found = kernel_update(model, x, y, learning_rate=start)
    rate = found.first_order_range
    assert rate is not None
    for factor, inside in {1: True, 2: False}.items():
        there = kernel_update(model, x, y, learning_rate=factor * rate, find_range=False)
        assert there.crossing is not None
        ratio = np.linalg.norm(there.crossing) / np.linalg.norm(there.first_order)
        assert (ratio <= 0.1) == inside


def test_blocks_of_inputs_and_outputs_change_nothing(monkeypatch):
    model, x = drawn("mlp")
    _, y, independent = LOSSES["mse"]
    parameters, descent = list(model.parameters()), gradient(model, x, independent, y)
    direction = [-part for part in descent]
    called = Model(model)
    batch = called.batch(x, "X")
    whole = derivative.directional_derivative(called, direction, batch)
    each = 8 * sum(p.numel() for p in parameters)
    for pairs in (1, 2, 3, 7, 100):
        few = derivative.directional_derivative(called, direction, batch, 5 * each * pairs)
        assert brute.difference(few, whole) < 1e-13
    monkeypatch.setattr(derivative, "CHUNK", 4 * each * len(x))
    again = derivative.directional_derivative(called, direction, batch)
    assert brute.difference(again, whole) < 1e-13
    with pytest.raises(ValueError, match="memory_budget is 100 bytes, but"):
        derivative.directional_derivative(called, direction, batch, 100)


@pytest.mark.parametrize("rate", [1e-3, 0.3])
def test_crossings_of_networks_are_counted(rate):
    for name in NETWORKS:
        model, x = drawn(name)
        given, y, independent = LOSSES["mse"]
        found = kernel_update(model, x, y, given, learning_rate=rate, find_range=False)
        after = stepped(model, rate, gradient(model, x, independent, y))
        gates = [
            [m.masks[0] for m in masked(net, x).modules() if isinstance(m, Gate)]
            for net in (model, after)
        ]
        count = sum(int((one != two).sum()) for one, two in zip(*gates, strict=True))
        assert found.crossed == count
        pairs = sum(mask.numel() for mask in gates[0])
        assert found.pairs == pairs
        assert found.crossed_fraction == count / pairs
        assert count > 0 or rate < 0.1


KINKED: dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], tuple[float, ...]]] = {
    "relu": (functional.relu, (0.0,)),
    "relu in place": (torch.relu_, (0.0,)),
    "leaky relu": (lambda z: functional.leaky_relu(z, 0.1), (0.0,)),
    "leaky relu in place": (lambda z: functional.leaky_relu(z, 0.1, inplace=True), (0.0,)),
    "rrelu": (lambda z: functional.rrelu(z, training=False), (0.0,)),
    "prelu": (lambda z: functional.prelu(z, torch.full((1,), 0.2, dtype=z.dtype)), (0.0,)),
    "threshold": (lambda z: functional.threshold(z, 0.3, 0.3), (0.3,)),
    "threshold in place": (lambda z: functional.threshold(z, 0.3, 0.3, inplace=True), (0.3,)),
    "hardtanh": (functional.hardtanh, (-1.0, 1.0)),
    "relu6 in place": (lambda z: functional.relu6(z, inplace=True), (0.0, 6.0)),
    "clamp": (lambda z: z.clamp(min=0.0), (0.0,)),
    "clamp by a tensor": (lambda z: z.clamp(max=torch.zeros((), dtype=z.dtype)), (0.0,)),
    "maximum": (lambda z: torch.maximum(z, torch.zeros_like(z)), (0.0,)),
    "absolute value": (torch.abs, (0.0,)),
    "selu": (functional.selu, (0.0,)),
    "selu in place": (lambda z: functional.selu(z, inplace=True), (0.0,)),
    "hardswish": (functional.hardswish, (-3.0, 3.0)),
    "softshrink": (lambda z: functional.softshrink(z, 0.2), (-0.2, 0.2)),
}  # fmt: skip


@pytest.mark.parametrize("name", KINKED)
def test_every_activation_with_a_kink_is_counted(name):
    function, bounds = KINKED[name]
    torch.manual_seed(7)
    model = Function(
        lambda m, x: m.b(function(m.a(x) * 1.0)), a=lin(4, 300), b=lin(300, 2)
    ).double()
    x, y = 2 * torch.randn(6, 4).double(), torch.zeros(6, 2)
    found = kernel_update(model, x, y, learning_rate=0.2, find_range=False)
    descent = gradient(model, x, lambda output, y: 0.5 * (output - y).square().sum(), y)
    before, after = (net.a(x) for net in (model, stepped(model, 0.2, descent)))  # type: ignore[operator]
    edges = torch.tensor(bounds, dtype=torch.float64)
    regions = [(z[..., None] > edges).sum(-1) for z in (before, after)]
    count = int((regions[0] != regions[1]).sum())
    assert count > 0
    assert (found.crossed, found.pairs) == (count, 1800)


@pytest.mark.parametrize("function", [functional.elu, functional.celu, functional.gelu])
def test_smooth_activations_are_not_counted(function):
    model = Function(lambda m, x: m.b(function(m.a(x))), a=lin(4, 9), b=lin(9, 2))
    found = kernel_update(model, torch.ones(3, 4), torch.zeros(3, 2), learning_rate=0.1)
    assert found.crossed is None
    assert found.crossed_note == "The model has no ReLU-like activation."


def test_maxima_and_lost_pre_activations_are_named():
    model = nn.Sequential(nn.Conv1d(1, 3, 2), nn.MaxPool1d(2), nn.Flatten(), lin(6, 1))
    found = kernel_update(model, torch.randn(3, 1, 6), torch.zeros(3), learning_rate=0.1)
    assert "maximum" in found.crossed_note


def bits(model: nn.Module) -> list[Any]:
    tensors = [*model.state_dict().values(), *[p.grad for p in model.parameters()]]
    return [None if t is None else t.clone() for t in tensors]


def same(one: list[Any], two: list[Any]) -> bool:
    return all(a is b is None or torch.equal(a, b) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("copies", [True, False])
@pytest.mark.parametrize("rate", [0.1, 1e30])
def test_the_model_is_left_as_it_was(copies, rate):
    torch.manual_seed(0)
    norm = nn.BatchNorm1d(6)
    model = nn.Sequential(lin(4, 6), norm, nn.ReLU(inplace=True), nn.Dropout(0.5), lin(6, 2))
    model(torch.randn(9, 4)).sum().backward()
    model.eval()
    model[0].train()
    model[4].weight.requires_grad_(False)
    if not copies:
        model.lock = Lock()  # type: ignore[assignment]
    before, state = bits(model), torch.random.get_rng_state()
    flags = [(m.training, len(m._forward_hooks)) for m in model.modules()]
    wanted = [p.requires_grad for p in model.parameters()]
    found = kernel_update(model, torch.randn(5, 4), torch.zeros(5, 2), learning_rate=rate)
    torch.random.set_rng_state(state)
    kernel_update(model, torch.ones(5, 4), torch.zeros(5, 2), learning_rate=rate)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert same(bits(model), before)
    assert [(m.training, len(m._forward_hooks)) for m in model.modules()] == flags
    assert [p.requires_grad for p in model.parameters()] == wanted
    assert found.precision == "float64"
    assert found.notes == ()


def test_the_step_is_taken_in_float64():
    model, x = drawn("mlp")
    narrow, y = model.float(), LOSSES["mse"][1]
    wide = deepcopy(narrow).double()
    exact = kernel_update(wide, x, y, learning_rate=1e-6, find_range=False)
    assert exact.actual is not None
    found = kernel_update(narrow, x, y, learning_rate=1e-6, find_range=False)
    assert found.precision == "float64"
    assert off(found.actual, exact.actual) < 1e-12
    rough = kernel_update(narrow, x, y, learning_rate=1e-6, precision="model", find_range=False)
    assert rough.precision == "float32"
    assert off(rough.actual, exact.actual) > 1e-3
    assert off(rough.first_order, exact.first_order) < 1e-4


def test_a_model_that_does_not_run_in_float64():
    constant = torch.eye(3)
    model = Function(lambda m, x: m.b(torch.relu(m.a(x) @ constant)), a=lin(4, 3), b=lin(3, 1))
    found = kernel_update(model, torch.ones(2, 4), torch.zeros(2), learning_rate=0.1)
    assert found.precision == "float32"
    assert "does not run in float64" in found.notes[0]
    assert found.actual is not None


def test_frozen_parameters_stay_frozen():
    model, x = drawn("mlp")
    model[2].requires_grad_(False)  # type: ignore[index]
    given, y, independent = LOSSES["mse"]
    found = kernel_update(model, x, y, given, learning_rate=0.05, find_range=False)
    descent = gradient(model, x, independent, y)
    assert len(descent) == 4
    assert off(found.first_order, 0.05 * slope(masked(model, x), x, descent)) < TOLERANCE
    actual = traced(stepped(model, 0.05, descent), x) - traced(model, x)
    assert off(found.actual, actual) < TOLERANCE


def test_a_step_that_diverges_is_a_verdict():
    model, x, y = smooth()
    small = kernel_update(model, x, y, learning_rate=1e-3, find_range=False)
    assert not small.diverged
    large = kernel_update(model, x, y, learning_rate=10.0, find_range=False)
    assert large.diverged
    assert large.loss_after is not None
    assert large.actual is not None
    linear = nn.Linear(1, 1, bias=False).double()
    with torch.no_grad():
        linear.weight.fill_(1.0)
    for rate, diverged in {1.9: False, 3.9: False, 4.1: True}.items():  # curvature 1: 4/λ
        found = kernel_update(linear, [[1.0]], [[0.0]], learning_rate=rate)
        assert found.diverged == diverged
    deep = nn.Sequential(*[lin(4, 4) for _ in range(6)], lin(4, 1)).double()
    beyond = kernel_update(deep, torch.ones(2, 4), torch.ones(2), learning_rate=1e100)
    assert beyond.diverged
    assert beyond.actual is beyond.crossing is beyond.relative_actual is None
    assert beyond.loss_after is None


def test_at_a_minimum_nothing_moves():
    model, x, _ = smooth()
    found = kernel_update(model, x, model(x).detach(), learning_rate=0.1)
    assert not found.first_order.any()
    assert not found.diverged
    assert found.first_order_range is None
    assert "first order is 0" in found.range_note


BAD: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "loss": ({"loss": "l1"}, ValueError, "loss is 'l1', expected 'mse'"),
    "no loss": ({"loss": 3}, TypeError, "loss is int"),
    "shape": ({"y": torch.zeros(5)}, ValueError, r"y has shape \[5\].*\[5, 3\]"),
    "broadcast": ({"y": torch.zeros(5, 1)}, ValueError, "one target for every output"),
    "text": ({"y": "a"}, TypeError, "y is str"),
    "nan": ({"y": torch.full((5, 3), torch.nan)}, ValueError, "y holds nan"),
    "complex": ({"y": torch.zeros(5, 3) * 1j}, ValueError, "complex64"),
    "float classes": (
        {"loss": "cross_entropy", "y": torch.zeros(5)}, ValueError, "expected whole class numbers"
    ),
    "one-hot": (
        {"loss": "cross_entropy", "y": torch.eye(5).long()[:, :3]}, ValueError,
        "probabilities are floats",
    ),
    "class 3": (
        {"loss": "cross_entropy", "y": torch.full((5,), 3)}, ValueError, r"expected 0 … 2"
    ),
    "booleans": (
        {"loss": "cross_entropy", "y": torch.ones(5, dtype=torch.bool)}, TypeError, "torch.bool"
    ),
    "sums": (
        {"loss": "cross_entropy", "y": torch.ones(5, 3)}, ValueError, "holds no probabilities"
    ),
    "batch": ({"loss": "cross_entropy", "y": torch.zeros(4).long()}, ValueError, r"\[5\]"),
    "one output": (
        {"loss": "cross_entropy", "y": torch.zeros(5).long(), "model": lin(4, 1)}, ValueError,
        "at least 2 outputs",
    ),
    "vector": (
        {"loss": lambda output, y: (output - y).square()}, ValueError, "expected one real number"
    ),
    "number": ({"loss": lambda output, y: 3.0}, TypeError, "returns a float"),
    "detached": (
        {"loss": lambda output, y: output.detach().sum()}, ValueError, "does not depend on"
    ),
    "infinite": (
        {"loss": lambda output, y: (output / 0).abs().sum()}, ValueError, "before the step is inf"
    ),
    "broken": (
        {"loss": lambda output, y: output @ torch.ones(7).to(output)}, ValueError,
        "the loss cannot take",
    ),
    "rate": ({"learning_rate": 0.0}, ValueError, "learning_rate is 0.0, expected a number above"),
    "infinite rate": ({"learning_rate": float("inf")}, ValueError, "rate is inf, expected"),
    "huge rate": ({"learning_rate": 1e200}, ValueError, r"goes beyond 1e\+150; use a smaller"),
    "no rate": ({"learning_rate": None}, TypeError, "learning_rate is NoneType"),
    "precision": ({"precision": "half"}, ValueError, "expected 'double' or 'model'"),
    "tolerance": ({"tolerance": 1.0}, ValueError, "tolerance is 1.0"),
    "probe": ({"X_probe": torch.full((2, 4), torch.nan)}, ValueError, "X_probe holds nan"),
    "X": ({"X": torch.zeros(5, 7)}, ValueError, "cannot take an input of shape"),
    "model": ({"model": nn.Tanh()}, ValueError, "no parameter"),
    "train mode": ({"model": nn.Sequential(lin(4, 3), nn.Dropout())}, ValueError, "train mode"),
    "coupled": (
        {"model": Function(lambda m, x: m.a(x - x.mean(0)), a=lin(4, 3))}, ValueError,
        "depend on the other inputs",
    ),
    "budget": ({"memory_budget": 100}, ValueError, "memory_budget is 100"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_sentence(case, unchecked):
    changes, error, words = BAD[case]
    given = {
        "model": nn.Sequential(lin(4, 6), nn.ReLU(), lin(6, 3)), "X": torch.randn(5, 4),
        "y": torch.zeros(5, 3), "learning_rate": 0.1, **changes,
    }  # fmt: skip
    with pytest.raises(error, match=words) as caught:
        kernel_update(**given)  # type: ignore[arg-type]
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert ". " not in sentence.replace("fw.", "")
    assert "\n" not in sentence
