"""The sampler's questions, with their input checked: sample, quantile, summary."""

from math import inf, log

import numpy as np

from finitewidth._large import check_cost
from finitewidth.law.inputs import PowerSums
from finitewidth.law.sampler import quantile as quantiles
from finitewidth.law.sampler.from_draws import summarise
from finitewidth.law.sampler.quantile import Levels, Quantile
from finitewidth.law.sampler.sample import KernelSample, LogKernelSample, parts
from finitewidth.law.sampler.sample import log_sample as draw_logs
from finitewidth.law.sampler.sample import sample as draw
from finitewidth.law.sampler.streams import blocks
from finitewidth.law.sampler.summary import SampleSummary
from finitewidth.network import MLP
from finitewidth.statistics import ordered as counting
from finitewidth.statistics.blocks import Progress, checked_seed, checked_size
from finitewidth.statistics.quantiles import ranks

SMALLEST_SLOPE = 1e-100
WIDEST = 2**62

PER_LAYER = 6e-8
"""Seconds that a layer of a network takes, on one thread; measured."""


def check_sampled(net: MLP) -> None:
    """Whether the law of this network can be sampled.

    Raises
    ------
    ValueError
        For weights that are not Gaussian, a slope whose square a double cannot hold, or a width
        beyond 64-bit integers.
    """
    if net.act.slope and not SMALLEST_SLOPE <= abs(net.act.slope) <= 1 / SMALLEST_SLOPE:
        size = "small" if abs(net.act.slope) < 1 else "large"
        raise ValueError(
            f"negative_slope is {net.act.slope:g}, too {size} for the sampler's doubles; use a "
            f"slope between {SMALLEST_SLOPE:g} and {1 / SMALLEST_SLOPE:g} in size, or relu."
        )
    widest = max((width for width, _ in net.runs), default=1)
    if widest > WIDEST:
        raise ValueError(f"a layer's width is {widest}, expected at most {WIDEST} to be sampled.")
    if not net.law.is_gaussian:
        raise ValueError(
            f"the law is sampled for Gaussian weights, got {net.law.name!r}; use "
            "fw.simulate.ensemble for this one (docs: Simulating "
            "random networks), or the exact moments."
        )


def _checked(net: MLP, size: object) -> int:
    """The size; raises if the sample takes longer than was asked for."""
    count = checked_size(size)
    check_cost(
        f"drawing {count} networks of {net.depth} layers",
        (net.depth + 4) * (count * PER_LAYER + 2e-5),
        0.0,
        "ask for fewer of them, or for fewer layers",
    )
    return count


def sample(
    net: MLP, sums: PowerSums, size: int, seed: int, workers: int | None, progress: Progress | None
) -> KernelSample:
    """See `KernelLaw.sample`."""
    check_sampled(net)
    count, start = _checked(net, size), checked_seed(seed)
    return draw(net, float(sums(2)), count, start, workers, progress)


def log_sample(
    net: MLP, sums: PowerSums, size: int, seed: int, workers: int | None, progress: Progress | None
) -> LogKernelSample:
    """See `KernelLaw.log_sample`."""
    check_sampled(net)
    count, start = _checked(net, size), checked_seed(seed)
    return draw_logs(net, float(sums(2)), count, start, workers, progress)


def summary(
    net: MLP, sums: PowerSums, size: int, seed: int, workers: int | None, progress: Progress | None
) -> SampleSummary:
    """See `KernelLaw.summary`."""
    check_sampled(net)
    return summarise(net, sums, _checked(net, size), checked_seed(seed), workers, progress)


def quantile(
    net: MLP,
    sums: PowerSums,
    q: Levels,
    part: str,
    size: int,
    seed: int,
    workers: int | None,
    progress: Progress | None,
    *,
    logs: bool,
) -> Quantile:
    """See `KernelLaw.quantile` and `KernelLaw.log_quantile`."""
    check_sampled(net)
    count, start = _checked(net, size), checked_seed(seed)
    levels = quantiles.checked_levels(q)
    for level in levels.flat:
        ranks(float(level), count)  # too small a sample is refused before drawing
    place = {"weights": 1, "biases": 2, "kernel": 3}[part]
    found = np.empty(count) if count <= counting.SORTED_UP_TO else None
    ordered = counting.Ordered()
    for first, block in blocks(net, float(sums(2)), count, start, workers, progress):
        value = parts(net, block)[place]
        if found is not None:
            here = slice(first, first + len(block.alive))
            found[here] = value.log() if logs else value.plain("K")
        else:
            counted = value.log()[block.alive] / log(2.0)
            counted = counted[counted > -inf]  # a part may be 0 in living networks too
            ordered.add(counted, len(block.alive) - len(counted))
    if found is not None:
        found.sort()
        return quantiles.from_sorted(found, levels)
    dead = net.bias_lr if part != "weights" and net.trains_biases else 0.0
    if logs:
        return quantiles.log_from_ordered(ordered, levels, log(dead) if dead else -inf)
    return quantiles.from_ordered(ordered, levels, dead)
