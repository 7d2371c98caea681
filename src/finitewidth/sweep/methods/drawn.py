"""What the methods that draw networks one by one share: a seed for every block, a summary."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from finitewidth._shapes import Float
from finitewidth.sweep.methods.law import known_moments
from finitewidth.sweep.summary import Summary, of_networks

Block = Mapping[str, Float[np.ndarray, " n"]]
"""Of the networks of a block: ``kernel`` K, ``output`` N, and further quantities."""


def seed_of(entropy: int, number: int, network: int | None = None) -> int:
    """A seed of 128 bits for a block of a cell, or for one network of it."""
    place = (number,) if network is None else (number, network)
    words = np.random.SeedSequence(entropy, spawn_key=place).generate_state(4)
    return sum(int(word) << (32 * position) for position, word in enumerate(words))


def summarised(
    inputs: Mapping[str, Any],
    entropy: int,
    blocks: range,
    block: int,
    draw: Callable[[int, int], Block],
) -> Summary:
    """Draw blocks and summarise them.

    Parameters
    ----------
    inputs : dict
        The cell's; empty where its network is somebody else's. Where the exact law covers its
        network, it tells in the first chunk how far the sampled moments can be trusted; of the
        values it knows nothing.
    entropy : int
        Of the cell.
    blocks : range
        Numbers of the blocks.
    block : int
        Networks in each.
    draw : callable
        From the number of a block and its seed to its networks.
    """
    parts = [draw(number, seed_of(entropy, number)) for number in blocks]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    kernel, output = joined.pop("kernel"), joined.pop("output")
    index = np.arange(blocks.start * block, blocks.stop * block)
    with np.errstate(divide="ignore"):
        logs = np.log(kernel)
    known = {} if blocks.start or not inputs else known_moments(inputs)
    return of_networks(index, logs, output**2, joined, known)


def given(inputs: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Those of a cell's inputs that it has."""
    return {name: inputs[name] for name in names if name in inputs}
