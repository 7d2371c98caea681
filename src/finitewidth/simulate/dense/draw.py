"""Drawing networks: a stream for every block of networks, network by network within a block."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from finitewidth.network import MLP
from finitewidth.simulate.dense.architecture import Connection

# Networks that share one stream. Part of what a seed means: changing it changes every result.
BLOCK = 64


@dataclass(frozen=True)
class Parameters:
    """Scaled weights Ŵ^(j) of shape [m, n_j, n_{j−1}] and biases of shape [m, n_j], j = 1 … d."""

    weights: list[np.ndarray]
    biases: list[np.ndarray]


def batches(size: int, seed: int, most: int) -> Iterator[tuple[int, int, np.random.Generator]]:
    """Split networks 0 … size − 1 into batches of at most `most`, none across two blocks.

    Block i draws from child i of ``SeedSequence(seed).spawn(…)``. The batches of one block
    continue one stream, so they must be drawn in order, and a network's numbers depend on the
    seed and its index alone.

    Yields
    ------
    first, last : int
        Networks first … last − 1 form the batch.
    rng : Generator
        The block's stream, positioned at network `first`.
    """
    for block, start in enumerate(range(0, size, BLOCK)):
        stream = np.random.SeedSequence(seed, spawn_key=(block,))
        rng = np.random.Generator(np.random.PCG64(stream))
        end = min(start + BLOCK, size)
        for first in range(start, end, most):
            yield first, min(first + most, end), rng


def _views(flat: np.ndarray, shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
    """Cut the rows of `flat` into arrays [m, *shape], sharing its memory."""
    sizes = [int(np.prod(shape)) for shape in shapes]
    ends = np.cumsum(sizes)
    return [
        flat[:, end - length : end].reshape(len(flat), *shape)
        for shape, length, end in zip(shapes, sizes, ends, strict=True)
    ]


def draw(
    net: MLP, layers: Sequence[Connection], rng: np.random.Generator, count: int
) -> Parameters:
    """Draw `count` networks, one after the other: all weights from layer 1 on, then all biases."""
    shapes = [(c.layer.fan_out, c.layer.fan_in) for c in layers]
    rows = [(c.layer.fan_out,) for c in layers]
    number, neurons = sum(a * b for a, b in shapes), sum(n for (n,) in rows)
    flat = np.empty((count, number)) if count > 1 else None
    biases = np.zeros((count, neurons))
    for k in range(count):
        drawn = net.law.sample(rng, (number,))
        if flat is None:  # a single network, possibly a very wide one, is not copied
            flat = drawn[None]
        else:
            flat[k] = drawn
        if net.bias_variance > 0:
            biases[k] = rng.standard_normal(neurons) * np.sqrt(net.bias_variance)
    assert flat is not None
    weights = _views(flat, shapes)
    for connection, weight in zip(layers, weights, strict=True):
        weight *= np.sqrt(connection.layer.weight_variance)
    return Parameters(weights, _views(biases, rows))
