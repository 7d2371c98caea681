"""The sampled law: against dense networks, and against its own random numbers."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import numpy as np

import finitewidth as fw
from benchmarks.table import Line
from finitewidth.law.sampler.one_pass import draw_block
from finitewidth.law.sampler.streams import BLOCK

SIZE = 64 * BLOCK


def lines() -> list[Line]:
    """All lines of this benchmark."""
    net = fw.MLP.equal_width(128, 128, 8)
    leaky = fw.MLP.equal_width(128, 128, 8, activation="leaky_relu", negative_slope=0.2)
    return [
        _against_dense(net),
        _against_draws("sampling, ReLU, width 128, 8 hidden layers, one thread", net, 1.25),
        _against_draws("sampling, LeakyReLU, the same", leaky, 1.5),
        _flat_in_width(),
    ]


def _paired(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    """Median time of `first` and median ratio to `second`, run in turn."""
    times = []
    for _ in range(7):
        row = []
        for job in (first, second):
            start = time.perf_counter()
            job()
            row.append(time.perf_counter() - start)
        times.append(row)
    return median(a for a, _ in times[1:]), median(a / b for a, b in times[1:])


def _against_dense(net: fw.MLP) -> Line:
    """Networks a second on all cores: exact samples against the fastest dense networks."""
    size = 16 * SIZE
    law = fw.KernelLaw(net)
    start = time.perf_counter()
    law.sample(size, 0)
    sampled = (time.perf_counter() - start) / size
    dense = min(_dense_seconds(net, build) for build in (_dense_numpy, _dense_torch))
    return Line(
        f"one network, width 128, 8 hidden layers, {os.cpu_count()} threads",
        sampled,
        sampled / dense,
        f"dense, float32 (1/{dense / sampled:.0f})",
        ratio_at_most=1 / 600,
    )


def _dense_seconds(net: fw.MLP, build: Callable[[fw.MLP, int, int], Callable]) -> float:
    """Seconds a network of a dense rival with one stream a thread."""
    threads, batch, rounds = os.cpu_count() or 1, 32, 6
    jobs = [build(net, batch, seed) for seed in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda job: job(), jobs))
        start = time.perf_counter()
        list(pool.map(lambda job: [job() for _ in range(rounds)], jobs))
        return (time.perf_counter() - start) / (threads * batch * rounds)


def _dense_numpy(net: fw.MLP, batch: int, seed: int) -> Callable[[], np.ndarray]:
    """K of a batch of dense networks: float32, weights drawn into one buffer a layer."""
    rng = np.random.Generator(np.random.SFC64(seed))
    layers = list(net.layers())
    weights = [np.empty((batch, la.fan_out, la.fan_in), dtype=np.float32) for la in layers]

    def job() -> np.ndarray:
        for weight in weights:
            rng.standard_normal(out=weight, dtype=np.float32)
        return _kernel(net, layers, weights, np.maximum)

    return job


def _kernel(net: fw.MLP, layers: list, weights: list, maximum: Callable) -> np.ndarray:
    x = np.ones((len(weights[0]), net.n_in, 1), dtype=np.float32)
    states = [x]
    for layer, weight in zip(layers, weights, strict=True):
        y = weight @ states[-1] * np.float32(layer.weight_variance**0.5)
        states.append(y if layer.is_output else maximum(y, 0))
    delta = np.ones_like(states[-1])
    total = np.zeros(len(x), dtype=np.float32)
    for layer, weight, below, above in zip(
        reversed(layers),
        reversed(weights),
        reversed(states[:-1]),
        reversed(states[1:]),
        strict=True,
    ):
        if not layer.is_output:
            delta = delta * (above > 0)
        norm = (below * below).sum(axis=(1, 2)) * np.float32(layer.weight_lr) + 1
        total += norm * (delta * delta).sum(axis=(1, 2))
        delta = weight.transpose(0, 2, 1) @ delta * np.float32(layer.weight_variance**0.5)
    return total


def _dense_torch(net: fw.MLP, batch: int, seed: int) -> Callable[[], np.ndarray]:
    """The same with PyTorch's faster normal numbers; infinitely slow where torch is absent."""
    try:
        import torch
    except ImportError:
        return lambda: np.asarray(time.sleep(1))
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(seed)
    layers = list(net.layers())
    weights = [torch.empty(batch, la.fan_out, la.fan_in) for la in layers]
    views = [weight.numpy() for weight in weights]

    def job() -> np.ndarray:
        for weight in weights:
            weight.normal_(generator=generator)
        return _kernel(net, layers, views, np.maximum)

    return job


def _against_draws(name: str, net: fw.MLP, goal: float) -> Line:
    """One thread, against NumPy drawing the same binomial, χ² and normal numbers."""
    squares = 2 if net.act.slope == 0.0 else 4

    def draws() -> None:
        rng = np.random.Generator(np.random.SFC64(0))
        for _ in range(SIZE // BLOCK):
            rng.standard_normal(BLOCK)
            for width in net.widths:
                active = rng.binomial(width, 0.5, BLOCK)
                degrees = [active, active - 1, width - active, width - active - 1][:squares]
                for degree in degrees:
                    rng.standard_gamma(0.5 * degree)
                if squares == 4:
                    rng.standard_normal(BLOCK)

    def sampled() -> None:
        rng = np.random.Generator(np.random.SFC64(0))
        for _ in range(SIZE // BLOCK):
            draw_block(net, float(net.n_in), rng, BLOCK)

    seconds, ratio = _paired(sampled, draws)
    return Line(name, seconds, ratio, "its own draws by NumPy", ratio_at_most=goal)


def _flat_in_width() -> Line:
    """Width 10⁹ against width 1,000."""

    def sampled(width: int) -> Callable[[], object]:
        law = fw.KernelLaw(fw.MLP.equal_width(128, width, 8))
        return lambda: law.sample(SIZE, 0)

    seconds, ratio = _paired(sampled(10**9), sampled(1000))
    return Line("sampling at width 10⁹", seconds, ratio, "at width 1,000", ratio_at_most=1.5)
