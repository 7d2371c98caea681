"""Shapes of code that published models are made of, and `kernel` on them.

Custom autograd functions, checkpoints, weights computed from parameters, positions learned for all
inputs, scripted and wrapped modules, low precision: what is measured agrees with brute force, and
what cannot be measured gets one sentence.
"""

import warnings
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from finitewidth.measure import calibrate, kernel
from finitewidth.measure.kernel import features as extraction
from finitewidth.measure.kernel.of_module import finite
from tests.measure import brute
from tests.measure.test_refusals import refused
from tests.measure.zoo import Function

TOLERANCE = 1e-10
"""Relative to the largest entry; float64 rounding leaves 1e-15."""


def gaussian(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def lin(fan_in: int, fan_out: int) -> nn.Linear:
    return nn.Linear(fan_in, fan_out, dtype=torch.float64)


def words(count: int) -> torch.Tensor:
    return torch.randint(0, 11, (count, 6), generator=torch.Generator().manual_seed(4))


class Swish(torch.autograd.Function):
    """x · sigmoid(x) that keeps x alone for its backward pass."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        (x,) = ctx.saved_tensors
        gate = torch.sigmoid(x)
        return gradient * (gate * (1 + x * (1 - gate)))


class OwnLinear(torch.autograd.Function):
    """x @ Wᵀ in a function of one's own, which nothing can look into."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x, weight)
        return x @ weight.t()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, ...]:  # type: ignore[override]
        x, weight = ctx.saved_tensors
        return gradient @ weight, gradient.t() @ x


