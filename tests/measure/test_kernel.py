"""`kernel` against brute-force Jacobians, on the zoo."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from finitewidth.measure import kernel
from finitewidth.measure.kernel import blocks, operations
from finitewidth.measure.kernel import contract as contractions
from finitewidth.measure.kernel import features as extraction
from finitewidth.measure.kernel.operations.rows import Entry, FullRows
from tests.measure import brute
from tests.measure.zoo import CASES, Case, Function, lin, weights

pytestmark = [
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths"),
    pytest.mark.filterwarnings("ignore:enable_nested_tensor is True"),
]

TOLERANCE = 1e-10
"""Relative to the largest entry; float64 rounding leaves 1e-15."""

everywhere = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def check(case: Case) -> None:
    """All outputs of five inputs, a number of rows that differs from every other size."""
    model, x = case.model(), case.inputs(5)
    assert brute.difference(kernel(model, x), brute.kernel(model, x)) < TOLERANCE


@everywhere
def test_the_zoo_agrees_with_brute_force(case):
    check(case)


@everywhere
@pytest.mark.parametrize("outputs", ["trace", "sum", 0])
def test_selected_outputs_agree(case, outputs):
    model, x, x2 = case.model(), case.inputs(3), case.inputs(2, seed=9)
    found = kernel(model, x, x2, outputs=outputs)
    assert brute.difference(found, brute.kernel(model, x, x2, outputs)) < TOLERANCE


@everywhere
def test_two_batches_in_blocks_of_one_input_agree(case):
    model, x, x2 = case.model(), case.inputs(3), case.inputs(4, seed=9)
    least = _least_budget(model, x)
    expected = brute.kernel(model, x, x2)
    assert brute.difference(kernel(model, x, x2, memory_budget=least), expected) < TOLERANCE


@everywhere
def test_every_parameter_takes_the_expected_way(case):
    """No silent fallback: what is contracted, what is not, and what has no part."""
    model, x = case.model(), case.inputs(3)
    named = {p: name for name, p in model.named_parameters() if p.requires_grad}
    probe = torch.Generator().manual_seed(0)
    found = extraction.features(brute.called(model, x), list(named), probe)
    contracted = {named[p] for p in named if p in found.contracted}
    assert {named[p] for p in found.factors} - contracted == case.fallback
    assert set(named.values()) - {named[p] for p in found.factors} == case.unused


def _least_budget(model: nn.Module, x: torch.Tensor) -> int:
    """Bytes for one input at a time: the smallest power of 2 that is not refused."""
    for power in range(6, 40):
        try:
            kernel(model, x[:2], memory_budget=2**power)
        except ValueError as error:
            assert "memory_budget" in str(error)  # noqa: PT017
        else:
            return 2**power
    raise AssertionError("every budget is refused")


@pytest.mark.parametrize("inputs", [1, 2, 3, 7])
def test_blocks_change_nothing_but_rounding(monkeypatch, inputs):
    case = CASES["mlp, relu in place"]
    model, x = case.model(), case.inputs(7)
    whole = kernel(model, x)
    seen: list[int] = []
    real = blocks.Blocks._features
    monkeypatch.setattr(
        blocks.Blocks, "_features", lambda self, few: seen.append(len(few)) or real(self, few)
    )
    blocked = None
    for power in range(80, 160):  # from budgets too small upwards
        seen.clear()
        try:
            blocked = kernel(model, x, memory_budget=int(2 ** (power / 8)))
        except ValueError:
            continue
        if max(seen) >= inputs:
            break
    assert max(seen) == inputs
    assert blocked is not None
    assert brute.difference(blocked, whole) < 1e-14
    assert torch.equal(blocked, blocked.permute(1, 0, 3, 2))


def test_accumulate_in_float64():
    case = CASES["conv2d"]
    narrow, x = case.model(torch.float32), case.inputs(6).float()
    wide = kernel(narrow, x, accumulate=torch.float64)
    assert wide.dtype == torch.float64
    assert kernel(narrow, x).dtype == torch.float32
    # The gradients themselves are rounded, so that both are within float32 of the exact kernel.
    exact = brute.kernel(narrow.double(), x.double())
    assert brute.difference(wide, exact) < 1e-5


def test_accumulation_in_float64_keeps_a_small_difference():
    """One gradient of 4096 and 2¹⁶ of 1: their squares add up to 2²⁴ + 2¹⁶, beyond float32."""
    model = nn.Linear(2**16, 1, bias=False)
    x = torch.ones(1, 2**16)
    x[0, 0] = 4096.0
    exact = 2.0**24 + 2.0**16 - 1.0
    assert kernel(model, x, accumulate=torch.float64).item() == exact
    assert float(torch.tensor(exact, dtype=torch.float32)) != exact


@everywhere
def test_symmetric_and_positive_semidefinite(case):
    model, x = case.model(), case.inputs(4)
    full = kernel(model, x)
    assert torch.equal(full, full.permute(1, 0, 3, 2))
    assert not full.requires_grad
    size = full.shape[0] * full.shape[2]
    matrix = full.permute(0, 2, 1, 3).reshape(size, size)
    values = torch.linalg.eigvalsh(matrix)
    assert values[0] > -1e-12 * values[-1]
    traced = kernel(model, x, outputs="trace")
    assert torch.equal(traced, traced.T)


@everywhere
def test_the_model_is_left_as_it_was(case):
    model, x = case.model(), case.inputs(3)
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, 7.0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    flags = {name: p.requires_grad for name, p in model.named_parameters()}
    modes = [m.training for m in model.modules()]
    kernel(model, x, outputs="trace")
    after = model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert {name: p.requires_grad for name, p in model.named_parameters()} == flags
    assert [m.training for m in model.modules()] == modes
    for parameter in model.parameters():
        assert parameter.grad is not None
        assert torch.equal(parameter.grad, torch.full_like(parameter, 7.0))


def test_buffers_that_count_calls_are_restored():
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lin = nn.Linear(3, 2)
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            return self.lin(x)

    model = Counting()
    kernel(model, torch.randn(4, 3))
    assert model.calls == 0


def test_gradients_may_be_off_around_the_call():
    case = CASES["conv1d"]
    model, x = case.model(), case.inputs(3)
    with torch.no_grad():
        found = kernel(model, x)
    assert brute.difference(found, brute.kernel(model, x)) < TOLERANCE


def test_numpy_inputs_in_another_precision():
    case = CASES["mlp, relu in place"]
    model, x = case.model(), case.inputs(3).float()
    assert torch.equal(kernel(model, x.numpy()), kernel(model, x.double()))


@pytest.mark.parametrize("count", [1, 2, 31])
def test_any_number_of_inputs(count):
    case = CASES["attention, sequence first"]
    model, x = case.model(), case.inputs(count)
    assert brute.difference(kernel(model, x), brute.kernel(model, x)) < TOLERANCE


def test_equal_inputs_are_kept_apart():
    case = CASES["conv2d"]
    model, x = case.model(), case.inputs(1).repeat(4, 1, 1, 1)
    assert brute.difference(kernel(model, x), brute.kernel(model, x)) < TOLERANCE


@pytest.mark.parametrize("trace", [True, False])
def test_both_orders_of_contraction_agree(monkeypatch, trace):
    for name in ("conv2d", "encoder, batch first", "tied embedding", "shared linear"):
        model, x = CASES[name].model(), CASES[name].inputs(4)
        found = []
        for costs in ((0.0, 1.0), (1.0, 0.0)):
            monkeypatch.setattr(contractions, "costs", lambda *_a, costs=costs, **_k: costs)
            found.append(kernel(model, x, outputs="trace" if trace else "all"))
        assert brute.difference(found[0], found[1]) < 1e-13
        monkeypatch.setattr(contractions, "_PRODUCTS", 1)  # one input at a time
        monkeypatch.setattr(contractions, "costs", lambda *_a, **_k: (0.0, 1.0))
        pieces = kernel(model, x, outputs="trace" if trace else "all")
        assert brute.difference(pieces, found[0]) < 1e-13
        monkeypatch.undo()


# What shares an operation between inputs is not batch-coupled.


def _gain(m: Any, x: torch.Tensor) -> torch.Tensor:
    return m.lin(x) * (m.a * m.b)


def _offset(m: Any, x: torch.Tensor) -> torch.Tensor:
    return m.lin(x) * (m.a + m.b)


def _query(m: Any, x: torch.Tensor) -> torch.Tensor:
    return torch.tanh(m.lin(x) * m.score(m.query))


SHARED: dict[str, Callable[[], nn.Module]] = {
    "product of gains": lambda: Function(_gain, lin=lin(3, 2), a=weights(1), b=weights(1)),
    "sum of gains": lambda: Function(_offset, lin=lin(3, 2), a=weights(1), b=weights(1)),
    "score of a query": lambda: Function(
        _query, lin=lin(3, 2), query=weights(1, 4), score=lin(4, 1)
    ),
    "score of two queries": lambda: Function(
        _query, lin=lin(3, 2), query=weights(1, 4), score=lin(4, 2)
    ),
}


@pytest.mark.parametrize("build", SHARED.values(), ids=SHARED.keys())
def test_operations_without_a_batch_are_exact(build):
    """Forty draws: a rule that is right by luck in one of two draws passes once in 10¹²."""
    for seed in range(40):
        torch.manual_seed(seed)
        model, x = build().double(), torch.randn(3, 3, dtype=torch.float64)
        assert brute.difference(kernel(model, x), brute.kernel(model, x)) < TOLERANCE


def test_blocks_that_share_no_parameter():
    case = CASES["routed rows"]
    model = Function(
        lambda m, x: m.right(x) if bool((x[:, 0] > 0).all()) else m.left(x),
        right=lin(3, 2), left=lin(3, 2),
    ).double()  # fmt: skip
    x = case.inputs(1).abs()
    assert torch.equal(kernel(model, x, -x), torch.zeros(1, 1, 2, 2, dtype=torch.float64))


def test_an_output_with_an_undefined_gradient():
    class Straight(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
            return a + b

        @staticmethod
        def backward(ctx: object, *above: torch.Tensor) -> tuple[torch.Tensor, None]:
            return above[0], None

    model = Function(lambda m, x: Straight.apply(m.a(x), m.b(x)), a=lin(3, 2), b=lin(3, 2)).double()
    x = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert brute.difference(kernel(model, x), brute.kernel(model, x)) < TOLERANCE


# Gradients that are 0 but for rounding belong to no input, and narrow numbers to the right one.

NOISY: dict[str, tuple[Callable[[], nn.Module], str, int, int]] = {
    "sum of a softmax": (
        lambda: nn.Sequential(lin(3, 4), nn.ReLU(), lin(4, 5), nn.Softmax(1)), "sum", 3, 40
    ),
    "norm of single elements": (
        lambda: Function(
            lambda m, x: m.b(m.norm(m.a(x)[..., None])[..., 0]),
            a=lin(3, 4), norm=nn.LayerNorm(1), b=lin(4, 2),
        ),
        "all", 3, 40,
    ),
    "attention to one position": (
        lambda: Function(
            lambda m, x: m.attention(x[:, None], x[:, None], x[:, None])[0][:, 0],
            attention=nn.MultiheadAttention(4, 2, batch_first=True),
        ),
        "all", 4, 9,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("build", "outputs", "size", "count"), NOISY.values(), ids=NOISY.keys())
def test_gradients_of_rounding_are_no_coupling(build, outputs, size, count):
    torch.manual_seed(1)
    model, x = build().double(), torch.randn(count, size, dtype=torch.float64)
    found, exact = kernel(model, x, outputs=outputs), brute.kernel(model, x, None, outputs)
    scale = max(1.0, float(exact.detach().abs().max()))
    assert float((found - exact).abs().max()) < TOLERANCE * scale


NARROW: dict[str, tuple[Callable[[], nn.Module], int, int]] = {
    "deep layer norm": (
        lambda: nn.Sequential(
            *[part for _ in range(12) for part in (lin(64, 64), nn.LayerNorm(64), nn.ReLU())],
            lin(64, 10),
        ),
        64, 256,
    ),
    "gain of one number": (
        lambda: Function(
            lambda m, x: m.b(torch.tanh(m.gain * torch.tanh(m.a(x)))),
            a=lin(20, 256), gain=weights(), b=lin(256, 3),
        ),
        20, 512,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("build", "size", "count"), NARROW.values(), ids=NARROW.keys())
def test_many_inputs_in_float32(build, size, count):
    torch.manual_seed(1)
    model, x = build(), torch.randn(count, size)
    found = kernel(model, x, outputs="trace", accumulate=torch.float64)
    exact = kernel(model.double(), x.double(), outputs="trace")
    assert brute.difference(found, exact) < 1e-4


# Negative controls: a wrong rule is seen.

RULES = {
    "AddmmBackward0": "mlp, relu in place",
    "MmBackward0": "bare parameters",
    "ConvolutionBackward0": "conv2d",
    "NativeLayerNormBackward0": "layer norm",
    "NativeGroupNormBackward0": "group norm",
    "NativeBatchNormBackward0": "batchnorm1d",
    "EmbeddingBackward0": "embedding with padding",
    "AddBackward0": "bare parameters",
    "MulBackward0": "bare parameters",
}


def test_every_rule_has_a_control():
    assert RULES.keys() == operations.OPERATIONS.keys()


@pytest.mark.parametrize(("operation", "name"), RULES.items())
def test_a_rule_wrong_by_one_percent_is_seen(monkeypatch, operation, name):
    check(CASES[name])
    entry = operations.OPERATIONS[operation]

    def wrong(*given: object) -> object:
        rows = entry.rows(*given)  # type: ignore[arg-type]
        return None if rows is None else rows.scaled(1.01)

    monkeypatch.setitem(operations.OPERATIONS, operation, replace(entry, rows=wrong))
    with pytest.raises(AssertionError):
        check(CASES[name])


@pytest.mark.parametrize("name", ["attention, sequence first", "flattened and turned rows"])
def test_a_wrong_layout_is_seen(monkeypatch, name):
    """Rows taken as input by input, which is wrong where another axis comes first."""
    check(CASES[name])
    real = extraction.rows_to_samples

    def batch_first(*given: object) -> torch.Tensor:
        owner = real(*given)  # type: ignore[arg-type]
        assert owner is not None
        return owner.sort().values

    monkeypatch.setattr(extraction, "rows_to_samples", batch_first)
    with pytest.raises(AssertionError):
        check(CASES[name])


def test_a_dropped_use_is_seen(monkeypatch):
    real = extraction.uses
    monkeypatch.setattr(
        extraction, "uses", lambda output: {p: here[:1] for p, here in real(output).items()}
    )
    with pytest.raises(AssertionError):
        check(CASES["shared linear"])


def test_a_silent_fallback_is_seen(monkeypatch):
    def declines(*_given: object) -> FullRows | None:
        return None

    old = operations.OPERATIONS["ConvolutionBackward0"]
    monkeypatch.setitem(operations.OPERATIONS, "ConvolutionBackward0", Entry(declines, old.leading))
    check(CASES["conv2d"])  # slower, never wrong
    with pytest.raises(AssertionError):
        test_every_parameter_takes_the_expected_way(CASES["conv2d"])


class _Blocks(torch.autograd.Function):
    """x · w forwards, but no gradient for w: it is undefined, not 0."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(w)
        return x * w

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        (w,) = ctx.saved_tensors
        return gradients[0] * w, None


def test_an_undefined_gradient_counts_as_none():
    torch.manual_seed(1)
    model = Function(
        lambda m, x: m.lin(_Blocks.apply(x, m.w)), lin=lin(3, 2), w=nn.Parameter(torch.randn(3))
    ).double()
    x = torch.randn(6, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert brute.difference(kernel(model, x), brute.kernel(model, x)) < TOLERANCE
