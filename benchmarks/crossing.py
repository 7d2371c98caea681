"""The crossing term: conditional Monte Carlo against real steps of dense networks."""

import time

import numpy as np

import finitewidth as fw
from benchmarks.table import Line
from benchmarks.timing import median_seconds
from finitewidth.law.crossing.leading import leading

ERROR = 0.01


def lines() -> list[Line]:
    """All lines of this benchmark."""
    widths = np.random.default_rng(0).integers(50, 5000, 10_000).tolist()
    unequal = fw.MLP(10, widths)
    return [
        _against_steps(fw.MLP.equal_width(10, 100, 3), 2000, 1.0),
        _against_steps(fw.MLP.equal_width(10, 400, 5), 60, 10.0),
        Line(
            "leading term, 10,000 unequal layers",
            median_seconds(lambda: leading(unequal, 10.0, 0.5)),
            limit=0.05,
        ),
    ]


def _against_steps(net: fw.MLP, networks: int, limit: float) -> Line:
    """Time to a standard error of 1 %, both in one run.

    The steps are real and frozen ones on the same dense networks at η = .1 in units of 1/E K.
    Their error of one network comes from the exact noise of the jumps, since a few networks
    cannot tell it.
    """
    law = fw.KernelLaw(net)
    rate = 0.1 / law.mean()
    size = 1024
    while True:
        start = time.perf_counter()
        found = law.crossing_mean(rate, size=size, method="conditional")
        seconds = time.perf_counter() - start
        if found.std_error < ERROR * abs(found.value):
            break
        size *= 2
    start = time.perf_counter()
    for pattern in ("real", "frozen"):
        fw.simulate.first_step(net, np.ones(10), 0.0, rate, size=networks, seed=0, pattern=pattern)
    each = (time.perf_counter() - start) / networks
    needed = law.step_variance(rate).jumps / (ERROR * found.value) ** 2
    width, hidden = net.widths[0], len(net.widths)
    return Line(
        f"crossing term to 1 %, width {width}, {hidden} hidden layers",
        seconds,
        seconds / (needed * each),
        f"{needed:.3g} dense networks (1/{needed * each / seconds:.3g})",
        limit,
        1 / 1000,
    )
