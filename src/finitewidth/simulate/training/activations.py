"""Activations on tensors: PyTorch's functions for the named ones, the user's for the others.

GELU and the logistic function are put together from `ndtr` and `exp`: PyTorch's own round the last
few entries of an array in another way, so that a network would depend on those computed with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
import torch
from torch.nn import functional

from finitewidth.network import MLP

Elementwise = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class TensorActivation:
    """σ and σ' of tensors of any shape."""

    value: Elementwise
    derivative: Elementwise


def _gelu_first(z: torch.Tensor) -> torch.Tensor:
    return torch.special.ndtr(z) + z * torch.exp(-0.5 * z * z) / sqrt(2 * pi)


def _logistic(z: torch.Tensor) -> torch.Tensor:
    return 1.0 / (1.0 + torch.exp(-z))


def _silu_first(z: torch.Tensor) -> torch.Tensor:
    p = _logistic(z)
    return p * (1.0 + z * (1.0 - p))


_NAMED = {
    "relu": TensorActivation(torch.relu, lambda z: (z > 0).to(z.dtype)),
    "identity": TensorActivation(lambda z: z, torch.ones_like),
    "abs": TensorActivation(torch.abs, torch.sign),
    "tanh": TensorActivation(torch.tanh, lambda z: 1.0 - torch.tanh(z) ** 2),
    "erf": TensorActivation(torch.erf, lambda z: 2.0 / sqrt(pi) * torch.exp(-z * z)),
    "sin": TensorActivation(torch.sin, torch.cos),
    "gelu": TensorActivation(lambda z: z * torch.special.ndtr(z), _gelu_first),
    "silu": TensorActivation(lambda z: z * _logistic(z), _silu_first),
}


def _leaky(slope: float) -> TensorActivation:
    def derivative(z: torch.Tensor) -> torch.Tensor:
        # torch.where of two Python numbers would round the slope to float32.
        return torch.full_like(z, slope).masked_fill_(z > 0, 1.0)

    return TensorActivation(lambda z: functional.leaky_relu(z, slope), derivative)


def _of_arrays(function: Callable[[np.ndarray], np.ndarray]) -> Elementwise:
    def applied(z: torch.Tensor) -> torch.Tensor:
        found = np.asarray(function(z.cpu().numpy()))
        return torch.as_tensor(np.ascontiguousarray(found)).to(dtype=z.dtype, device=z.device)

    return applied


def tensor_activation(net: MLP) -> TensorActivation:
    """The network's activation on tensors; the user's function is given NumPy arrays."""
    if not isinstance(net.activation, str):
        return TensorActivation(_of_arrays(net.act), _of_arrays(net.act.derivative))
    if net.act.name == "leaky_relu":
        return _leaky(float(net.act.slope or 0.0))
    return _NAMED[net.act.name]
