"""Deferred layers against `torch.nn.Linear` with the completed weights, in whole training runs."""

import copy
import pickle

import pytest
import torch

from finitewidth.simulate.deferred import DeferredLinear, DeferredSGD

TINY = 1e-9
"""Runs in float64 agree to rounding, some 1e-13 here."""


@pytest.fixture(autouse=True)
def double():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(3)
    yield
    torch.set_default_dtype(before)


class Net(torch.nn.Module):
    """Deferred layers among ordinary ones, a shared one and a residual branch."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(5, 40)
        self.second = DeferredLinear(40, 50)
        self.shared = DeferredLinear(50, 50, bias=False, scale=0.2)
        self.last = DeferredLinear(50, 2)

    def forward(self, x):
        x = torch.tanh(self.first(x))
        x = torch.relu(self.second(x))
        x = x + torch.tanh(self.shared(x))
        x = x + torch.sin(self.shared(x))
        return self.last(x)


def data(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(100 + step)
    count = 3 + step % 2  # batches of changing size
    return torch.randn(count, 5, generator=rng), torch.randn(count, 2, generator=rng)


def stored(net: Net, at_start: Net) -> Net:
    """The stored twin of `net` as it was at the start, ordinary parameters from `at_start`."""
    twin = copy.deepcopy(at_start)
    for name in ("second", "shared", "last"):
        layer, begun = getattr(net, name), getattr(at_start, name)
        linear = begun.to_linear()
        with torch.no_grad():
            linear.weight.copy_(layer.scale * layer.matrix.complete()[0])
        setattr(twin, name, linear)
    return twin


def train(net, optimizer, steps: int, accumulate: int = 1, schedule: bool = False) -> list:
    rates = torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5) if schedule else None
    outputs = []
    for step in range(steps):
        optimizer.zero_grad()
        for part in range(accumulate):
            x, y = data(step * accumulate + part)
            found = net(x)
            outputs.append(found.detach())
            (0.5 * (found - y).square().sum()).backward()
        optimizer.step()
        if rates is not None:
            rates.step()
    return outputs


@pytest.mark.parametrize(
    ("options", "how"),
    [
        ({}, {}),
        ({"momentum": 0.9}, {}),
        ({"weight_decay": 0.1}, {"accumulate": 2}),
        ({"momentum": 0.5, "weight_decay": 0.05}, {"schedule": True}),
    ],
    ids=str,
)
def test_training_is_that_of_the_stored_network(options, how) -> None:
    net = Net()
    start = copy.deepcopy(net)
    outputs = train(net, DeferredSGD(net.parameters(), lr=0.005, **options), 5, **how)
    twin = stored(net, start)
    wanted = train(twin, torch.optim.SGD(twin.parameters(), lr=0.005, **options), 5, **how)
    for one, other in zip(outputs, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=TINY, atol=TINY)
    moved = net.second.dense_weight() - start.second.scale * net.second.matrix.complete()[0]
    assert float(moved.abs().max()) > 1e-3
    for name in ("second", "shared", "last"):
        torch.testing.assert_close(
            getattr(net, name).dense_weight(), getattr(twin, name).weight, rtol=TINY, atol=TINY
        )


def test_forward_and_backward_of_any_shape() -> None:
    layer = DeferredLinear(20, 30)
    for shape in ((20,), (4, 20), (2, 3, 20)):
        x = torch.randn(shape, requires_grad=True)
        y = layer(x)
        weight = torch.randn(y.shape)
        (found,) = torch.autograd.grad((y * weight).sum(), x)
        linear = copy.deepcopy(layer).to_linear()
        # A copy completes another matrix unless it has been completed here.
        assert found.shape == x.shape
        assert linear(x).shape == y.shape
    x = torch.randn(2, 3, 20, requires_grad=True)
    y = layer(x)
    (found,) = torch.autograd.grad(y.sin().sum(), x)
    linear = layer.to_linear()
    torch.testing.assert_close(y, linear(x), rtol=TINY, atol=TINY)
    (wanted,) = torch.autograd.grad(linear(x).sin().sum(), x)
    torch.testing.assert_close(found, wanted, rtol=TINY, atol=TINY)


def test_the_gradient_and_what_clears_it() -> None:
    layer = DeferredLinear(20, 30)
    x = torch.randn(4, 20)

    def dense() -> torch.Tensor:
        found = layer.gradient()
        assert found is not None
        return found[0][0].T @ found[1][0]

    layer(x).sin().sum().backward()
    once = dense()
    linear = layer.to_linear()
    linear(x).sin().sum().backward()
    assert linear.weight.grad is not None
    torch.testing.assert_close(once, linear.weight.grad, rtol=TINY, atol=TINY)
    layer(x).sin().sum().backward()
    torch.testing.assert_close(dense(), 2 * once, rtol=TINY, atol=TINY)
    layer.zero_grad()
    assert layer.gradient() is None
    layer(x).sin().sum().backward()
    torch.testing.assert_close(dense(), once, rtol=TINY, atol=TINY)
    with torch.no_grad():
        layer(x)
    torch.testing.assert_close(dense(), once, rtol=TINY, atol=TINY)
    changed = x.clone().requires_grad_().mul(1.0)
    y = layer(changed)
    changed.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_the_seed_is_pytorch_s() -> None:
    found = []
    for _ in range(2):
        torch.manual_seed(5)
        found.append(DeferredLinear(6, 7)(torch.ones(6)))
    assert torch.equal(*found)
    assert not torch.equal(found[0], DeferredLinear(6, 7)(torch.ones(6)))
    many = torch.cat([DeferredLinear(50, 400, seed=k)(torch.ones(50)) for k in range(5)])
    # 2000 outputs of variance 1: an error of 10 standard errors is 0.32.
    assert abs(float(many.detach().square().mean()) - 1) < 5.3 * (2 / 2000) ** 0.5


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda p: torch.optim.Adam(p),
        lambda p: torch.optim.AdamW(p, foreach=True),
        lambda p: torch.optim.Adagrad(p),
        lambda p: torch.optim.SGD(p, lr=0.1),
    ],
    ids=["Adam", "AdamW", "Adagrad", "SGD"],
)
def test_other_optimisers_are_refused(optimizer) -> None:
    net = Net()
    before = [weight.clone() for weight in net.parameters()]
    refused = optimizer(net.parameters())
    net(data(0)[0]).sum().backward()
    with pytest.raises(RuntimeError, match=r"cannot train a DeferredLinear layer: .*DeferredSGD"):
        refused.step()
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


@pytest.mark.parametrize("how", ["state_dict", "deepcopy", "pickle"])
def test_a_copy_goes_on_to_the_same_numbers(how, tmp_path) -> None:
    net = Net()
    train(net, DeferredSGD(net.parameters(), lr=0.005, momentum=0.5), 2)
    if how == "deepcopy":
        again = copy.deepcopy(net)
    elif how == "pickle":
        again = pickle.loads(pickle.dumps(net))
    else:
        torch.save(net.state_dict(), tmp_path / "net.pt")
        again = Net()
        again.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True))
    found = [
        train(one, DeferredSGD(one.parameters(), lr=0.005, momentum=0.5), 3) for one in (net, again)
    ]
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)


def test_bad_input() -> None:
    layer = DeferredLinear(6, 7)
    with pytest.raises(ValueError, match=r"shape \[2, 5\], expected \[..., 6\]"):
        layer(torch.ones(2, 5))
    with pytest.raises(TypeError, match="convert one of them"):
        layer(torch.ones(6, dtype=torch.float32))
    with pytest.raises(RuntimeError, match="build it with dtype="):
        layer.float()
    layer.double()
    with pytest.raises(ValueError, match="scale is 0"):
        DeferredLinear(6, 7, scale=0.0)
    x = torch.ones(6, requires_grad=True)
    (slope,) = torch.autograd.grad(layer(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.sum().backward()
