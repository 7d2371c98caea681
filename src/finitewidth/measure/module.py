"""`module(net)`: the `torch.nn.Module` that an `MLP` describes."""

from collections.abc import Callable
from math import sqrt

import torch
from torch import nn
from torch.nn import functional

from finitewidth.network import MLP, Layer

Elementwise = Callable[[torch.Tensor], torch.Tensor]

_ACTIVATIONS: dict[str, Elementwise] = {
    "relu": torch.relu,
    "identity": lambda z: z,
    "abs": torch.abs,
    "tanh": torch.tanh,
    "erf": torch.erf,
    "sin": torch.sin,
    "gelu": functional.gelu,
    "silu": functional.silu,
}


class ScaledLinear(nn.Module):
    """b + Ŵ x of one layer, in parameters whose plain gradients make the layer's kernel.

    A parameter with learning-rate factor λ is stored divided by √λ, so that K is a sum of squared
    plain gradients and plain SGD is the network's own: W of unit variance for "ntk" (λ = c), Ŵ
    itself for "standard" (λ = 1).

    Parameters
    ----------
    net : MLP
    layer : Layer
        Of `net`.
    """

    def __init__(self, net: MLP, layer: Layer) -> None:
        super().__init__()
        self.scale = sqrt(layer.weight_lr)
        stored = sqrt(layer.weight_variance / layer.weight_lr)
        self.weight = nn.Parameter(stored * _draw(net, (layer.fan_out, layer.fan_in)))
        self.bias_scale = sqrt(net.bias_lr) if net.trains_biases else 1.0
        start = sqrt(net.bias_variance) * torch.randn(layer.fan_out) / self.bias_scale
        self.bias: torch.Tensor | None = None
        if net.bias:
            self.bias = nn.Parameter(start, requires_grad=net.trains_biases)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[…, fan_in] to […, fan_out]."""
        scaled = x if self.scale == 1.0 else self.scale * x
        bias = self.bias
        if bias is not None and self.bias_scale != 1.0:
            bias = self.bias_scale * bias
        return functional.linear(scaled, self.weight, bias)


class Network(nn.Module):
    """The layers of an `MLP`, its activation, and its residual branches between hidden layers.

    Parameters
    ----------
    net : MLP
    """

    def __init__(self, net: MLP) -> None:
        super().__init__()
        self.net = net
        self.layers = nn.ModuleList(ScaledLinear(net, layer) for layer in net.layers())
        self.activation = _activation(net)
        self.residual = net.residual

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, n_in] to [B, n_out]."""
        z = self.layers[0](x)
        last = len(self.layers) - 1
        for index in range(1, last + 1):
            branch = self.layers[index](self.activation(z))
            if self.residual is None or index == last:
                z = branch
            else:
                alpha, gamma = self.residual
                z = gamma * z + alpha * branch
        return z


def _draw(net: MLP, shape: tuple[int, int]) -> torch.Tensor:
    """Unit-variance weights of the network's law, from torch's random numbers."""
    if net.law.is_gaussian:
        return torch.randn(shape)
    import numpy as np

    seed = int(torch.randint(0, 2**62, ()).item())
    drawn = net.law.sample(np.random.default_rng(seed), shape)
    return torch.as_tensor(drawn, dtype=torch.get_default_dtype())


def _activation(net: MLP) -> Elementwise:
    if net.act.name == "leaky_relu":
        slope = float(net.act.slope or 0.0)
        return lambda z: functional.leaky_relu(z, slope)
    if isinstance(net.activation, str):
        return _ACTIVATIONS[net.act.name]
    raise ValueError(
        f"activation {net.act.name!r} is a function of NumPy arrays; fw.measure.module covers the "
        f"named activations {', '.join(sorted([*_ACTIVATIONS, 'leaky_relu']))}."
    )


def module(net: MLP) -> nn.Module:
    """The network as a module, drawn with torch's random numbers (seed with torch.manual_seed).

    Its plain kernel, the sum of squared gradients over its parameters, is the network's own, and
    one step of ``torch.optim.SGD`` is the step of `MLP`.

    Parameters
    ----------
    net : MLP

    Raises
    ------
    TypeError
        If `net` is no MLP.
    ValueError
        For an activation given as a function, weights that cannot be drawn, or unequal widths
        with residual branches.
    """
    if not isinstance(net, MLP):
        raise TypeError(f"net is {type(net).__name__}, expected an MLP.")
    if net.residual is not None and len(net.runs) > 1:
        raise ValueError(
            f"residual branches need equal hidden widths, got {net.widths!r}; make them equal."
        )
    return Network(net)
