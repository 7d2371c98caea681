"""Guillen, Misof & Gerken (2025): the mean kernel of a ReLU network at finite width."""

import numpy as np

from finitewidth import expansion, simulate
from finitewidth._shapes import Float
from finitewidth.estimate import Estimate
from finitewidth.network import MLP
from finitewidth.report import Curve, Plot, Points
from finitewidth.reproduce.compare import Comparison, Quantity, Steps, all_numbers, scalar
from finitewidth.reproduce.result import Progress, Reproduction

INPUTS = ((-0.98952, -0.59925), (-0.17877, 2.25368))
ROUNDING = 5e-6 / 3.0**0.5
"""Standard deviation of what rounding to five digits takes from a coordinate."""

DIAGONAL, OFF_DIAGONAL = 2.67651, 0.998865
AT_20 = Estimate(0.9347, 0.0013, 0, "published")
NETWORKS = {10: 400_000, 20: 400_000, 40: 60_000, 80: 60_000}
"""Drawn at each width."""

WIDTHS = list(NETWORKS)


def network(width: int) -> MLP:
    """Three hidden layers without biases."""
    return MLP.equal_width(2, width, 3, bias=False)


def limit(inputs: Float[np.ndarray, "2 2"]) -> Float[np.ndarray, " 2"]:
    """Θ00 and Θ01 of infinitely wide networks."""
    kernel = expansion.kernel(network(100), inputs).infinite
    return np.array([kernel[0, 0], kernel[0, 1]])


def from_rounding() -> Float[np.ndarray, " 2"]:
    """Standard deviation of Θ00 and Θ01 by the rounding of the published inputs."""
    inputs, step = np.array(INPUTS), 1e-6
    total = np.zeros(2)
    for place in np.ndindex(2, 2):
        moved = inputs.copy()
        moved[place] += step
        total += ((limit(moved) - limit(inputs)) / step * ROUNDING) ** 2
    return np.sqrt(total)


def reproduce(*, quick: bool, seed: int, progress: Progress | None) -> Reproduction:
    """See `finitewidth.reproduce.reproduce`."""
    steps = Steps(progress, len(WIDTHS))
    inputs = np.array(INPUTS)
    found: dict[int, Estimate] = {}
    for width in WIDTHS:
        size = NETWORKS[width] // (200 if quick else 1)
        found[width] = simulate.ensemble(network(width), inputs, size, seed).mean()
        steps.done()
    rounded = from_rounding()
    first_order = {
        width: float(expansion.kernel(network(width), inputs).mean[0, 1]) for width in WIDTHS
    }
    wide = limit(inputs)
    comparisons = [
        Comparison(
            "limit",
            "Infinite width, from the inputs as printed",
            "Errors of the published numbers are those that rounding the published inputs to five "
            "digits causes.",
            [
                Quantity(
                    "Θ00", Estimate(DIAGONAL, rounded[0], 0, "published"), exact=float(wide[0])
                ),
                Quantity(
                    "Θ01", Estimate(OFF_DIAGONAL, rounded[1], 0, "published"), exact=float(wide[1])
                ),
            ],
            first="entry",
            meaning="K(x_a, x_b)",
            theory="theory",
            printed="published",
        ),
        Comparison(
            "diagonal",
            "Θ00 at finite width: no correction",
            "ReLU kernels of one input have their infinite-width mean at every width.",
            [
                Quantity(
                    f"n = {width}",
                    Estimate(DIAGONAL, rounded[0], 0, "published"),
                    exact=float(wide[0]),
                    simulated=scalar(found[width]),
                )
                for width in WIDTHS
            ],
            first="width",
            meaning="of the three hidden layers",
            theory="theory",
            printed="published",
        ),
        Comparison(
            "off-diagonal",
            "Θ01 at finite width",
            "Theory is the expansion to first order in 1/n; z holds what it leaves out, of order "
            "1/n², which shows at n = 10. z published includes the published error.",
            [
                Quantity(
                    f"n = {width}",
                    AT_20 if width == 20 else None,
                    exact=first_order[width],
                    simulated=scalar(found[width], 1),
                )
                for width in WIDTHS
            ],
            first="width",
            meaning="of the three hidden layers",
            theory="first order",
            printed="published",
        ),
    ]
    return Reproduction(
        "guillen",
        "Guillen, Misof & Gerken (2025): mean kernel at finite width",
        "M. Guillen, P. Misof, J. E. Gerken, arXiv 2508.11522, Figure 3",
        "ReLU, four weight layers, hidden gain 2, readout gain 1, no biases, ntk parametrization "
        "(derivatives with respect to weights of unit variance), two inputs in the plane.",
        [
            (
                "The published limits hold up to the rounding of the printed inputs, and the "
                "diagonal has no correction at any width. At n = 20 the first order in 1/n gives "
                "the mean off the diagonal to about 0.2 %."
            ),
        ],
        [one.table() for one in comparisons],
        [_figure(found, float(wide[1]))],
        all_numbers(comparisons),
        seed,
        main=3,
    )


def _figure(found: dict[int, Estimate], wide: float) -> Plot:
    fine = np.geomspace(WIDTHS[0], WIDTHS[-1], 30)
    correction = expansion.kernel(network(100), np.array(INPUTS)).correction[0, 1] * 100
    return Plot(
        title="Mean kernel between two inputs against the width",
        sentence=(
            "First order in 1/n, networks drawn at random, and the published value at n = 20; one "
            "standard error."
        ),
        x_label="width n",
        y_label="E Θ01",
        series=[
            Curve("infinite width", fine, np.full(len(fine), wide)),
            Curve("first order in 1/n", fine, wide + correction / fine),
            Points.of("simulated", WIDTHS, [scalar(found[width], 1) for width in WIDTHS]),
            Points("published", [20], [AT_20.value], [AT_20.std_error]),
        ],
        log_x=True,
        x_ticks=WIDTHS,
    )
