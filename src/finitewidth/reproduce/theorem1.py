"""Theorem 1 of Hanin & Nica (2020): mean and second moment of the kernel at initialisation."""

from math import exp

from finitewidth import simulate
from finitewidth.law import JointLimit, KernelLaw
from finitewidth.network import MLP
from finitewidth.report import Curve, Plot, Points
from finitewidth.reproduce import open_constants
from finitewidth.reproduce.compare import Comparison, Quantity, Steps, all_numbers, scalar
from finitewidth.reproduce.networks import (
    SETTING,
    SOURCE,
    Drawn,
    nets,
    networks_of,
    unit_input,
    with_output,
)
from finitewidth.reproduce.result import Progress, Reproduction

OPEN = ("kernel_squared", "dispersion")


def mean(drawn: Drawn) -> Quantity:
    """E K: d (u + ½) printed, d u + 1 + ½ Σ_j Π_(i<j) (1 − 2^(−n_i)) corrected; u = |x|²/n_0."""
    return drawn.row(
        drawn.net.depth * (drawn.law.squared_norm / drawn.net.n_in + 0.5),
        drawn.form("kernel_mean"),
        drawn.law.mean(),
        drawn.enumerated({"weights": 1.0, "biases": 1.0}),
        scalar(drawn.kernels.mean()),
    )


def second_moment(drawn: Drawn) -> Quantity:
    """E K²: the printed form, with 1/n_d = 1 in its sums, and with hidden layers only."""
    return drawn.row(
        with_output(drawn)["kernel_squared"],
        drawn.form("kernel_squared"),
        drawn.law.moment(2),
        drawn.enumerated({"weights_squared": 1.0, "cross": 2.0, "biases_squared": 1.0}),
        scalar(drawn.kernels.moment(2)),
    )


def dispersion(drawn: Drawn) -> Quantity:
    """E K²/(E K)² of equal widths: e^(5β) with and without 1/n_d = 1."""
    return drawn.row(
        with_output(drawn)["dispersion"],
        drawn.form("dispersion"),
        drawn.law.dispersion(),
        None,
        scalar(drawn.kernels.dispersion()),
    )


def reproduce(*, quick: bool, seed: int, progress: Progress | None) -> Reproduction:
    """See `finitewidth.reproduce.reproduce`."""
    steps = Steps(progress, len(nets(quick)) + 1)
    found: dict[str, list[Quantity]] = {"mean": [], "second-moment": [], "dispersion": []}
    for net in nets(quick):
        drawn = Drawn(net, networks_of(net, quick), seed)
        found["mean"].append(mean(drawn))
        found["second-moment"].append(second_moment(drawn))
        if len(net.runs) == 1:
            found["dispersion"].append(dispersion(drawn))
        steps.done()
    comparisons = [
        Comparison(
            "mean",
            "E K",
            "Printed as an equality: d (½ + |x|²/n_0). The biases' part is wrong: the output bias "
            "counts 1, a hidden one ½ where no layer below it is dead.",
            found["mean"],
        ),
        Comparison(
            "second-moment",
            "E K²",
            "Printed: every sum over layers includes 1/n_d = 1. Corrected: hidden layers only. ≃ "
            "leaves a constant open, so that a large z refutes the printed number, not the order "
            "of growth.",
            found["second-moment"],
        ),
        Comparison(
            "dispersion",
            "E K²/(E K)², equal widths",
            "e^(5β) with 1/n_d = 1 in β (printed) and without (corrected).",
            found["dispersion"],
        ),
    ]
    plot = _figure(quick, seed)
    steps.done()
    return Reproduction(
        "theorem1",
        "Theorem 1 of Hanin & Nica (2020): mean and second moment of the kernel",
        SOURCE,
        SETTING,
        [
            (
                "The theorem's growth holds: exact over form stays between two constants, and the "
                "exponent tends to 5. The printed mean does not hold, and no printed number does "
                "while β includes the output layer."
            ),
        ],
        [*(one.table() for one in comparisons), open_constants.table(OPEN, quick, exponents=True)],
        [plot],
        {**all_numbers(comparisons), **open_constants.constants(OPEN, quick)},
        seed,
        main=2,
    )


def limit(ratio: float) -> float:
    """E K²/(E K)² in wide networks with d/n = ratio and |x|² = n_0, where E K_w = 2 E K_b."""
    return JointLimit(ratio, 5.0).dispersion(2.0, 1.0).to_float("the limit", "")


def _figure(quick: bool, seed: int) -> Plot:
    width, depths = 20, [2, 4, 6, 8, 10]
    size = 300 if quick else 40_000
    drawn = [
        scalar(simulate.ensemble(net, unit_input(net), size, seed).dispersion())
        for net in (MLP.equal_width(4, width, depth - 1) for depth in depths)
    ]
    ratios = [0.01 * step for step in range(5, 61)]
    exact = [KernelLaw(MLP.equal_width(4, width, depth - 1)) for depth in range(2, 13)]
    return Plot(
        title="Spread of the kernel over seeds against d/n",
        sentence=(
            f"The paper's e^(5β) leaves a constant open; the exact law at width {width} and its "
            f"wide limit show it. Points are {size} networks each, one standard error; hollow "
            "where few networks carry the average."
        ),
        x_label="d/n",
        y_label="E K²/(E K)²",
        series=[
            Curve("paper, e^(5d/n)", ratios, [exp(5.0 * x) for x in ratios]),
            Curve("limit n → ∞", ratios, [limit(x) for x in ratios]),
            Curve(
                f"exact law, n = {width}",
                [law.net.depth / width for law in exact],
                [law.dispersion() for law in exact],
            ),
            Points.of(f"simulated, n = {width}", [depth / width for depth in depths], drawn),
        ],
        log_y=True,
    )
