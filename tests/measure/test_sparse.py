"""Sparse gradients, sparse constants, and what else a backward pass may return or keep."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from finitewidth import measure
from tests.measure import brute
from tests.measure.zoo import Function, lin, weights

IDS = torch.randint(9, (5, 3), generator=torch.Generator().manual_seed(0))
X = torch.randn(5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
CONSTANT = torch.tensor([[0.0, 2, 0, 1], [1, 0, 0, 0], [0, 0, 3, 0]] * 2, dtype=torch.float64)


def table(use: Callable[[torch.Tensor, torch.Tensor, bool], torch.Tensor]) -> Any:
    """A model, its gradients sparse or not."""

    def build(sparse: bool) -> nn.Module:
        return Function(
            lambda m, x: m.o(torch.tanh(use(x, m.w, sparse))), w=weights(9, 4), o=lin(4, 2)
        )

    return build


def bag(mode: str) -> Callable[[bool], nn.Module]:
    return lambda sparse: nn.Sequential(
        nn.EmbeddingBag(9, 4, mode=mode, sparse=sparse), nn.Tanh(), lin(4, 2)
    )


def product(use: Callable[..., torch.Tensor], layout: torch.layout) -> Callable[[bool], nn.Module]:
    def build(sparse: bool) -> nn.Module:
        constant = CONSTANT.to_sparse(layout=layout) if sparse else CONSTANT
        return Function(lambda m, x: torch.tanh(x @ use(constant, m.w)), w=weights(4, 3))

    return build


def flat(x: torch.Tensor, w: torch.Tensor, sparse: bool) -> torch.Tensor:
    starts = torch.arange(len(x)) * x.shape[1]
    return functional.embedding_bag(x.flatten(), w, starts, mode="sum", sparse=sparse)


def gathered(x: torch.Tensor, w: torch.Tensor, sparse: bool) -> torch.Tensor:
    index = x.reshape(-1, 1).expand(-1, 4)
    return torch.gather(w, 0, index, sparse_grad=sparse).view(*x.shape, 4).sum(1)


SPARSE: dict[str, tuple[Callable[[bool], nn.Module], torch.Tensor]] = {
    "embedding": (
        lambda sparse: nn.Sequential(
            nn.Embedding(9, 4, sparse=sparse), nn.Tanh(), nn.Flatten(), lin(12, 2)
        ),
        IDS,
    ),
    "functional": (table(lambda x, w, s: functional.embedding(x, w, sparse=s).sum(1)), IDS),
    "padding": (
        table(lambda x, w, s: functional.embedding(x, w, padding_idx=3, sparse=s).mean(1)), IDS
    ),
    "bag, sum": (bag("sum"), IDS),
    "bag, mean": (bag("mean"), IDS),
    "bag, flat": (table(flat), IDS),
    "gather": (table(gathered), IDS),
    "coordinates @ W": (product(torch.sparse.mm, torch.sparse_coo), X),
    "compressed rows @ W": (product(torch.matmul, torch.sparse_csr), X),
}  # fmt: skip


def pair(name: str) -> tuple[nn.Module, nn.Module, torch.Tensor]:
    build, x = SPARSE[name]
    found = []
    for sparse in (True, False):
        torch.manual_seed(2)
        found.append(build(sparse).double())
    return found[0], found[1], x


@pytest.mark.parametrize("name", SPARSE)
@pytest.mark.filterwarnings("ignore:There is a performance drop")
@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta")
def test_sparse_is_as_dense(name):
    """Kernel, one step and an ensemble, up to rounding and to differences."""
    sparse, dense, x = pair(name)
    exact = brute.kernel(dense, x)
    for outputs in ("all", "trace"):
        want = exact if outputs == "all" else torch.einsum("bcoo->bc", exact)
        assert brute.difference(measure.kernel(sparse, x, outputs=outputs), want) < 1e-13
    y = torch.ones_like(dense(x)).detach()
    one, two = (
        measure.kernel_update(model, x, y, learning_rate=1e-3, find_range=False)
        for model in (sparse, dense)
    )
    assert one.actual is not None
    assert two.actual is not None
    np.testing.assert_allclose(one.actual, two.actual, atol=1e-10 * np.abs(two.actual).max())
    room = 1e-8 * np.abs(two.first_order).max()
    np.testing.assert_allclose(one.first_order, two.first_order, atol=room)
    builds = [lambda s=s: SPARSE[name][0](s).double() for s in (True, False)]
    kernels = [measure.ensemble(build, x, seeds=3).kernels for build in builds]
    np.testing.assert_allclose(kernels[0], kernels[1], rtol=1e-12)
    falls = [
        measure.descent_ensemble(build, x, y, learning_rate=1e-3, seeds=2, max_steps=3)
        for build in builds
    ]
    np.testing.assert_allclose(falls[0].descents[1].losses, falls[1].descents[1].losses, rtol=1e-12)


@pytest.mark.parametrize("build", [bag("sum"), table(lambda x, w, s: w[x].sum(1))])
def test_gradients_scaled_by_frequency_are_refused(build):
    """The gradient of one input depends on the others, which no output shows."""
    model = build(False)
    if isinstance(model, nn.Sequential):
        model[0].scale_grad_by_freq = True  # type: ignore[assignment]
    else:
        model = Function(
            lambda m, x: functional.embedding(x, m.w, scale_grad_by_freq=True).sum(1),
            w=weights(9, 2),
        )
    with pytest.raises(ValueError, match="scale_grad_by_freq=True, which divides gradients"):
        measure.kernel(model, IDS)


class Recorded(nn.Module):
    """Keeps gradients of every sample, as private training does: one backward pass a forward."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(lin(6, 5), nn.Tanh(), lin(5, 2))
        self.inputs: list[torch.Tensor] = []
        for layer in (self.net[0], self.net[2]):
            layer.register_forward_hook(self._keep)
            layer.register_full_backward_hook(self._use)  # type: ignore[arg-type]
            layer.weight.passes = 0  # type: ignore[union-attr,assignment]

    def _keep(self, layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: object) -> None:
        if torch.is_grad_enabled():
            self.inputs.append(inputs[0].detach())
            layer.weight.passes += 1  # type: ignore[union-attr,operator]

    def _use(self, layer: nn.Module, inner: object, outer: tuple[torch.Tensor, ...]) -> None:
        layer.weight.passes -= 1  # type: ignore[union-attr,operator]
        layer.weight.each = outer[0][:, :, None] * self.inputs.pop()[:, None]  # type: ignore[union-attr]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x)


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
def test_hooks_that_look_on_are_left_out_and_put_back():
    torch.manual_seed(0)
    model = Recorded().double()
    model(X).sum().backward()
    kept = [layer.weight.each for layer in (model.net[0], model.net[2])]  # type: ignore[union-attr]
    torch.manual_seed(0)
    plain = nn.Sequential(lin(6, 5), nn.Tanh(), lin(5, 2)).double()
    assert brute.difference(measure.kernel(model, X), brute.kernel(plain, X)) < 1e-13
    y = torch.ones(5, 2)
    one, two = (measure.kernel_update(m, X, y, learning_rate=1e-2) for m in (model, plain))
    np.testing.assert_allclose(one.first_order, two.first_order, rtol=1e-12)
    np.testing.assert_allclose(one.actual, two.actual, rtol=1e-10)  # type: ignore[arg-type]
    for layer, each in zip((model.net[0], model.net[2]), kept, strict=True):
        assert layer.weight.each is each  # type: ignore[union-attr]
        assert layer.weight.passes == 0  # type: ignore[union-attr]
        assert len(layer._backward_hooks) == 1
    assert model.inputs == []
    model(X).sum().backward()


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
@pytest.mark.parametrize("before", [True, False])
def test_hooks_that_change_gradients_stay(before):
    model = nn.Sequential(lin(6, 5), nn.Tanh(), lin(5, 2)).double()
    plain = brute.kernel(model, X)
    if before:
        model[2].register_full_backward_pre_hook(lambda module, outer: (0.5 * outer[0],))
    else:
        model[1].register_full_backward_hook(lambda module, inner, outer: (0.5 * inner[0],))
    exact = brute.kernel(model, X)
    assert brute.difference(exact, plain) > 0.1
    assert brute.difference(measure.kernel(model, X), exact) < 1e-13


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_scripted_and_traced_models_are_stepped():
    torch.manual_seed(0)
    plain = nn.Sequential(lin(6, 5), nn.Tanh(), lin(5, 2)).double()
    want = measure.kernel_update(plain, X, torch.ones(5, 2), learning_rate=1e-2)
    for model in (torch.jit.script(plain), torch.jit.trace(plain, X)):
        assert isinstance(model, nn.Module)
        found = measure.kernel_update(model, X, torch.ones(5, 2), learning_rate=1e-2)
        np.testing.assert_allclose(found.first_order, want.first_order, rtol=1e-12)
        np.testing.assert_allclose(found.actual, want.actual, rtol=1e-9)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_empty_parameters():
    """Alone they are refused; beside others they add nothing."""
    x = torch.randn(3, 4)
    with pytest.raises(ValueError, match=r"are empty \('weight' has shape \[0, 4\]\)"):
        measure.kernel(lin(4, 0), x)
    with pytest.raises(ValueError, match="expected at least one number for every input"):
        measure.ensemble(lambda: nn.Sequential(lin(4, 3), lin(3, 0)), x, seeds=3)
    through = nn.Sequential(lin(4, 0), nn.LayerNorm(0), lin(0, 2))
    assert torch.equal(measure.kernel(through, x, outputs="trace"), torch.full((3, 3), 2.0))
