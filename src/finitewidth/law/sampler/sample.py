"""`KernelSample`: independent draws of (N, K_w, K_b, K) at one input."""

from dataclasses import dataclass
from math import log

import numpy as np

from finitewidth._memory import available, readable
from finitewidth._shapes import Bool, Float
from finitewidth.law.sampler.one_pass import Block
from finitewidth.law.sampler.streams import blocks
from finitewidth.network import MLP
from finitewidth.statistics.blocks import Progress


@dataclass(frozen=True)
class Scaled:
    """Numbers ≥ 0 as ``value · 2**power``."""

    value: Float[np.ndarray, " n"]
    power: np.ndarray

    def plain(self, name: str) -> Float[np.ndarray, " n"]:
        """As doubles; what is below their range is 0.

        Raises
        ------
        ValueError
            If one is above their range.
        """
        with np.errstate(over="ignore"):
            found = np.ldexp(self.value, np.clip(self.power, -3000, 3000))
        if np.isinf(found).any():
            raise ValueError(
                f"{name} of some networks is above the range of a double; use law.log_sample."
            )
        return found

    def log(self) -> Float[np.ndarray, " n"]:
        """Natural logs; −inf for 0."""
        with np.errstate(divide="ignore"):
            return np.log(self.value) + self.power * log(2.0)


def parts(net: MLP, block: Block) -> tuple[Scaled, Scaled, Scaled, Scaled]:
    """N², K_w, K_b and K of a block, dead networks included."""
    norm = Scaled(np.where(block.alive, block.norm, 0.0), block.norm_power)
    weights = Scaled(norm.value * block.shares, block.norm_power)
    if not net.trains_biases:
        nothing = Scaled(np.zeros(len(norm.value)), np.zeros_like(block.norm_power))
        return norm, weights, nothing, weights
    rate = net.bias_lr
    biases = Scaled(
        np.where(block.alive, block.biases, 1.0) * rate,
        np.where(block.alive, block.biases_power, 0),
    )
    top = np.maximum(weights.power, biases.power)
    total = sum(
        np.ldexp(part.value, np.maximum(part.power - top, -3000)) for part in (weights, biases)
    )
    return norm, weights, biases, Scaled(np.asarray(total), top)


@dataclass(frozen=True)
class KernelSample:
    """Draws of the output and of the kernel, one entry a network.

    Attributes
    ----------
    output : array [size]
        N.
    weights, biases, kernel : array [size]
        K_w, K_b and K = K_w + K_b. A value below the range of a double is 0: see `alive`.
    alive : array [size]
        Whether no hidden layer is dead; in a dead network N = K_w = 0 and K_b = 1 exactly (times
        the biases' learning-rate factor).
    """

    output: Float[np.ndarray, " size"]
    weights: Float[np.ndarray, " size"]
    biases: Float[np.ndarray, " size"]
    kernel: Float[np.ndarray, " size"]
    alive: Bool[np.ndarray, " size"]


@dataclass(frozen=True)
class LogKernelSample:
    """The same draws as natural logs, for depths at which doubles run out; −inf for 0.

    Attributes
    ----------
    output : array [size]
        ln |N|.
    weights, biases, kernel : array [size]
        ln K_w, ln K_b, ln K.
    alive : array [size]
        As in `KernelSample`.
    """

    output: Float[np.ndarray, " size"]
    weights: Float[np.ndarray, " size"]
    biases: Float[np.ndarray, " size"]
    kernel: Float[np.ndarray, " size"]
    alive: Bool[np.ndarray, " size"]


def sample(
    net: MLP,
    squared_norm: float,
    size: int,
    seed: int,
    workers: int | None,
    progress: Progress | None,
) -> KernelSample:
    """Draw `size` networks; see `KernelLaw.sample`."""
    arrays = _storage(size)
    for start, block in blocks(net, squared_norm, size, seed, workers, progress):
        here = slice(start, start + len(block.alive))
        norm, *kernels = parts(net, block)
        arrays[0][here] = np.sign(block.output) * np.sqrt(norm.plain("N²"))
        for array, part, name in zip(arrays[1:], kernels, ("K_w", "K_b", "K"), strict=False):
            array[here] = part.plain(name)
        arrays[4][here] = block.alive
    return KernelSample(*arrays)


def log_sample(
    net: MLP,
    squared_norm: float,
    size: int,
    seed: int,
    workers: int | None,
    progress: Progress | None,
) -> LogKernelSample:
    """Draw `size` networks as logs; see `KernelLaw.log_sample`."""
    arrays = _storage(size)
    for start, block in blocks(net, squared_norm, size, seed, workers, progress):
        here = slice(start, start + len(block.alive))
        norm, *kernels = parts(net, block)
        arrays[0][here] = 0.5 * norm.log()
        for array, part in zip(arrays[1:], kernels, strict=False):
            array[here] = part.log()
        arrays[4][here] = block.alive
    return LogKernelSample(*arrays)


def _storage(size: int) -> list[np.ndarray]:
    """Arrays for a sample.

    Raises
    ------
    ValueError
        If they would not fit into the memory that is free.
    """
    needed, free = 33 * size, available()
    if needed > 0.8 * free:
        raise ValueError(
            f"a sample of {size} networks needs {readable(needed)}, and {readable(free)} are free; "
            f"ask for at most {int(0.8 * free / 33)}, or for law.summary or law.quantile, whose "
            "memory does not grow with the size."
        )
    return [*(np.empty(size) for _ in range(4)), np.empty(size, dtype=bool)]
