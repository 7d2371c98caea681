"""The demo's tables, figures and page: draws finished numbers and computes none."""

from collections.abc import Iterator
from math import sqrt
from statistics import NormalDist

import numpy as np
import sklearn
from digits_results import Kernel, Results

import finitewidth as fw
from finitewidth.report import Column, Curve, Page, Plot, Points, Provenance, Section, Steps, Table

LAYERS = Column("L", meaning="hidden layers")
EXACT = Column("exact", meaning="the exact law at this width and depth")
LIMIT = Column("limit", meaning="the limit of width and depth growing together at this ratio")
MEASURED = Column("networks", meaning="average over networks drawn at random (standard error)")
Z = Column("z", meaning="(networks − exact)/standard error, where that can be trusted", places=1)
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
    verdict = "The networks agree with the exact law" if worst <= bound else "LOOK CLOSER"
    return (
        f"{verdict}: the largest |z| of the {count} comparisons with a trusted error bar is "
        f"{worst:.1f}; chance alone exceeds {bound:.1f} once in twenty such reports. "
        f"{len(found) - count} further averages are carried by rare networks and not trusted."
    )


def tables(results: Results) -> list[Table]:
    """In the order of the page: mean, dispersion, update, digits."""
    s, depths = results.settings, results.depths
    paper = Column("paper", meaning="Hanin & Nica's e^(5β), which holds up to a constant factor")
    printed = Column("paper", meaning="absolute value of (dβ|x|²/n₀)e^(5β) × learning rate")
    constant = Column("const.", meaning="exact/paper for β → 0, left open by the paper", digits=3)
    rate = Column("rate", meaning="learning rate 1/E K, which would fit a frozen kernel at once")
    return [
        Table(
            "Mean kernel E K",
            [LAYERS, Column("β", meaning="hidden layers/width", digits=3), EXACT, MEASURED, Z],
            [
                (k.hidden_layers, k.beta, k.mean, k.measured_mean, z(k.measured_mean, k.mean))
                for k in depths
            ],
            f"At the image of a {s.digit}, |x|² = {results.square:.2f}, {s.networks} networks.",
        ),
        Table(
            "Dispersion E K²/(E K)²",
            [LAYERS, EXACT, LIMIT, paper, MEASURED, Z],
            [
                (k.hidden_layers, k.spread.exact, k.spread.limit, k.spread.paper)
                + (k.measured_spread, z(k.measured_spread, k.spread.exact))
                for k in depths
            ],
            f"1 means: the same kernel for every seed. {HEAVY}",
        ),
        Table(
            "First SGD step, activation pattern frozen: E ΔK/E K",
            [LAYERS, rate, EXACT, LIMIT, printed, constant, MEASURED, Z],
            [
                (k.hidden_layers, k.learning_rate, k.update.exact, k.update.limit, k.update.paper)
                + (k.update.constant, k.measured_update, z(k.measured_update, k.update.exact))
                for k in depths
            ],
            f"First order in the learning rate, {s.steps} networks. The step shrinks the kernel on "
            f"average; the paper prints no sign. {HEAVY}",
        ),
        Table(
            f"Ten digits, {s.middle} hidden layers",
            [Column("digit"), Column("|x|²", meaning="of the image; pixels from 0 to 1")]
            + [Column("E K"), Column("E K, networks"), Column("z of E K", places=1)]
            + [Column("dispersion"), Column("disp., networks"), Column("z of disp.", places=1)],
            [
                (d.digit, d.square, d.mean, d.measured_mean, z(d.measured_mean, d.mean))
                + (d.spread, d.measured_spread, z(d.measured_spread, d.spread))
                for d in results.digits
            ],
            f"The first image of each digit; the same {s.steps} networks see all ten, so the rows "
            "err together.",
        ),
    ]


def spread_figure(results: Results) -> Plot:
    """Dispersion against depth."""
    first, last, x = results.depths[0], results.depths[-1], depths_of(results)
    return Plot(
        "Randomness against depth",
        f"The dispersion of the kernel grows from {first.spread.exact:.3f} with "
        f"{first.hidden_layers} hidden layer to {last.spread.exact:.2f} with {last.hidden_layers}: "
        "two seeds of a deep narrow network have different kernels. The limit follows the exact "
        f"law; the paper's e^(5β) has the right growth, but is {over(last):.1f} times too large "
        "here, since its constant is not 1. Hollow points lack the rare networks that carry the "
        "average.",
        "hidden layers L",
        "dispersion E K²/(E K)²",
        [
            Curve("exact law", x, [k.spread.exact for k in results.depths]),
            Curve("joint limit", x, [k.spread.limit for k in results.depths]),
            Curve("paper, e^(5β)", x, [k.spread.paper for k in results.depths]),
            Points.of("networks", x, [k.measured_spread for k in results.depths]),
        ],
        log_x=True,
        log_y=True,
        x_ticks=x,
    )


def over(kernel: Kernel) -> float:
    """How many times too large the paper's dispersion is."""
    return kernel.spread.paper / kernel.spread.exact


def depths_of(results: Results) -> list[int]:
    """The hidden layers of every depth."""
    return [k.hidden_layers for k in results.depths]


def update_figure(results: Results) -> Plot:
    """Relative change of the kernel against depth."""
    last, x = results.depths[-1], depths_of(results)
    positive = [k for k in results.depths if float(np.asarray(k.measured_update.value).item()) < 0]
    return Plot(
        "First SGD step, activation pattern frozen",
        f"One step at the rate 1/E K shrinks the kernel by {-last.update.exact:.0%} on average "
        f"with {last.hidden_layers} hidden layers, and by "
        f"{-results.depths[0].update.exact:.1%} with {results.depths[0].hidden_layers}: only the "
        "shallow network stays near its kernel. The paper's form, times its constant for β → 0, "
        "is right to start with and too steep later.",
        "hidden layers L",
        "−E ΔK/E K, activation pattern frozen",
        [
            Curve("exact law", x, [-k.update.exact for k in results.depths]),
            Curve("joint limit", x, [-k.update.limit for k in results.depths]),
            Curve(
                "paper × constant", x, [k.update.paper * k.update.constant for k in results.depths]
            ),
            Points.of(
                "networks",
                [k.hidden_layers for k in positive],
                [negative(k.measured_update) for k in positive],
            ),
        ],
        log_x=True,
        log_y=True,
        x_ticks=x,
    )
