"""From draws to a `SampleSummary`, in memory that has a bound."""

from math import exp, expm1, fsum, log, log1p, sqrt

import numpy as np

from finitewidth.estimate import Estimate
from finitewidth.law.inputs import PowerSums
from finitewidth.law.layerwise import float_moment
from finitewidth.law.magnitude import Magnitude
from finitewidth.law.moments import dispersion, moment
from finitewidth.law.sampler.sample import parts
from finitewidth.law.sampler.streams import blocks
from finitewidth.law.sampler.summary import LogLaw, SampleSummary
from finitewidth.network import MLP
from finitewidth.statistics.blocks import Progress
from finitewidth.statistics.grouped_sums import GROUPS, GroupedSums
from finitewidth.statistics.ordered import Ordered
from finitewidth.statistics.trust import large_true_error

TRUSTED_UP_TO = 0.1
"""Largest true relative standard error of a sampled moment that is reported as trusted."""

METHOD = "sampled law"

LEAST = 2 * GROUPS
"""Networks that a summary needs for its standard errors."""


def exact_dead_fraction(net: MLP) -> float:
    """1 − Π (1 − 2^(−n_i)) over the hidden layers for ReLU; 0 where a ≠ 0."""
    if net.act.slope != 0.0:
        return 0.0
    total = 0.0
    for width, count in net.runs:
        if width == 1:
            # log(1 − ½) per layer
            total += count * log(0.5)
        else:
            total += count * log1p(-(2.0**-width))
    return -expm1(total) + 0.0


def wide_log_norm(net: MLP) -> tuple[float, float]:
    """Mean and variance of the log squared norm a neuron at large width (Hanin & Nica 2018)."""
    second, fourth = (float_moment(net, order) for order in (2, 4))
    nu = 3 * fourth / second**2 - 1
    drift = (net.depth - 1) * log(net.hidden_gain * second)
    return drift - nu / 2 * net.beta, nu * net.beta


def summarise(
    net: MLP,
    sums: PowerSums,
    size: int,
    seed: int,
    workers: int | None,
    progress: Progress | None,
) -> SampleSummary:
    """Draw `size` networks and keep only their summary; see `KernelLaw.summary`."""
    if size < LEAST:
        raise ValueError(
            f"size is {size}, too few for the standard errors of a summary; draw at least {LEAST}."
        )
    exact = {order: moment(net, sums, order, "kernel") for order in (1, 2, 4)}
    last = net.layer(net.depth, net.runs[-1][0] if net.runs else net.n_in, 1)
    squared_norm = float(sums(2))
    unit = last.weight_variance * last.fan_in / net.n_in * squared_norm
    reference = wide_log_norm(net)
    ordered = Ordered()
    log_kernel = log_norm = over = GroupedSums(0.0, np.zeros((GROUPS, 1)))  # nothing yet
    over_mean: list[float] = []
    over_second: list[float] = []
    for start, block in blocks(net, squared_norm, size, seed, workers, progress):
        norm, _, _, kernel = parts(net, block)
        logs = kernel.log()
        alive = np.flatnonzero(block.alive)
        index = start + alive
        ordered.add(logs[alive] / log(2.0), len(logs) - len(alive))
        shift = log_kernel.shift if start else None
        log_kernel += GroupedSums.of(logs[alive], index, shift=shift)
        squares = np.log(block.output[alive] ** 2 * unit)
        log_norm += GroupedSums.of(norm.log()[alive] - squares, index, shift=reference[0])
        ratio = np.exp(logs - exact[1].log)
        over += GroupedSums.of(ratio, start + np.arange(len(ratio)), 2, 1.0)
        over_mean.append(float(ratio.sum()))
        over_second.append(float(np.exp(2 * logs - exact[2].log).sum()))
    dead = ordered.lowest / size
    exact_dead = exact_dead_fraction(net)
    if ordered.lowest > size - LEAST:
        raise ValueError(
            f"{ordered.lowest} of {size} networks have a dead layer (exactly {exact_dead:.6g} of "
            f"all), and a summary needs {LEAST} living ones; draw more, or use wider layers."
        )
    second = _ratio("E K²", fsum(over_second) / size, exact[4] / exact[2] ** 2, size)
    spread, error = over.estimate(lambda m: 1.0 + m[1] / m[0] ** 2, empty_groups=True)
    return SampleSummary(
        mean=_ratio("E K", fsum(over_mean) / size, exact[2] / exact[1] ** 2, size),
        second_moment=second,
        dispersion=Estimate(spread, error, size, METHOD, trusted=second.trusted, note=second.note),
        log_exact_mean=exact[1].log,
        log_exact_second_moment=exact[2].log,
        dead=Estimate(dead, sqrt(exact_dead * (1 - exact_dead) / size), size, METHOD),
        exact_dead=exact_dead,
        log_kernel=_log_law(log_kernel),
        log_norm=_log_law(log_norm),
        reference_mean=reference[0],
        reference_variance=reference[1],
        ordered=ordered,
        dead_value=net.bias_lr if net.trains_biases else 0.0,
        net=net,
        squared_norm=squared_norm,
        log_dispersion=dispersion(net, sums).log,
        seed=seed,
    )


def _ratio(name: str, value: float, dispersion: Magnitude, size: int) -> Estimate:
    """A sampled moment over its exact value, with the error that the next moments imply."""
    log_error = 0.5 * ((dispersion - Magnitude(1.0)).log - log(size))
    way_out = "use the exact moment, law.log_moment"
    note = large_true_error(name, size, log_error, TRUSTED_UP_TO, way_out)
    return Estimate(value, exp(min(log_error, 600.0)), size, METHOD).doubted(note)


def _log_law(sums: GroupedSums) -> LogLaw:
    def estimate(statistic) -> Estimate:
        return Estimate(*sums.estimate(statistic, empty_groups=True), sums.size, METHOD)

    def shape(power: int, normal: float):
        def statistic(m: list[float]) -> float:
            if m[1] <= (1e-13 * (1.0 + abs(m[0]))) ** 2:
                return 0.0  # a constant, up to rounding, has no shape
            return m[power - 1] / m[1] ** (power / 2) - normal

        return statistic

    return LogLaw(
        estimate(lambda m: m[0]),
        estimate(lambda m: m[1]),
        estimate(shape(3, 0.0)),
        estimate(shape(4, 3.0)),
    )
