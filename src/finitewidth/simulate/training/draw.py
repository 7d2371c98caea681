"""Drawing a batch of networks, stored or deferred, and what a run needs to go on with them."""

from math import sqrt
from typing import Any

import numpy as np
import torch

from finitewidth.network import MLP
from finitewidth.simulate.dense.architecture import connections
from finitewidth.simulate.dense.draw import draw
from finitewidth.simulate.matrices.dense import DenseMatrix
from finitewidth.simulate.training.activations import tensor_activation
from finitewidth.simulate.training.networks import Networks, TrainedLayer

# The first of the three numbers in the keys of deferred streams: (2, network, layer), layer 0 for
# the biases. Stored networks have keys of one number, minibatches of two.
DEFERRED = 2


def _networks(net: MLP, layers: list[TrainedLayer]) -> Networks:
    return Networks(layers, tensor_activation(net), net.bias_lr if net.trains_biases else 0.0)


def stored(
    net: MLP, rng: np.random.Generator, count: int, dtype: torch.dtype, device: torch.device
) -> Networks:
    """The next `count` networks of a block's stream: those of `finitewidth.simulate.ensemble`."""
    parts = connections(net)
    drawn = draw(net, parts, rng, count)
    layers = []
    for place, part in enumerate(parts):
        weight = torch.from_numpy(drawn.weights[place])
        bias = torch.from_numpy(np.ascontiguousarray(drawn.biases[place])).to(device, dtype)
        layers.append(
            TrainedLayer(
                matrix=DenseMatrix(weight.to(device, dtype)),
                scale=1.0,
                rate=part.layer.weight_lr,
                bias=bias if net.bias else None,
                alpha=part.alpha,
                gamma=part.gamma,
            )
        )
    return _networks(net, layers)


def deferred(
    net: MLP, seed: int, first: int, last: int, dtype: torch.dtype, device: torch.device
) -> Networks:
    """Networks `first` … `last` − 1, every one with streams of its own."""
    from finitewidth.simulate.deferred.matrix import DeferredMatrix

    def streams(layer: int) -> list[np.random.SeedSequence]:
        return [
            np.random.SeedSequence(seed, spawn_key=(DEFERRED, network, layer))
            for network in range(first, last)
        ]

    starts = [np.random.Generator(np.random.PCG64(one)) for one in streams(0)]
    layers = []
    for part in connections(net):
        layer = part.layer
        bias = None
        if net.bias:
            bias = torch.zeros(last - first, layer.fan_out, dtype=dtype, device=device)
            if net.bias_variance > 0:
                drawn = [rng.standard_normal(layer.fan_out) for rng in starts]
                bias += torch.from_numpy(np.stack(drawn) * sqrt(net.bias_variance)).to(bias)
        matrix = DeferredMatrix(
            layer.fan_out, layer.fan_in, seeds=streams(layer.index), dtype=dtype, device=device
        )
        layers.append(
            TrainedLayer(
                matrix=matrix,
                scale=sqrt(layer.weight_variance),
                rate=layer.weight_lr,
                bias=bias,
                alpha=part.alpha,
                gamma=part.gamma,
            )
        )
    return _networks(net, layers)


def state_of(networks: Networks) -> list[dict[str, Any]]:
    """Everything that changes in training, of tensors and plain values."""
    return [
        {"matrix": layer.matrix.state_dict(), "bias": layer.bias, "velocity": layer.velocity}
        for layer in networks.layers
    ]


def restore(networks: Networks, state: list[dict[str, Any]]) -> None:
    """Go on from `state_of`, in networks that were drawn alike."""
    for layer, saved in zip(networks.layers, state, strict=True):
        layer.matrix.load_state_dict(saved["matrix"])
        layer.bias, layer.velocity = saved["bias"], saved["velocity"]
