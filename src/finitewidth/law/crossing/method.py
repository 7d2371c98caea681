"""Which method leads to the crossing term: closed, leading or conditional."""

from math import exp, inf

import numpy as np

from finitewidth._large import check_cost
from finitewidth.estimate import Estimate
from finitewidth.law.crossing import known
from finitewidth.law.crossing.conditional import HEAVY, Sampled, conditional
from finitewidth.law.crossing.crossings import largest_rate, outside
from finitewidth.law.crossing.estimates import CrossingTerm
from finitewidth.law.crossing.leading import Leading, leading
from finitewidth.law.crossing.one_hidden import one_hidden
from finitewidth.network import MLP
from finitewidth.statistics.blocks import Progress, checked_seed, checked_size

METHODS = ("auto", "closed", "leading", "conditional")

WIDE = 1e-3
"""β = Σ 1/n below which the leading term is as good as a sample of ordinary size."""

ROUGH = 0.5
"""β above which the leading term is not to be relied on."""

DEEP = 1000
"""Hidden layers beyond which `auto` does not sample."""


def picked(net: MLP, method: object) -> str:
    """The method that will be used.

    Raises
    ------
    ValueError
        For an unknown method.
    """
    if method not in METHODS:
        raise ValueError(f"method is {method!r}, expected one of {', '.join(METHODS)}.")
    if method != "auto":
        return str(method)
    hidden = len(net.widths)
    if hidden == 1:
        return "closed"
    return "leading" if net.beta <= WIDE or hidden > DEEP else "conditional"


def crossing_term(
    net: MLP,
    squared_norm: float,
    rate: float,
    target: float,
    method: str,
    size: int,
    seed: int,
    workers: int | None,
    progress: Progress | None,
) -> CrossingTerm:
    """See `KernelLaw.crossing_mean`."""
    way = picked(net, method)
    if not known.has_crossings(net):
        layers = np.zeros(len(net.widths))
        return CrossingTerm(0.0, 0.0, 0, "closed", True, note=known.NOTHING, layers=layers)
    known.check_sampled(net)
    known.check_target(net, target)
    guide = leading(net, squared_norm, target)
    largest = largest_rate(net, guide)
    problems = [outside(rate, largest)]
    if way == "closed":
        (value,) = _times(rate, one_hidden(net, squared_norm, target))
        error, count, exact, layers = 0.0, 0, True, np.array([value])
        quality = "one hidden layer: exact at this width"
    elif way == "leading":
        value, error, count, exact, layers = _from_leading(guide, rate)
        quality = f"large width: relative error about {150 * net.beta:.2g} % or less"
        if net.beta > ROUGH:
            problems.append(
                f"the leading term neglects Σ 1/n, here {net.beta:.3g}; use method='conditional'"
            )
    else:
        sampled = _draw(net, squared_norm, target, size, seed, workers, progress)
        value, error, *changes = _times(
            rate, sampled.value[0], sampled.std_error[0], *sampled.layers
        )
        count, exact, layers = sampled.size, True, np.array(changes)
        quality = "conditional Monte Carlo: exact at this width up to the standard error"
        problems.append(too_heavy(sampled))
    problems = [problem for problem in problems if problem]
    note = "; ".join([f"method {way} ({quality})", *problems])
    return CrossingTerm(
        value, error, count, way, exact, not problems, note, layers=layers, largest_rate=largest
    )


def _times(rate: float, *values: float) -> list[float]:
    """Numbers times the learning rate.

    Raises
    ------
    ValueError
        If one leaves the range of a double.
    """
    found = [rate * float(value) for value in values]
    if not np.isfinite(found).all():
        raise ValueError(
            f"learning_rate is {rate:g}, at which the crossing term leaves the range of a double; "
            "use a smaller one."
        )
    return found


def _from_leading(guide: Leading, rate: float) -> tuple[float, float, int, bool, np.ndarray]:
    known.log_fits(guide.total + np.log(rate), "the crossing term")
    layers = 0.0 - rate * np.exp(guide.terms)
    value = -rate * exp(guide.total) if guide.total > -inf else 0.0
    return value, 0.0, 0, False, layers


def _draw(
    net: MLP,
    squared_norm: float,
    target: float,
    size: int,
    seed: int,
    workers: int | None,
    progress: Progress | None,
) -> Sampled:
    number = checked_size(size)
    if number < 64:
        raise ValueError(f"size is {number}, expected at least 64 networks for a standard error.")
    check_cost(
        f"the crossing term of {number} networks of {net.depth} layers",
        1e-7 * number * net.depth,
        0.0,
        "lower the size",
    )
    return conditional(net, squared_norm, target, number, checked_seed(seed), workers, progress)


def too_heavy(sampled: Sampled) -> str:
    """A sentence if single networks carry the mean, or nothing."""
    if sampled.heaviest <= HEAVY:
        return ""
    return (
        f"one network of {sampled.size} holds {100 * sampled.heaviest:.2g} % of the mean, so its "
        "standard error is not reliable; use a larger size"
    )


def mean_number(
    net: MLP,
    squared_norm: float,
    rate: float,
    target: float,
    size: int,
    seed: int,
    workers: int | None,
    progress: Progress | None,
) -> Estimate:
    """See `KernelLaw.crossings`."""
    if not known.has_crossings(net):
        return Estimate(0.0, 0.0, 0, "closed", exact=True, note=known.NOTHING)
    known.check_sampled(net)
    known.check_target(net, target)
    guide = leading(net, squared_norm, target)
    problem = outside(rate, largest_rate(net, guide))
    if picked(net, "auto") == "leading":
        total = float(np.logaddexp.reduce(guide.crossings)) + float(np.log(rate))
        known.log_fits(total, "the number of crossings")
        value, error, count, exact, way = exp(total), 0.0, 0, False, "leading"
    else:
        sampled = _draw(net, squared_norm, target, size, seed, workers, progress)
        value, error = _times(rate, sampled.value[1], sampled.std_error[1])
        count, exact, way = sampled.size, True, "conditional"
    return Estimate(value, error, count, way, exact, not problem, problem)
