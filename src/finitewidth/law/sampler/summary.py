"""What a sample of any size says, in constant memory: moments, dead fraction, the law of ln K."""

from dataclasses import dataclass
from math import exp, expm1, fsum, inf, log, log1p, sqrt

import numpy as np

from finitewidth.estimate import Estimate
from finitewidth.law.inputs import PowerSums
from finitewidth.law.layerwise import activation_moment
from finitewidth.law.magnitude import Magnitude
from finitewidth.law.moments import moment
from finitewidth.law.sampler.histogram import LogHistogram
from finitewidth.law.sampler.jackknife import GROUPS, GroupedSums
from finitewidth.law.sampler.quantile import (
    Levels,
    Quantile,
    checked_levels,
    from_histogram,
    log_from_histogram,
)
from finitewidth.law.sampler.sample import parts
from finitewidth.law.sampler.streams import Progress, blocks
from finitewidth.network import MLP

TRUSTED_UP_TO = 0.1
"""Largest true relative standard error of a sampled moment that is reported as trusted."""

METHOD = "sampled law"

LEAST = 2 * GROUPS
"""Networks that a summary needs for its standard errors."""


@dataclass(frozen=True)
class LogLaw:
    """The law of a logarithm over the networks without a dead layer.

    Attributes
    ----------
    mean, variance, skewness, excess_kurtosis : Estimate
        The last two are 0 for a normal law.
    """

    mean: Estimate
    variance: Estimate
    skewness: Estimate
    excess_kurtosis: Estimate


@dataclass(frozen=True)
class SampleSummary:
    """A sample of the law in a few numbers, sampled and exact side by side.

    Attributes
    ----------
    mean, second_moment : Estimate
        Sampled E K/(exact E K) and E K²/(exact E K²): 1 within their errors. The errors are the
        exact ones, from the exact moments of order 2 and 4; where those are too large for this
        sample `trusted` is False.
    dispersion : Estimate
        Sampled E K²/(E K)², with its jackknife error; trusted where `second_moment` is.
    log_exact_mean, log_exact_second_moment : float
        Natural logs of the exact E K and E K².
    dead : Estimate
        Fraction of networks with a dead layer; its exact value is `exact_dead`.
    exact_dead : float
        1 − Π (1 − 2^(−n)) for ReLU, 0 for a ≠ 0.
    log_kernel : LogLaw
        Of ln K.
    log_norm : LogLaw
        Of ln (|x^(d−1)|²/n_{d−1})/(|x|²/n_0), the last hidden layer's squared norm a neuron.
    reference_mean, reference_variance : float
        What that log tends to at large width: a normal law of this mean and variance,
        Σ_j ln(C_W A_2) − (ν/2) Σ 1/n and ν Σ 1/n, ν = 3A_4/A_2² − 1 (ReLU: 5; Hanin & Nica 2018,
        arXiv 1812.05994).
    histogram : LogHistogram
        Counts of K.
    dead_value : float
        K of a dead network: the output bias alone.
    """

    mean: Estimate
    second_moment: Estimate
    dispersion: Estimate
    log_exact_mean: float
    log_exact_second_moment: float
    dead: Estimate
    exact_dead: float
    log_kernel: LogLaw
    log_norm: LogLaw
    reference_mean: float
    reference_variance: float
    histogram: LogHistogram
    dead_value: float

    def quantile(self, q: Levels) -> Quantile:
        """Quantiles of K from the histogram (0.068 % a bin); raises as `KernelLaw.quantile`."""
        return from_histogram(self.histogram, checked_levels(q), self.dead_value)

    def log_quantile(self, q: Levels) -> Quantile:
        """Quantiles of ln K from the histogram; raises among dead networks whose K is 0."""
        dead = log(self.dead_value) if self.dead_value else -inf
        return log_from_histogram(self.histogram, checked_levels(q), dead)


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
    second, fourth = (float(activation_moment(net, order)) for order in (2, 4))
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
    histogram = LogHistogram()
    log_kernel = GroupedSums(4, 0.0)
    log_norm = GroupedSums(4, reference[0])
    over = GroupedSums(2, 1.0)
    over_mean: list[float] = []
    over_second: list[float] = []
    for start, block in blocks(net, squared_norm, size, seed, workers, progress):
        norm, _, _, kernel = parts(net, block)
        logs = kernel.log()
        alive = np.flatnonzero(block.alive)
        index = start + alive
        if start == 0 and len(alive):
            log_kernel.shift = float(logs[alive].mean())
        histogram.add(logs[alive] / log(2.0), len(logs) - len(alive))
        log_kernel.add(logs[alive], index)
        squares = np.log(block.output[alive] ** 2 * unit)
        log_norm.add(norm.log()[alive] - squares, index)
        ratio = np.exp(logs - exact[1].log)
        over.add(ratio, start + np.arange(len(ratio)))
        over_mean.append(float(ratio.sum()))
        over_second.append(float(np.exp(2 * logs - exact[2].log).sum()))
    dead = histogram.dead / size
    exact_dead = exact_dead_fraction(net)
    if histogram.dead > size - LEAST:
        raise ValueError(
            f"{histogram.dead} of {size} networks have a dead layer (exactly {exact_dead:.6g} of "
            f"all), and a summary needs {LEAST} living ones; draw more, or use wider layers."
        )
    second = _ratio("E K²", fsum(over_second) / size, exact[4] / exact[2] ** 2, size)
    spread, error, _ = over.estimate(lambda m: 1.0 + m[1] / m[0] ** 2)
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
        histogram=histogram,
        dead_value=net.bias_lr if net.trains_biases else 0.0,
    )


def _ratio(name: str, value: float, dispersion: Magnitude, size: int) -> Estimate:
    """A sampled moment over its exact value, with the error that the next moments imply."""
    log_error = 0.5 * ((dispersion - Magnitude(1.0)).log - log(size))
    error = exp(min(log_error, 600.0))
    if error <= TRUSTED_UP_TO:
        return Estimate(value, error, size, METHOD)
    shown = f"{100 * error:.3g} % of" if error < 1 else f"{error:.3g} times"
    if log_error > 20:
        shown = f"e^{log_error:.4g} times"
    return Estimate(
        value,
        error,
        size,
        METHOD,
        trusted=False,
        note=f"the sampled {name} of {size} networks has a true standard error {shown} its "
        "value: rare networks carry it; use the exact moment, law.log_moment.",
    )


def _log_law(sums: GroupedSums) -> LogLaw:
    def estimate(statistic) -> Estimate:
        value, error, size = sums.estimate(statistic)
        return Estimate(value, error, size, METHOD)

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
