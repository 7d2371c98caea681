"""Models of the verdict's tests: stacks whose law is known, and what may be done to them."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")
from torch import Tensor, nn  # noqa: E402

import finitewidth as fw  # noqa: E402

generator = torch.Generator().manual_seed(0)
X = torch.randn(4, 6, generator=generator, dtype=torch.float64)
Y = X[:, :1] * X[:, 1:2]
ONE_X = torch.linspace(-1, 1, 6, dtype=torch.float64)[None]
ONE_Y = 3 * torch.ones(1, 1, dtype=torch.float64)
IMAGES = torch.randn(6, 1, 4, 4, generator=generator, dtype=torch.float64)
SIGNS = torch.tensor([[1.0], [-1.0]] * 3, dtype=torch.float64)


def stack(
    widths: Sequence[int] = (24, 24),
    n_in: int = 6,
    slope: float = 0.0,
    uniform: bool = False,
    bias: bool = True,
    activation: Callable[[], nn.Module] | None = None,
    linear: type[nn.Linear] = nn.Linear,
) -> Any:  # a Sequential, whose layers pyright would not know
    """Linear layers with He weights and biases that start at 0, in single precision."""
    sizes, layers = [n_in, *widths, 1], []
    initialise = nn.init.kaiming_uniform_ if uniform else nn.init.kaiming_normal_
    for place in range(len(sizes) - 1):
        layer = linear(sizes[place], sizes[place + 1], bias=bias)
        last = place == len(sizes) - 2
        initialise(layer.weight, a=slope, nonlinearity="linear" if last else "leaky_relu")
        if bias:
            nn.init.zeros_(layer.bias)
        layers.append(layer)
        if not last:
            layers.append(
                activation() if activation else nn.LeakyReLU(slope) if slope else nn.ReLU()
            )
    return nn.Sequential(*layers)


def he(width: int) -> Callable[[], nn.Module]:
    """One hidden layer in PyTorch's own terms."""
    return lambda: stack([width]).double()


def ntk(*widths: int) -> Callable[[], nn.Module]:
    """Unit-variance weights times a scale."""
    return lambda: fw.measure.module(fw.MLP(6, list(widths))).double()


class TwoLayers(nn.Module):
    """n^(−power) Σ_i a_i tanh(w_i·x) with parameters of order 1.

    power ½ is the NTK's scaling. With power 1 and every parameter's rate times n it is the
    mean-field limit, in which features move as far at any width.
    """

    def __init__(self, width: int, power: float) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.randn(width, 6, dtype=torch.float64) / 6**0.5)
        self.a = nn.Parameter(torch.randn(width, dtype=torch.float64))
        self.scale = width**-power

    def forward(self, x: Tensor) -> Tensor:
        """[B, 6] to [B, 1]."""
        return self.scale * (torch.tanh(x @ self.w.T) @ self.a)[:, None]


class Block(nn.Module):
    """Two convolutions with BatchNorm, beside a connection that skips them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] to the same."""
        inner = torch.relu(self.first_norm(self.first(x)))
        return torch.relu(x + self.second_norm(self.second(inner)))


def resnet(channels: int = 20) -> nn.Module:
    """A small one, whose BatchNorm has the statistics of IMAGES."""
    model = nn.Sequential(
        nn.Conv2d(1, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(),
        Block(channels), Block(channels), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(channels, 1),
    ).double()  # fmt: skip
    return fw.measure.calibrate(model, IMAGES)
