"""Var ΔK of one real step, at leading order in the width, with its parts named.

In one network a step carries few neurons across zero, each with a jump of K of order 1/n:

    jumps    λ Σ_j n_j E[ p_{y_u}(0) |e| (J² terms of `one_neuron`) ]              order λ n^(−3/2)
    drift    λ² (k/E|e|)² Var |e|                                              order λ² n^(−1)
    shared   2 λ² (k/E|e|) (f/E N²) Cov(|e|, e N)                              order λ² n^(−3/2)
    frozen   Var ΔK with the pattern frozen, exact                             order λ² n^(−2)

with e = N − t, k the crossing term and f the frozen mean per unit of λ. At large width the mean
of all crossings of a network is k|e|/E|e|, and its frozen change f eN/E N², up to relative
fluctuations of order n^(−1/2) that do not share the sign of either. For one hidden layer k and
the jumps are closed,

    jumps = λ n (2πQ)^(−1/2) E|N_{n−1} − t| ½ q³ c_2^(5/2) (1−α²)² (1+|α|) 8 √(2/π) .
"""

from dataclasses import dataclass
from math import erf, exp, hypot, pi, sqrt

from finitewidth.law.crossing import known
from finitewidth.law.crossing.conditional import conditional
from finitewidth.law.crossing.crossings import largest_rate, outside
from finitewidth.law.crossing.estimates import StepVariance
from finitewidth.law.crossing.leading import leading
from finitewidth.law.crossing.method import too_heavy
from finitewidth.law.crossing.one_hidden import mean_error, one_hidden
from finitewidth.network import MLP
from finitewidth.statistics.blocks import Progress, checked_seed, checked_size


@dataclass(frozen=True)
class Frozen:
    """What the exact law gives of the step with its pattern frozen.

    Attributes
    ----------
    mean, variance : float
        E ΔK and Var ΔK for this learning rate.
    output : float
        E N².
    """

    mean: float
    variance: float
    output: float


def step_variance(
    net: MLP,
    squared_norm: float,
    frozen: Frozen,
    rate: float,
    target: float,
    size: int,
    seed: int,
    workers: int | None,
    progress: Progress | None,
) -> StepVariance:
    """See `KernelLaw.step_variance`."""
    if not known.has_crossings(net):
        return StepVariance(
            frozen.variance, 0.0, 0, "closed", True, note=known.NOTHING, frozen=frozen.variance
        )
    known.check_sampled(net)
    known.check_target(net, target)
    guide = leading(net, squared_norm, target)
    problems = [outside(rate, largest_rate(net, guide))]
    moments = _errors(sqrt(frozen.output), target)
    if len(net.widths) == 1:
        mean, jumps = (
            one_hidden(net, squared_norm, target),
            _closed_jumps(net, squared_norm, target),
        )
        errors, count, way = (0.0, 0.0), 0, "closed"
    else:
        sampled = conditional(
            net, squared_norm, target, checked_size(size), checked_seed(seed), workers, progress
        )
        mean, jumps = float(sampled.value[0]), float(sampled.value[2])
        errors = float(sampled.std_error[0]), float(sampled.std_error[2])
        count, way = sampled.size, "conditional"
        problems.append(too_heavy(sampled))
    pull = rate * mean / moments.size
    drift = pull**2 * (moments.square - moments.size**2)
    shared = 2.0 * pull * frozen.mean / frozen.output * moments.with_output
    jumps *= rate
    error = hypot(rate * errors[1], abs(2.0 * drift + shared) * errors[0] / abs(mean or 1.0))
    problems = [problem for problem in problems if problem]
    quality = "leading order in the width: relative error of order 1/√n"
    return StepVariance(
        jumps + drift + shared + frozen.variance,
        error,
        count,
        way,
        trusted=not problems,
        note="; ".join([quality, *problems]),
        jumps=jumps,
        drift=drift,
        frozen=frozen.variance,
        shared=shared,
    )


@dataclass(frozen=True)
class Errors:
    """Moments of e = N − t for a normal N: E|e|, E e², Cov(|e|, e N)."""

    size: float
    square: float
    with_output: float


def _errors(deviation: float, target: float) -> Errors:
    place = abs(target)
    y = place / deviation
    bell, inside = sqrt(2.0 / pi) * exp(-0.5 * y * y), erf(y / sqrt(2.0))
    first = deviation * bell + place * inside
    signed = (place**2 + deviation**2) * inside + deviation * place * bell  # −sgn(t) E e|e|
    third = deviation**3 * bell * (y * y + 2.0)
    third += (place**3 + 3.0 * place * deviation**2) * inside
    product = third - place * signed - first * deviation**2
    return Errors(first, place**2 + deviation**2, product)


def _closed_jumps(net: MLP, squared_norm: float, target: float) -> float:
    first, last = net.layers()
    slope = float(net.act.slope or 0.0)
    variance = first.weight_variance * squared_norm
    gradient = first.weight_lr * squared_norm + (net.bias_lr if net.trains_biases else 0.0)
    outgoing = last.weight_variance
    error = mean_error(first.fan_out - 1, sqrt(outgoing * variance), target, slope)
    corner = (1.0 - slope * slope) ** 2 * (1.0 + abs(slope))
    jump = 4.0 * sqrt(2.0 / pi) * gradient**3 * outgoing**2.5 * corner
    return first.fan_out / sqrt(2.0 * pi * variance) * error * jump
