"""The demo's tables, and how far the networks are from the exact law."""

from collections.abc import Iterator
from dataclasses import replace
from statistics import NormalDist

import numpy as np
from digits_results import Results

import finitewidth as fw
from finitewidth.report import Column, Table

# What a column holds is explained below the first table that has it.
LAYERS, EXACT, DRAWN, Z = Column("L"), Column("exact"), Column("networks"), Column("z", places=1)
FIRST_LAYERS = replace(LAYERS, meaning="hidden layers")
FIRST_EXACT = replace(EXACT, meaning="the exact law at this width and depth")
FIRST_DRAWN = replace(DRAWN, meaning="average over networks drawn at random (standard error)")
FIRST_Z = replace(Z, meaning="(networks − exact)/standard error, where that can be trusted")
LIMIT = Column("limit")
FIRST_LIMIT = replace(LIMIT, meaning="the limit in which depth and width grow in this ratio")
HEAVY = (
    "A value marked as not trusted is carried by a few rare networks, so that it and its error are "
    "likely too small: read the exact value there."
)


def z(estimate: fw.Estimate, exact: float) -> float | None:
    """Distance from the exact value in standard errors, None where the error is not trusted."""
    return float(np.asarray(estimate.z(exact)).item()) if estimate.trusted else None


def comparisons(results: Results) -> Iterator[float | None]:
    """Every z of the report."""
    for k in results.depths:
        yield z(k.measured_mean, k.mean)
        yield z(k.measured_spread, k.spread.exact)
        yield z(k.sampled_spread, k.spread.exact)
        yield z(k.measured_update, k.update.exact)
    for digit in results.digits:
        yield z(digit.measured_mean, digit.mean)
        yield z(digit.measured_spread, digit.spread)


def agreement(results: Results) -> str:
    """The sentence that sums up all comparisons."""
    found = list(comparisons(results))
    trusted = [value for value in found if value is not None]
    if not trusted:
        return f"None of the {len(found)} comparisons with networks has a trusted error bar."
    worst, count = max(abs(value) for value in trusted), len(trusted)
    bound = NormalDist().inv_cdf(1 - 0.025 / count)
    verdict = (
        "The simulated networks agree with the exact law"
        if worst <= bound
        else "Some average differs from the exact law by more than chance explains"
    )
    return (
        f"{verdict}: the largest |z| of the {count} comparisons with a trusted error bar is "
        f"{worst:.1f}, and chance alone exceeds {bound:.1f} in one of twenty such reports. "
        f"The other {len(found) - count} averages are carried by rare networks: their error bars "
        "are not trusted, and the exact value is the one to read."
    )


def tables(results: Results) -> list[Table]:
    """In the order of the page: mean, dispersion, update, digits."""
    s, depths = results.settings, results.depths
    paper = Column("paper", meaning="Hanin & Nica's e^(5β), which holds up to a constant factor")
    printed = Column(
        "paper", meaning="absolute value of (dβ|x|²/n₀)e^(5β) × learning rate", digits=3
    )
    sampled = Column(
        "sampled", meaning=f"{s.sampled} exact samples of the law of K, without building networks"
    )
    constant = Column("const.", meaning="exact/paper for β → 0, left open by the paper", digits=3)
    rate = Column(
        "rate",
        meaning="learning rate 1/E K: one step fits the image if K stays at its mean",
        digits=3,
    )
    return [
        Table(
            "Mean kernel E K",
            [
                FIRST_LAYERS,
                Column("β", meaning="hidden layers/width", digits=3),
                FIRST_EXACT,
                FIRST_DRAWN,
                FIRST_Z,
            ],
            [
                (k.hidden_layers, k.beta, k.mean, k.measured_mean, z(k.measured_mean, k.mean))
                for k in depths
            ],
            f"At the image of a {s.digit}, |x|² = {results.square:.2f}, {s.networks} networks.",
        ),
        Table(
            "Dispersion E K²/(E K)²",
            [LAYERS, EXACT, FIRST_LIMIT, paper, sampled, Z, DRAWN, Z],
            [
                (
                    k.hidden_layers,
                    k.spread.exact,
                    k.spread.limit,
                    k.spread.paper,
                    k.sampled_spread,
                    z(k.sampled_spread, k.spread.exact),
                    k.measured_spread,
                    z(k.measured_spread, k.spread.exact),
                )
                for k in depths
            ],
            f"1 means: the same kernel for every seed. {HEAVY}",
        ),
        Table(
            "First SGD step, activation pattern frozen: E ΔK/E K",
            [LAYERS, rate, EXACT, replace(LIMIT, digits=3), printed, constant, DRAWN, Z],
            [
                (
                    k.hidden_layers,
                    k.learning_rate,
                    k.update.exact,
                    k.update.limit,
                    k.update.paper,
                    k.update.constant,
                    k.measured_update,
                    z(k.measured_update, k.update.exact),
                )
                for k in depths
            ],
            f"First order in the learning rate, {s.steps} networks. The step shrinks the kernel on "
            f"average; the paper prints no sign. {HEAVY}",
        ),
        Table(
            f"Ten digits, L = {s.middle}: E K and dispersion",
            [
                Column("digit"),
                Column("|x|²", meaning="of the image; pixels from 0 to 1"),
                Column("E K"),
                Column("E K drawn"),
                Z,
                Column("disp."),
                Column("disp. drawn"),
                Z,
            ],
            [
                (
                    d.digit,
                    d.square,
                    d.mean,
                    d.measured_mean,
                    z(d.measured_mean, d.mean),
                    d.spread,
                    d.measured_spread,
                    z(d.measured_spread, d.spread),
                )
                for d in results.digits
            ],
            f"The first image of each digit; the same {s.steps} networks see all ten, so the rows "
            "err together.",
        ),
    ]