class SortRows(torch.autograd.Function):
    """Rows in the order of their first number: data decide where an input's row goes."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
        ctx.order = order
        return x[order]

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:  # type: ignore[override]
        back = torch.empty_like(gradient)
        back[ctx.order] = gradient
        return back, None


def sorted_and_back(model: Any, x: torch.Tensor) -> torch.Tensor:
    order = torch.argsort(x[:, 0])
    hidden = torch.tanh(model.a(SortRows.apply(x, order)))
    return model.b(SortRows.apply(hidden, torch.argsort(order)))


class StandardisedConv(nn.Conv2d):
    def forward(self, input: torch.Tensor) -> torch.Tensor:
        mean = self.weight.mean((1, 2, 3), keepdim=True)
        sd = self.weight.std((1, 2, 3), keepdim=True)
        return self._conv_forward(input, (self.weight - mean) / (sd + 1e-5), self.bias)


class Decoder(nn.Module):
    """Words and learned positions, one attention with a table of relative biases, tied output."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(11, 4)
        self.positions = nn.Embedding(6, 4)
        self.qkv = nn.Parameter(gaussian(4, 12) / 2)
        self.relative = nn.Embedding(11, 1)
        self.gain = nn.Parameter(gaussian(4) / 10)
        self.register_buffer("places", torch.arange(6)[None], persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        places: torch.Tensor = self.places  # type: ignore[assignment]
        h = self.words(x) + self.positions(places)
        normed = h * torch.rsqrt(h.square().mean(-1, keepdim=True) + 1e-6) * (1 + self.gain)
        flat = torch.addmm(torch.zeros(12).double(), normed.view(-1, 4), self.qkv)
        q, k, v = flat.view(*x.shape, 12).split(4, dim=-1)
        bias = self.relative(places[0][:, None] - places[0][None, :] + 5)[..., 0]
        mask = torch.triu(torch.full((6, 6), float("-inf"), dtype=h.dtype), 1)
        attention = torch.softmax(q @ k.transpose(1, 2) / 2 + bias + mask, dim=-1)
        return functional.linear((h + attention @ v)[:, -1], self.words.weight)


class SqueezedDepthwise(nn.Module):
    """Expansion, depthwise convolution, squeeze and excitation, projection, with BatchNorm."""

    def __init__(self) -> None:
        super().__init__()
        self.expand, self.project = nn.Conv2d(2, 6, 1, bias=False), nn.Conv2d(6, 2, 1, bias=False)
        self.depthwise = nn.Conv2d(6, 6, 3, groups=6, stride=2, bias=False)
        self.squeeze, self.excite = nn.Conv2d(6, 2, 1), nn.Conv2d(2, 6, 1)
        self.norms = nn.ModuleList([nn.BatchNorm2d(6), nn.BatchNorm2d(6), nn.BatchNorm2d(2)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, second, last = self.norms
        h = Swish.apply(first(self.expand(x)))
        h = Swish.apply(second(self.depthwise(functional.pad(h, (0, 1, 0, 1)))))
        gate = self.excite(Swish.apply(self.squeeze(functional.adaptive_avg_pool2d(h, 1))))
        return last(self.project(torch.sigmoid(gate) * h)).mean((2, 3))


def checkpointed(*, reentrant: bool, first: bool) -> nn.Module:
    inner = nn.Sequential(lin(4, 5), nn.Tanh(), lin(5, 4))
    before = nn.Identity() if first else lin(4, 4)
    return Function(
        lambda m, x: m.c(checkpoint(m.b, m.a(x), use_reentrant=reentrant)),
        a=before, b=inner, c=lin(4, 3),
    )  # fmt: skip


def scripted() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.script(nn.Sequential(lin(4, 5), nn.Tanh(), lin(5, 3)))


def traced() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        model: Any = torch.jit.trace(nn.Sequential(lin(4, 5), nn.Tanh(), lin(5, 3)), gaussian(5, 4))
        return model


def orthogonal() -> nn.Module:
    model = nn.Sequential(lin(4, 5), nn.Tanh(), lin(5, 3))
    nn.utils.parametrizations.orthogonal(model[0])
    return model


def hooked() -> nn.Module:
    model = nn.Sequential(lin(4, 5), nn.Tanh(), lin(5, 3))
    model[0].register_forward_hook(lambda module, given, output: output.mul(2))
    return model


def calibrated() -> nn.Module:
    return calibrate(SqueezedDepthwise().double(), gaussian(9, 2, 6, 6))


@dataclass(frozen=True)
class Shape:
    """A model, its inputs, and the parameters that are left to Jacobians."""

    model: Callable[[], nn.Module]
    inputs: Callable[[int], torch.Tensor] = lambda count: gaussian(count, 4)
    fallback: frozenset[str] = frozenset()


SHAPES = {
    "custom function": Shape(
        lambda: Function(lambda m, x: m.b(Swish.apply(m.a(x))), a=lin(4, 5), b=lin(5, 3))
    ),
    "custom linear": Shape(
        lambda: Function(
            lambda m, x: m.b(torch.tanh(OwnLinear.apply(x, m.a.weight) + m.a.bias)),
            a=lin(4, 5), b=lin(5, 3),
        ),
        fallback=frozenset({"a.weight"}),
    ),
    "rows sorted by a custom function": Shape(
        lambda: Function(sorted_and_back, a=lin(4, 5), b=lin(5, 3))
    ),
    "checkpoint": Shape(lambda: checkpointed(reentrant=False, first=False)),
    "checkpoint of the first layers": Shape(lambda: checkpointed(reentrant=False, first=True)),
    "weight standardisation": Shape(
        lambda: nn.Sequential(
            StandardisedConv(2, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(27, 2)
        ).double(),
        lambda count: gaussian(count, 2, 5, 5),
        frozenset({"0.weight"}),
    ),
    "orthogonal": Shape(
        orthogonal, fallback=frozenset({"0.parametrizations.weight.original"})
    ),
    "forward hook": Shape(hooked),
    "DataParallel": Shape(
        lambda: nn.DataParallel(nn.Sequential(lin(4, 5), nn.Tanh(), lin(5, 3)))
    ),
    "scripted": Shape(
        scripted, fallback=frozenset({"0.weight", "0.bias", "2.weight", "2.bias"})
    ),
    "traced": Shape(traced),
    "decoder": Shape(
        lambda: Decoder().double(),
        words,
        frozenset({"positions.weight", "relative.weight", "gain"}),
    ),
    "squeeze and excitation": Shape(calibrated, lambda count: gaussian(count, 2, 6, 6)),
}  # fmt: skip

everywhere = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())


@everywhere
@pytest.mark.parametrize("outputs", ["all", "trace", "sum", 1])
def test_agrees_with_brute_force(shape, outputs):
    torch.manual_seed(5)
    model, x = shape.model(), shape.inputs(5)
    found = kernel(model, x, outputs=outputs)
    assert brute.difference(found, brute.kernel(model, x, outputs=outputs)) < TOLERANCE


@everywhere
def test_what_is_left_to_jacobians(shape):
    model, x = shape.model(), shape.inputs(3)
    named = {p: name for name, p in model.named_parameters()}
    probe = torch.Generator().manual_seed(0)
    found = extraction.features(brute.called(model, x), list(named), probe)
    assert {named[p] for p in found.factors} == set(named.values())
    assert {named[p] for p in named if p not in found.contracted} == shape.fallback


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_low_precision_agrees_to_its_rounding(dtype):
    """Two layers of a few units: each gradient carries a few roundings, and so does K."""
    torch.manual_seed(6)
    low = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).to(dtype)
    x = gaussian(5, 4).to(dtype)
    found = kernel(low, x)
    assert found.dtype == dtype
    wide = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).double()
    wide.load_state_dict(low.state_dict())
    expected = brute.kernel(wide, x.double())
    for value in (found, kernel(low, x, accumulate=torch.float64)):
        assert brute.difference(value.double(), expected) < 10 * torch.finfo(dtype).eps


def test_layers_of_two_precisions():
    torch.manual_seed(7)
    half = torch.float16
    model = Function(
        lambda m, x: m.b(torch.tanh(m.a(x)).to(half)),
        a=nn.Linear(4, 5), b=nn.Linear(5, 3).to(half),
    )  # fmt: skip
    found = kernel(model, gaussian(4, 4).float())
    expected = brute.kernel(model, gaussian(4, 4).float())
    assert brute.difference(found, expected) < 10 * torch.finfo(half).eps


def test_frozen_whole_numbers_leave_the_inputs_alone():
    """As of a quantised layer that comes first: its scales are floats, its codes are not."""
    codes = nn.Parameter(torch.tensor([1, 2, 3, 4], dtype=torch.int8), requires_grad=False)
    model = Function(lambda m, x: m.a(x * m.codes), codes=codes, a=lin(4, 3))
    assert not next(iter(model.parameters())).is_floating_point()
    x = gaussian(5, 4)
    assert brute.difference(kernel(model, x), brute.kernel(model, x)) < TOLERANCE


# -- what is refused ------------------------------------------------------------------------------


class Answer(OrderedDict[str, torch.Tensor]):
    """Outputs by name, as libraries of models return them."""


def test_a_named_output_is_refused_and_measured_in_a_wrapper():
    answer: Any = lambda m, x: Answer(logits=m.a(x), hidden=x)  # noqa: E731
    model = Function(answer, a=lin(4, 3))
    x = gaussian(5, 4)
    refused("Answer", "one tensor", "wrap", model=model, inputs=x, error=TypeError)
    wrapped = Function(lambda m, x: m.inner(x)["logits"], inner=model)
    assert brute.difference(kernel(wrapped, x), brute.kernel(wrapped, x)) < TOLERANCE


def test_a_list_of_tensors():
    """It could be several inputs, or rows of one."""
    inputs = [torch.ones(5, 4), torch.ones(5, 4)]
    refused("list", "a tuple or a mapping", model=lin(4, 2), inputs=inputs, error=TypeError)


@pytest.mark.parametrize("first", [False, True])
def test_reentrant_checkpoints(first):
    """PyTorch finds no gradients through one, and none at all in one of the first layers."""
    model = checkpointed(reentrant=True, first=first)
    refused("use_reentrant=True", "use_reentrant=False", model=model, inputs=gaussian(5, 4))


def test_other_warnings_are_passed_on():
    def noisy(model: Any, x: torch.Tensor) -> torch.Tensor:
        warnings.warn("old code", FutureWarning, stacklevel=1)
        return model.a(x)

    with pytest.warns(FutureWarning, match="old code"):
        kernel(Function(noisy, a=lin(4, 3)), gaussian(5, 4))


def test_compiled_modules():
    compiled: nn.Module = torch.compile(lin(4, 2), backend="aot_eager")  # type: ignore[assignment]
    refused("the model is compiled", model=compiled)
    model = nn.Sequential(lin(4, 4), lin(4, 2))
    model[1].compile(backend="aot_eager")
    refused("1 is compiled", "was not called", model=model)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compiled_functions():
    curve = torch.compile(lambda h: torch.tanh(h) * h, backend="aot_eager")
    model, x = Function(lambda m, x: curve(m.a(x)), a=lin(4, 2)), gaussian(3, 4)
    refused("torch.compile", "set_stance('force_eager')", model=model, inputs=x)
    with torch.compiler.set_stance("force_eager"):
        assert brute.difference(kernel(model, x), brute.kernel(model, x)) < TOLERANCE


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
def test_lazy_layers():
    model = nn.Sequential(nn.LazyLinear(3), nn.LazyBatchNorm1d(), nn.Linear(3, 2))
    refused("'0.weight' has no values yet", "call the model once", model=model)
    with pytest.raises(ValueError, match=r"'0\.weight' has no values yet"):
        calibrate(model, torch.randn(6, 4))
    model(torch.randn(6, 4))
    assert kernel(calibrate(model, torch.randn(6, 4)), torch.randn(3, 4)).shape == (3, 3, 2, 2)


def test_gradient_hooks():
    """A mask on the gradient: what is trained is not the output's own gradient."""
    model = lin(4, 2)
    handle = model.weight.register_hook(lambda gradient: gradient * 0)
    refused("'weight' has a gradient hook", "remove it", model=model)
    handle.remove()
    assert kernel(model, gaussian(5, 4)).shape == (5, 5, 2, 2)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_kernel_that_is_not_finite(bad):
    with pytest.raises(ValueError, match=r"the kernel is not finite in torch\.float32") as caught:
        finite(torch.tensor([[1.0, bad]]))
    assert "\n" not in str(caught.value)
    assert finite(torch.ones(2, 2)).sum() == 4
