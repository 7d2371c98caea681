"""Theorem 2 of Hanin & Nica (2020): the mean first change of the kernel, pattern frozen."""

from dataclasses import replace
from math import exp, log

from finitewidth import simulate
from finitewidth.law import JointLimit, KernelLaw
from finitewidth.network import MLP
from finitewidth.report import Column, Curve, Plot, Points, Table
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
from finitewidth.reproduce.result import Number, Progress, Reproduction

OPEN = ("update", "relative_update")
LARGE = (0.001, 1.0, 4.0, 16.0, 64.0)
PER_RATE = "All per unit of learning rate, on ½(N − t)², at first order, activation pattern frozen."


def update(drawn: Drawn) -> Quantity:
    """E ΔK/λ: no sign and 1/n_d = 1 in β printed; negative and hidden layers only corrected."""
    return drawn.row(
        with_output(drawn)["update"],
        -drawn.form("update"),
        drawn.law.update_mean(),
        drawn.enumerated({"update_ww": -2.0, "update_wb": -4.0}),
        drawn.update,
    )


def relative(drawn: Drawn) -> Quantity:
    """E ΔK/(λ E K) of equal widths: d β (|x|²/n_0) e^(5β), with and without 1/n_d = 1 in β."""
    net, exact_mean = drawn.net, drawn.law.mean()
    change = drawn.update
    u = drawn.law.squared_norm / net.n_in
    return drawn.row(
        net.depth * (net.beta + 1.0) * u * exp(5.0 * (net.beta + 1.0)),
        -drawn.form("relative_update"),
        drawn.law.relative_update(),
        None,
        scalar(change, over=exact_mean),
    )


def equal_width_form(ratio: float) -> float:
    """|E ΔK|/(λ E K) over d β e^(5β) for n → ∞ at d/n = ratio and |x|² = n_0.

    With E K = (3/2) n Λ and A_2 = ½ it is (4/3) (E Δ_ww/n² + 2 A_2 E Δ_wb/(n² A_2)) e^(−5Λ)/Λ³.
    """
    limit = JointLimit(ratio, 5.0)
    both = limit.update_ww() + limit.update_wb()
    return 4.0 / 3.0 * exp(both.log - 5.0 * ratio) / ratio**3


def powers() -> dict[str, Number]:
    """Local exponents of E ΔK/E K in the width at fixed depth, and in the depth at 1 ≪ d ≪ n."""

    def size(width: int, depth: int) -> float:
        return log(-KernelLaw(MLP.equal_width(1, width, depth - 1)).relative_update())

    return {
        "exponent of n, d = 5": (size(40_000, 5) - size(10_000, 5)) / log(4.0),
        "exponent of d, n = 10⁷": (size(10**7, 4_000) - size(10**7, 1_000)) / log(4.0),
    }


def reproduce(*, quick: bool, seed: int, progress: Progress | None) -> Reproduction:
    """See `finitewidth.reproduce.reproduce`."""
    steps = Steps(progress, len(nets(quick)) + 1)
    changes, relatives = [], []
    for net in nets(quick):
        drawn = Drawn(net, networks_of(net, quick), seed)
        changes.append(update(drawn))
        if len(net.runs) == 1:
            relatives.append(relative(drawn))
        steps.done()
    comparisons = [
        Comparison(
            "update",
            "E ΔK",
            "Printed: 2 (E Δ_ww + 2 E Δ_wb) without a sign and with 1/n_d = 1 in β. Corrected: "
            "negative, hidden layers only. ≃ leaves a constant open: 2 where β is small.",
            changes,
        ),
        Comparison(
            "relative",
            "E ΔK/E K, equal widths",
            "d β e^(5β) |x|²/n_0 with 1/n_d = 1 in β and without a sign (printed), and without "
            "it and negative (corrected).",
            relatives,
        ),
    ]
    plot = _figure(quick, seed)
    steps.done()
    found = powers()
    return Reproduction(
        "theorem2",
        "Theorem 2 of Hanin & Nica (2020): mean first change of the kernel",
        SOURCE,
        f"{SETTING} {PER_RATE}",
        [
            (
                "The size of E ΔK is as stated: exact over form stays between two constants. Its "
                "sign is not printed: one step shrinks the kernel on average. The form for equal "
                "widths holds for d/n up to order 1 and has one factor d/n too many beyond. A real "
                "step of a ReLU network changes the kernel by more, of order n^(−1/2): see "
                "real-step."
            ),
        ],
        [
            *(one.table() for one in comparisons),
            open_constants.table(OPEN, quick),
            Table(
                "Powers of E ΔK/E K",
                ["power", "printed", Column("exact law", digits=6)],
                [
                    (name, printed, float(found[name]))  # pyright: ignore[reportArgumentType]
                    for name, printed in zip(found, (-1, 2), strict=True)
                ],
                "d²/n at β → 0. Of n between 10⁴ and 4·10⁴; of d between 1000 and 4000.",
            ),
            Table(
                "Equal widths, n → ∞ at fixed d/n",
                ["d/n", "exact/form", "times d/n"],
                [(f"{x:g}", equal_width_form(x), x * equal_width_form(x)) for x in LARGE],
                "|E ΔK|/E K over d β e^(5β). No constant bounds it from below: it falls as "
                "(4/9)/(d/n). The form of general widths, in E ΔK above, has no such factor.",
            ),
        ],
        [plot],
        {
            **all_numbers(comparisons),
            **open_constants.constants(OPEN, quick),
            **found,
            **{f"equal widths, exact/form at d/n = {x:g}": equal_width_form(x) for x in LARGE},
        },
        seed,
        main=2,
    )


def _figure(quick: bool, seed: int) -> Plot:
    depth, widths = 5, [10, 20, 40, 80, 160]
    size = 150 if quick else 20_000
    drawn = []
    for width in widths:
        net = MLP.equal_width(4, width, depth - 1)
        change = simulate.first_step(net, unit_input(net), 0.0, 1.0, size, seed, "frozen")
        drawn.append(change.mean_first_order())
    mean = KernelLaw(MLP.equal_width(4, 10, depth - 1)).mean()
    fine = [10, 14, 20, 28, 40, 57, 80, 113, 160]
    laws = [KernelLaw(MLP.equal_width(4, width, depth - 1)) for width in fine]
    forms = [law.paper()["relative_update"].value.to_float("E ΔK/E K", "") for law in laws]
    return Plot(
        title="Mean first change of the kernel against the width",
        sentence=(
            f"d = {depth}, pattern frozen. The paper's d β e^(5β) has the right power of the width "
            f"and leaves a constant open; the sign is ours. Points are {size} networks each."
        ),
        x_label="width n",
        y_label="−E ΔK/(λ E K)",
        series=[
            Curve("paper, d β e^(5β)", fine, forms),
            Curve("exact law", fine, [-law.relative_update() for law in laws]),
            Points.of(
                "simulated, first order",
                widths,
                [
                    replace(
                        change,
                        value=-float(change.value[0, 0]) / mean,
                        std_error=float(change.std_error[0, 0]) / mean,
                    )
                    for change in drawn
                ],
            ),
        ],
        log_x=True,
        log_y=True,
        x_ticks=widths,
    )  # fmt: skip
