"""A step of SGD on ½ Σ (N − y)² over a minibatch, and which inputs form it."""

from collections.abc import Sequence

import numpy as np
import torch

from finitewidth._shapes import Float
from finitewidth.simulate.matrices.products import product
from finitewidth.simulate.training.networks import Networks, Pass

# The second number in the key of the streams that shuffle the inputs; networks have one number.
SHUFFLES = 1


def minibatch(step: int, inputs: int, batch_size: int | None, seed: int) -> np.ndarray | None:
    """Which inputs step `step` → `step` + 1 uses, ascending; None for all.

    As PyTorch's ``DataLoader(shuffle=True)``: every epoch goes once through all inputs in a fresh
    order, its last minibatch may be smaller. Epoch e shuffles with the stream of key (1, e), the
    same for all networks, so that a step knows its minibatch without those before it.
    """
    if batch_size is None or batch_size >= inputs:
        return None
    an_epoch = -(-inputs // batch_size)
    epoch, place = divmod(step, an_epoch)
    stream = np.random.SeedSequence(seed, spawn_key=(SHUFFLES, epoch))
    order = np.random.Generator(np.random.PCG64(stream)).permutation(inputs)
    return np.sort(order[place * batch_size : (place + 1) * batch_size])


def step(
    networks: Networks,
    seen: Pass,
    deltas: Sequence[torch.Tensor],
    mix: Float[torch.Tensor, "S R B"],
    learning_rate: float,
    momentum: float,
    weight_decay: float,
) -> None:
    """Move every parameter, in place.

    A parameter with learning-rate factor λ counts as stored divided by √λ, as in
    `finitewidth.measure.module`, and PyTorch's SGD is applied to what is stored:

        g = λ_j α_j Σ_rb mix_rb δ_r x_bᵀ + weight_decay Ŵ;  V = momentum V + g;
        Ŵ −= learning_rate V,

    and for biases with their factor and without x.

    Parameters
    ----------
    networks : Networks
    seen : Pass
        At the inputs of the minibatch.
    deltas : list of tensor of shape [S, R, n_j]
        Vectors that the gradients of the loss at z^(j) are combinations of.
    mix : tensor of shape [S, R, B]
        The combinations, the same in all layers: ∂loss/∂z_b^(j) = Σ_r mix_rb δ_r^(j).
    learning_rate, momentum, weight_decay : float
        As in ``torch.optim.SGD``.
    """
    together = mix.sum(dim=2)[:, None, :]
    for place, layer in enumerate(networks.layers):
        if layer.bias is not None and networks.bias_rate > 0.0:
            pull = product(together, deltas[place])[:, 0]
            _step_biases(networks, place, pull, learning_rate, momentum, weight_decay)
        layer.matrix.descend(
            deltas[place],
            seen.incoming[place],
            learning_rate,
            momentum=momentum,
            weight_decay=weight_decay,
            mix=mix * (layer.rate * layer.alpha / layer.scale),
        )


def _step_biases(
    networks: Networks,
    place: int,
    pull: Float[torch.Tensor, "S n"],
    learning_rate: float,
    momentum: float,
    weight_decay: float,
) -> None:
    layer = networks.layers[place]
    assert layer.bias is not None
    gradient = networks.bias_rate * layer.alpha * pull
    if weight_decay != 0.0:
        gradient = gradient + weight_decay * layer.bias
    if momentum != 0.0:
        if layer.velocity is not None:
            gradient = gradient + momentum * layer.velocity
        layer.velocity = gradient
    layer.bias = layer.bias - learning_rate * gradient
