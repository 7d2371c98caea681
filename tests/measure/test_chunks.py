"""Gradients formed a few inputs at a time, kernels by symmetry: shortcuts that must not show."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from finitewidth.measure import kernel
from finitewidth.measure.kernel import blocks, symmetric
from finitewidth.measure.kernel import features as extraction
from finitewidth.measure.kernel.factors import Gated
from finitewidth.measure.kernel.layout import signature
from tests.measure import brute
from tests.measure.zoo import CASES, Function, lin, routed

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")

TOLERANCE = 1e-10


@pytest.fixture
def two_at_once(monkeypatch):
    """The smallest chunks there are, and strips of one input."""
    monkeypatch.setattr(blocks, "CHUNK", 1)
    monkeypatch.setattr(symmetric, "_STRIP", 1)
    monkeypatch.setattr(symmetric, "_WORTH_CUTTING", 0)


@pytest.mark.usefixtures("two_at_once")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("outputs", ["all", "trace"])
def test_the_zoo_two_inputs_at_a_time(case, outputs):
    model, x = case.model(), case.inputs(7)
    found = kernel(model, x, outputs=outputs)
    assert brute.difference(found, brute.kernel(model, x, outputs=outputs)) < TOLERANCE
    assert torch.equal(
        found, found.transpose(0, 1) if found.dim() == 2 else found.permute(1, 0, 3, 2)
    )


@pytest.mark.usefixtures("two_at_once")
def test_two_batches_two_inputs_at_a_time():
    for name in ("conv2d", "tied embedding", "mlp, relu in place", "routed rows"):
        model, x, x2 = CASES[name].model(), CASES[name].inputs(5), CASES[name].inputs(3, seed=9)
        expected = brute.kernel(model, x, x2)
        assert brute.difference(kernel(model, x, x2), expected) < TOLERANCE


# Outputs that differ by weights alone: a ReLU, a mean over positions, a linear layer.


def gated_net() -> nn.Module:
    torch.manual_seed(4)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    ).double()


def factor_of(model: nn.Module, x: torch.Tensor, parameter: Any) -> object:
    probe = torch.Generator().manual_seed(0)
    return extraction.features(brute.called(model, x), list(model.parameters()), probe).factors[
        parameter
    ]


@pytest.mark.parametrize("outputs", ["all", "trace"])
@pytest.mark.parametrize("chunk", [1, 2**24])
@pytest.mark.parametrize("full", [True, False])
def test_gates_give_the_same_kernel(monkeypatch, outputs, chunk, full):
    """A channel that only one of the inputs opens: its weights are unknown to other chunks."""
    model = gated_net()
    x = torch.randn(9, 2, 5, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    conv: Any = next(model.children())
    with torch.no_grad():
        conv.bias[0] = -float(conv(x)[:8, 0].max()) - 0.1 + float(conv.bias[0])
        x[8] *= 10.0
        assert float(conv(x)[:8, 0].max()) < 0 < float(conv(x)[8, 0].max())
    assert isinstance(factor_of(model, x, conv.weight), Gated)
    monkeypatch.setattr(blocks, "CHUNK", chunk)
    monkeypatch.setattr(symmetric, "_STRIP", 1)
    monkeypatch.setattr(symmetric, "prefers_full", lambda *_a, **_k: full)
    found = kernel(model, x, outputs=outputs)
    assert brute.difference(found, brute.kernel(model, x, outputs=outputs)) < TOLERANCE
    half = kernel(model, x[:5], x[5:], outputs=outputs)
    expected = brute.kernel(model, x[:5], x[5:], outputs=outputs)
    assert brute.difference(half, expected) < TOLERANCE


@pytest.mark.usefixtures("two_at_once")
@pytest.mark.parametrize("outputs", ["all", "trace"])
def test_weights_that_differ_between_inputs_are_no_gates(outputs):
    """The last layer's weights are scaled by the input: each chunk alone looks gated."""

    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        return m.out(torch.relu(m.conv(x)).mean(dim=(2, 3))) * x[:, 0, 0, :1]

    torch.manual_seed(4)
    model = Function(forward, conv=nn.Conv2d(2, 4, 3), out=nn.Linear(4, 3)).double()
    x = torch.randn(6, 2, 5, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    x[:, 0, 0, 0] = torch.tensor([1.0, 1.0, 2.0, 2.0, 1.0, 1.0])
    weight = next(model.parameters())
    assert isinstance(factor_of(model, x[:2], weight), Gated)
    assert not isinstance(factor_of(model, x, weight), Gated)
    found = kernel(model, x, outputs=outputs)
    assert brute.difference(found, brute.kernel(model, x, outputs=outputs)) < TOLERANCE


# Layouts are carried over from one chunk to the next only where no number decides over them.


def sorted_by_index(m: Any, x: torch.Tensor) -> torch.Tensor:
    order = x[:, 0].argsort()
    return m.out(torch.tanh(m.lin(x[order])))[order.argsort()]


def sorted_by_hand(m: Any, x: torch.Tensor) -> torch.Tensor:
    order = x[:, 0].argsort().tolist()
    h = m.out(torch.tanh(m.lin(torch.stack([x[i] for i in order]))))
    return torch.stack([h[order.index(i)] for i in range(len(x))])


def sorted_by_matrix(m: Any, x: torch.Tensor) -> torch.Tensor:
    turn = torch.eye(len(x), dtype=x.dtype)[x[:, 0].argsort()]
    return turn.T @ m.out(torch.tanh(m.lin(turn @ x)))


def sorted_by_batched_matrix(m: Any, x: torch.Tensor) -> torch.Tensor:
    turn = torch.eye(len(x), dtype=x.dtype)[x[:, 0].argsort()]
    return torch.bmm(turn.T[None], m.out(torch.tanh(m.lin(turn @ x)))[None])[0]


def sorted_by_masks(m: Any, x: torch.Tensor) -> torch.Tensor:
    turn = torch.eye(len(x), dtype=x.dtype)[x[:, 0].argsort()]
    return (turn[:, :, None] * m.out(torch.tanh(m.lin(turn @ x)))[:, None]).sum(dim=0)


def sorted_in_place(m: Any, x: torch.Tensor) -> torch.Tensor:
    order = x[:, 0].argsort().tolist()
    h = m.out(torch.tanh(m.lin(x[order])))
    out = torch.zeros_like(h)
    for row, i in enumerate(order):
        out[i] = h[row]
    return out


MOVING: list[Callable[..., torch.Tensor]] = [
    sorted_by_index, sorted_by_hand, sorted_by_matrix, sorted_by_batched_matrix, sorted_by_masks,
    sorted_in_place,
]  # fmt: skip


@pytest.mark.parametrize("forward", MOVING)
def test_rows_that_move_with_the_numbers(monkeypatch, forward):
    monkeypatch.setattr(blocks, "CHUNK", 1)
    torch.manual_seed(4)
    model = Function(forward, lin=lin(2, 5), out=lin(5, 2)).double()
    x = torch.tensor([[0.0, 1.0], [1.0, 2.0], [3.0, 1.0], [2.0, -1.0]], dtype=torch.float64)
    up, down = (signature(brute.called(model, part)) for part in (x[:2], x[2:]))
    assert up is None or up != down
    assert brute.difference(kernel(model, x), brute.kernel(model, x)) < TOLERANCE


def test_rows_that_do_not_move_are_found_once(monkeypatch):
    """One experiment for the estimate and all chunks; the count shows that it is carried over."""
    monkeypatch.setattr(blocks, "CHUNK", 1)
    case, seen = CASES["encoder, batch first"], []
    real = extraction._Owners._experiment
    monkeypatch.setattr(
        extraction._Owners, "_experiment", lambda self: seen.append(self.batch) or real(self)
    )
    kernel(case.model(), case.inputs(8))
    assert seen == [2]


def turned(m: Any, x: torch.Tensor) -> torch.Tensor:
    """The last input first, in every batch."""
    h = m.out(torch.relu(m.lin(torch.stack([x[-1 - i] for i in range(len(x))]))))
    return torch.stack([h[len(x) - 1 - i] for i in range(len(x))])


def test_rows_that_are_zero_at_first_are_looked_at_again(monkeypatch):
    """A dead input's rows are 0 in the first chunk and tell nothing about those of the next."""
    monkeypatch.setattr(blocks, "CHUNK", 1)
    torch.manual_seed(4)
    model = Function(turned, lin=nn.Linear(1, 5, bias=False), out=lin(5, 2)).double()
    with torch.no_grad():
        next(model.parameters()).abs_()
    for signs in ((-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0)):
        x = torch.tensor([*signs, 3.0, 2.0], dtype=torch.float64)[:, None]
        assert (
            signature(brute.called(model, x[:2]))
            == signature(brute.called(model, x[2:]))
            is not None
        )
        assert brute.difference(kernel(model, x), brute.kernel(model, x)) < TOLERANCE


def test_a_wrong_layout_would_be_seen(monkeypatch):
    """Sabotage: every graph looks alike, so the first chunk's rows are taken for the second's."""
    monkeypatch.setattr(blocks, "CHUNK", 1)
    monkeypatch.setattr(extraction, "signature", lambda _output: "alike")
    torch.manual_seed(4)
    model = Function(sorted_by_index, lin=lin(2, 5), out=lin(5, 2)).double()
    x = torch.tensor([[0.0, 1.0], [1.0, 2.0], [3.0, 1.0], [2.0, -1.0]], dtype=torch.float64)
    assert brute.difference(kernel(model, x), brute.kernel(model, x)) > 1e-3


def test_routed_inputs_in_every_chunk(monkeypatch):
    monkeypatch.setattr(blocks, "CHUNK", 1)
    torch.manual_seed(4)
    model = Function(routed, right=lin(3, 2), left=lin(3, 2), mix=lin(2, 2)).double()
    x = torch.randn(12, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert brute.difference(kernel(model, x), brute.kernel(model, x)) < TOLERANCE


def test_large_batches_are_told_apart():
    """More inputs than one pass of the experiment tells apart, in one chunk and in several."""
    torch.manual_seed(4)
    model = nn.Sequential(lin(2, 3), nn.Tanh(), lin(3, 2)).double()
    x = torch.randn(150, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert brute.difference(kernel(model, x), brute.kernel(model, x)) < TOLERANCE
    probe = torch.Generator().manual_seed(0)
    found = extraction.features(brute.called(model, x), list(model.parameters()), probe)
    expected = brute.jacobian(model, x)
    first = found.factors[next(model.parameters())].full()
    assert brute.difference(first, expected[:, :, :6]) < TOLERANCE
