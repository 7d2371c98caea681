"""The deep and wide limit d/n → Λ of Hanin & Nica (2020), with its constants."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import exp

from finitewidth import simulate
from finitewidth.estimate import Estimate
from finitewidth.law import JointLimit, KernelLaw
from finitewidth.network import MLP
from finitewidth.report import Column, Curve, Plot, Points, Table
from finitewidth.reproduce.compare import Comparison, Quantity, Steps, all_numbers, scalar
from finitewidth.reproduce.networks import SETTING, SOURCE, unit_input
from finitewidth.reproduce.result import Progress, Reproduction

RELU = 5.0
"""ν of ReLU."""

QUANTITIES: Mapping[
    str, tuple[Callable[[JointLimit], float], Callable[[KernelLaw, int], float]]
] = {
    "E K_w²/(E K_w)²": (
        lambda limit: limit.weights().to_float("", ""),
        lambda law, _: law.dispersion("weights"),
    ),
    "E K_b²/(E K_b)²": (
        lambda limit: limit.biases().to_float("", ""),
        lambda law, _: law.dispersion("biases"),
    ),
    "E K_b K_w/(E K_b E K_w)": (
        lambda limit: limit.cross().to_float("", ""),
        lambda law, _: law.cross_moment() / law.mean("weights") / law.mean("biases"),
    ),
    "E Δ_ww/n²": (
        lambda limit: limit.update_ww().to_float("", ""),
        lambda law, n: law.update_parts()["ww"] / n**2,
    ),
    "E Δ_wb/n²": (
        lambda limit: 0.5 * limit.update_wb().to_float("", ""),
        lambda law, n: law.update_parts()["wb"] / n**2,
    ),
}
"""Limit and finite value; |x|² = n_0."""


def law_at(ratio: float, width: int) -> KernelLaw:
    """Equal widths, d/n = ratio."""
    net = MLP.equal_width(4, width, round(ratio * width) - 1)
    return KernelLaw(net, unit_input(net))


def extrapolated(values: tuple[float, float, float]) -> float:
    """From widths n, 2n, 4n: without the terms in 1/n and 1/n²."""
    first, second = 2 * values[1] - values[0], 2 * values[2] - values[1]
    return (4 * second - first) / 3


def dispersion(ratio: float) -> float:
    """The limit of E K²/(E K)² at |x|² = n_0, where E K_w = 2 E K_b."""
    return JointLimit(ratio, RELU).dispersion(2.0, 1.0).to_float("", "")


def stored(ratio: float, width: int, size: int, seed: int) -> Estimate:
    """E K²/(E K)² of networks whose matrices are drawn."""
    net = law_at(ratio, width).net
    return scalar(simulate.ensemble(net, unit_input(net), size, seed).dispersion())


def chain(ratio: float, width: int, size: int, seed: int) -> Estimate:
    """E K²/(E K)² of networks drawn by the O(depth) sampler, which shares nothing with moments."""
    found = law_at(ratio, width).summary(size, seed).dispersion
    return replace(scalar(found), method="sampled law")


def reproduce(*, quick: bool, seed: int, progress: Progress | None) -> Reproduction:
    """See `finitewidth.reproduce.reproduce`."""
    ratio = 0.5
    widths = (100, 200, 400) if quick else (1000, 2000, 4000)
    cases: list[tuple[str, Callable[[float, int, int, int], Estimate], float, int, int]] = [
        ("stored", stored, 0.25, 16, 100_000),
        ("stored", stored, 0.25, 40, 40_000),
        ("chain", chain, 0.25, 100, 400_000),
        ("chain", chain, 0.25, 1000, 200_000),
        ("chain", chain, 0.1, 200, 400_000),
    ]
    steps = Steps(progress, len(QUANTITIES) + len(cases))
    limit, convergence = JointLimit(ratio, RELU), []
    for name, (of_limit, of_law) in QUANTITIES.items():
        values = tuple(of_law(law_at(ratio, width), width) for width in widths)
        last = extrapolated((values[0], values[1], values[2]))
        wanted = of_limit(limit)
        convergence.append((name, wanted, *values, last / wanted - 1))
        steps.done()
    rows, points = [], {}
    for how, draw, at, width, size in cases:
        found = draw(at, width, size // 20 if quick else size, seed)
        law = law_at(at, width)
        rows.append(
            Quantity(
                f"d/n = {at:g}, n = {width}, {how}",
                exp(5.0 * at),
                dispersion(at),
                law.dispersion(),
                None,
                found,
            )
        )
        points[(at, width)] = found
        steps.done()
    comparison = Comparison(
        "dispersion",
        "E K²/(E K)²",
        "Printed: e^(5d/n), up to the constant that ≃ leaves open. Stored: networks with matrices. "
        "Chain: one number a layer, the exact law of K. z is from the exact law at this width.",
        rows,
        meaning="equal hidden widths n, d weight layers",
        correction="limit",
    )
    spread = [
        (width, _at_depth(5, width), law_at(0.25, width).relative_variance())
        for width in (20, 80, 320, 1280)
    ]
    return Reproduction(
        "joint-limit",
        "Deep and wide: the limit d/n → Λ",
        SOURCE,
        SETTING,
        [
            (
                "As stated, the kernel does not become deterministic while d/n stays: Var K/(E K)² "
                "tends to a constant, and to 0 at fixed depth. The limits of the moments are "
                "reached with corrections of order 1/n."
            ),
        ],
        [
            Table(
                f"Convergence at d/n = {ratio:g}",
                [
                    "quantity",
                    Column("limit", digits=6),
                    *(Column(f"n = {width}", digits=6) for width in widths),
                    Column(
                        "left",
                        digits=2,
                        meaning="relative difference of the widths' extrapolation from the limit",
                    ),
                ],
                convergence,
                "Exact law at three widths, extrapolated by removing the terms in 1/n and 1/n².",
            ),
            comparison.table(),
            Table(
                "Var K/(E K)²: fixed depth, and fixed d/n",
                [Column("n", places=0), Column("d = 5"), Column("d = n/4")],
                spread,
                f"In the limit {dispersion(0.25) - 1:.4f} at d = n/4, and 0 at d = 5.",
            ),
        ],
        [_figure(points)],
        {
            **all_numbers([comparison]),
            **{f"{name}, limit": value for name, value, *_ in convergence},
            **{f"{name}, left": row[-1] for name, *row in convergence},
            **{f"Var K/(E K)², d = n/4, n = {width}": value for width, _, value in spread},
            **{f"Var K/(E K)², d = 5, n = {width}": value for width, value, _ in spread},
        },
        seed,
        main=2,
    )


def _at_depth(depth: int, width: int) -> float:
    net = MLP.equal_width(4, width, depth - 1)
    return KernelLaw(net, unit_input(net)).relative_variance()


def _figure(points: dict[tuple[float, int], Estimate]) -> Plot:
    """Exact over limit against the width."""
    widths = [8, 12, 16, 20, 40, 60, 100, 160, 240, 400, 640, 1000]
    series: list[Curve | Points] = []
    for ratio in (0.1, 0.25, 0.5):
        label = f"exact law, d/n = {ratio:g}"
        whole = [width for width in widths if (ratio * width).is_integer() and ratio * width > 1]
        values = [law_at(ratio, width).dispersion() / dispersion(ratio) for width in whole]
        series.append(Curve(label, whole, values))
    for ratio in (0.1, 0.25):
        here = {width: found for (at, width), found in points.items() if at == ratio}
        series.append(
            Points(
                f"drawn, d/n = {ratio:g}",
                list(here),
                [float(found.value) / dispersion(ratio) for found in here.values()],
                [float(found.std_error) / dispersion(ratio) for found in here.values()],
                [found.trusted for found in here.values()],
            )
        )
    return Plot(
        title="How the limit is reached",
        sentence=(
            "E K²/(E K)² over its limit at fixed d/n: the exact law, networks with matrices "
            "(n ≤ 40) and the law's sampler (n ≥ 100), one standard error. The rest is of order "
            "1/n."
        ),
        x_label="width n",
        y_label="E K²/(E K)² over its limit",
        series=series,
        log_x=True,
    )
