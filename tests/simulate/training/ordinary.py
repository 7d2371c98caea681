"""The twin: ordinary PyTorch training of the same weights, by autograd and ``torch.optim.SGD``."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

import numpy as np
import torch

import finitewidth as fw
from finitewidth.network import MLP
from finitewidth.simulate.dense.architecture import connections
from finitewidth.simulate.dense.draw import draw
from finitewidth.simulate.training.descent import minibatch


@dataclass(frozen=True)
class Ordinary:
    """Arrays by step of one network: outputs [T, B, O], loss [T], kernels [T, P, P]."""

    outputs: np.ndarray
    loss: np.ndarray
    kernels: np.ndarray


def module(
    net: MLP,
    weights: list[np.ndarray],
    biases: list[np.ndarray],
    activation: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> Any:
    """`fw.measure.module` with these Ŵ [n_j, n_{j−1}] and b, in float64."""
    named = net
    if activation is not None:
        named = replace(net, activation="tanh", activation_derivatives=())
    model: Any = fw.measure.module(named).double()
    if activation is not None:
        model.activation = activation
    with torch.no_grad():
        for place, part in enumerate(connections(net)):
            linear = model.layers[place]
            linear.weight.copy_(torch.from_numpy(weights[place] / sqrt(part.layer.weight_lr)))
            if net.bias:
                linear.bias.copy_(torch.from_numpy(biases[place] / linear.bias_scale))
    return model


def drawn(net: MLP, size: int, seed: int) -> list[tuple[list[np.ndarray], list[np.ndarray]]]:
    """Ŵ and b of the stored networks of a seed (up to 64 of them)."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(0,))))
    found = draw(net, connections(net), rng, size)
    return [([w[k] for w in found.weights], [b[k] for b in found.biases]) for k in range(size)]


def train(
    model: Any,
    X: np.ndarray,
    y: np.ndarray,
    learning_rate: float,
    steps: int,
    seed: int = 0,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    batch_size: int | None = None,
    probe: np.ndarray | None = None,
) -> Ordinary:
    """Train a module the usual way; y of shape [B, O]."""
    inputs, targets = torch.from_numpy(X), torch.from_numpy(y)
    probes = inputs if probe is None else torch.from_numpy(probe)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(
        trained, lr=learning_rate, momentum=momentum, weight_decay=weight_decay
    )
    outputs, loss, kernels = [], [], []
    for at in range(steps + 1):
        with torch.no_grad():
            found = model(inputs)
        outputs.append(found.numpy())
        loss.append(0.5 * float(((found - targets) ** 2).sum()))
        kernels.append(fw.measure.kernel(model, probes, outputs="trace").numpy())
        if at == steps:
            break
        chosen = minibatch(at, len(X), batch_size, seed)
        which = slice(None) if chosen is None else torch.from_numpy(chosen)
        optimizer.zero_grad()
        (0.5 * ((model(inputs[which]) - targets[which]) ** 2).sum()).backward()
        optimizer.step()
    return Ordinary(np.stack(outputs), np.array(loss), np.stack(kernels))
