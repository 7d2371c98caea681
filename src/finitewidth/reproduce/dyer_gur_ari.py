"""Dyer & Gur-Ari (2019): the variance of the kernel falls as 1/n, here up to width 131,072."""

from dataclasses import dataclass

import numpy as np

from finitewidth import expansion, simulate
from finitewidth._shapes import Float
from finitewidth.estimate import Estimate
from finitewidth.law import KernelLaw
from finitewidth.network import MLP
from finitewidth.report import Column, Curve, Plot, Points, Table
from finitewidth.reproduce.compare import Comparison, Quantity, Steps, all_numbers, scalar
from finitewidth.reproduce.result import Progress, Reproduction

PUBLISHED = {"identity": -1.01, "relu": -1.02, "tanh": -0.99}
"""Exponents of Var Θ."""

GAINS = {"identity": 1.0, "relu": 2.0, "tanh": 1.0}
INPUT = (1.0, 0.5)
SEEDS = 1_000
POWERS = tuple(range(7, 18))
THEIR_POWERS = tuple(range(7, 14))
DEFERRED_FROM = 512
"""Width from which matrices are not drawn in full; the law is the same."""


@dataclass(frozen=True)
class Scan:
    """One activation at all widths.

    Attributes
    ----------
    activation : str
    widths : array [W]
    variances : list of Estimate
        Var Θ(x, x) of random networks.
    theory : array [W]
        Exact law, or the expansion to first order in 1/n where there is none.
    coefficient : float
        n Var Θ by the expansion.
    """

    activation: str
    widths: Float[np.ndarray, " W"]
    variances: list[Estimate]
    theory: Float[np.ndarray, " W"]
    coefficient: float

    @property
    def sizes(self) -> Float[np.ndarray, " W"]:
        """Networks drawn at each width."""
        return np.array([float(one.size) for one in self.variances])

    @property
    def for_one(self) -> float:
        """Relative error of a variance times √networks, pooled over the widths.

        A width's own error goes with its variance: weights by it would pull the fit down.
        """
        own = np.array([float(one.std_error) / float(one.value) for one in self.variances])
        return float(np.sqrt(np.mean(own**2 * self.sizes)))

    @property
    def relative(self) -> Float[np.ndarray, " W"]:
        """Relative errors of the variances."""
        return self.for_one / np.sqrt(self.sizes)

    def fit(self, values: Float[np.ndarray, " W"]) -> Estimate:
        """Exponent of `values` in the width, weighted by the errors of the variances."""
        return power_law(self.widths, values, self.relative, int(self.sizes.sum()))


def network(activation: str, width: int) -> MLP:
    """Three hidden layers without biases."""
    return MLP.equal_width(
        len(INPUT), width, 3, activation=activation, hidden_gain=GAINS[activation], bias=False
    )


def power_law(
    widths: Float[np.ndarray, " W"],
    values: Float[np.ndarray, " W"],
    relative: Float[np.ndarray, " W"],
    size: int = 0,
) -> Estimate:
    """Slope of ln value against ln width by weighted least squares, with its error.

    `size` is the number of networks behind the values.
    """
    logs, weights = np.log(widths), relative**-2.0
    centred = logs - weights @ logs / weights.sum()
    spread = float(weights @ centred**2)
    slope = float((weights * centred) @ np.log(values)) / spread
    return Estimate(slope, spread**-0.5, size, "weighted fit")


def variance(activation: str, width: int, size: int, seed: int) -> Estimate:
    """Var Θ(x, x) of random networks, of independent streams for every activation and width."""
    place = list(PUBLISHED).index(activation)
    seed = int(np.random.SeedSequence([seed, place, width]).generate_state(1)[0])
    method = "deferred" if width >= DEFERRED_FROM else "dense"
    drawn = simulate.ensemble(network(activation, width), np.array(INPUT), size, seed, method)
    return scalar(drawn.variance())


def theory(activation: str, width: int) -> float:
    """Exact variance where the activation is 1-homogeneous, else to first order in 1/n."""
    net = network(activation, width)
    if net.act.slope is not None:
        return KernelLaw(net, np.array(INPUT)).variance()
    return float(expansion.kernel(net, np.array(INPUT)).variance[0, 0])


def implied_error(scan: Scan) -> float:
    """The error of the published fit, from the errors that 1000 seeds a width have."""
    widths = 2.0 ** np.array(THEIR_POWERS)
    relative = np.full(len(widths), scan.for_one / SEEDS**0.5)
    return float(power_law(widths, 1.0 / widths, relative).std_error)


def wide_coefficient(activation: str) -> float:
    """n Var Θ by the expansion."""
    width = 10**6
    found = expansion.kernel(network(activation, width), np.array(INPUT))
    return width * float(found.variance[0, 0])


def reproduce(*, quick: bool, seed: int, progress: Progress | None) -> Reproduction:
    """See `finitewidth.reproduce.reproduce`."""
    powers = (*POWERS[:4], 13) if quick else POWERS
    steps = Steps(progress, len(PUBLISHED) * len(powers))
    scans = []
    for activation in PUBLISHED:
        variances = []
        for power in powers:
            variances.append(variance(activation, 2**power, 100 if quick else SEEDS, seed))
            steps.done()
        scans.append(
            Scan(
                activation,
                np.array([2.0**power for power in powers]),
                variances,
                np.array([theory(activation, 2**power) for power in powers]),
                wide_coefficient(activation),
            )
        )
    exponents = Comparison(
        "exponent",
        "Exponent of Var Θ in the width",
        "Weighted fit over the widths. Theory: the same fit of the exact variances (identity, "
        "ReLU), or −1 of the expansion (tanh). Published without an error: z published holds ours "
        "alone.",
        [
            Quantity(
                scan.activation,
                PUBLISHED[scan.activation],
                exact=float(scan.fit(scan.theory).value),
                simulated=scan.fit(np.array([float(one.value) for one in scan.variances])),
            )
            for scan in scans
        ],
        first="activation",
        meaning=f"of three hidden layers; widths 2^{powers[0]} to 2^{powers[-1]}",
        theory="theory",
        printed="published",
    )
    coefficients = Comparison(
        "coefficient",
        "n Var Θ in wide networks",
        "Theory: the 1/n expansion. Simulated: the mean over widths of 1024 and more.",
        [
            Quantity(scan.activation, None, exact=scan.coefficient, simulated=coefficient(scan))
            for scan in scans
        ],
        first="activation",
        meaning="of three hidden layers",
        theory="expansion",
    )
    theirs = []
    for scan, row in zip(scans, exponents.rows, strict=True):
        published, error = PUBLISHED[scan.activation], implied_error(scan)
        assert isinstance(row.exact, float)
        z = (published - row.exact) / error
        theirs.append((scan.activation, published, row.exact, error, z))
    return Reproduction(
        "dyer-gur-ari",
        "Dyer & Gur-Ari (2019): the variance of the kernel falls as 1/n",
        "E. Dyer, G. Gur-Ari, Asymptotics of wide networks from Feynman diagrams, arXiv 1909.11304",
        "Three hidden layers, no biases, ntk parametrization (derivatives with respect to weights "
        "of unit variance), hidden gain 1 (identity, tanh) and 2 (ReLU), readout gain 1, one input "
        f"{INPUT}; the exponent does not depend on gains or inputs.",
        [
            (
                "The exponent is −1 for all three activations, up to widths 16 times the published "
                "ones, and so is what stands in front of it: the expansion's coefficient."
            ),
        ],
        [
            exponents.table(),
            coefficients.table(),
            Table(
                "The published exponents with the error that their seeds imply",
                [
                    "activation",
                    "published",
                    Column("theory"),
                    Column("error", digits=2, meaning="of a fit to 1000 seeds at 2^7 to 2^13"),
                    Column("z", places=1, meaning="published from theory"),
                ],
                theirs,
            ),
        ],
        [_figure(scans)],
        {
            **all_numbers([exponents, coefficients]),
            **{
                f"Var Θ, {scan.activation}, n = {int(width)}": one
                for scan in scans
                for width, one in zip(scan.widths, scan.variances, strict=True)
            },
            **{f"published z, {name}": z for name, *_, z in theirs},
        },
        seed,
        main=3,
    )


def coefficient(scan: Scan) -> Estimate:
    """n Var Θ, the mean over widths of 1024 and more, weighted by the networks drawn."""
    chosen = scan.widths >= 1024
    values = np.array([float(one.value) for one in scan.variances]) * scan.widths
    size = scan.sizes[chosen].sum()
    mean = float(scan.sizes[chosen] @ values[chosen] / size)
    error = mean * scan.for_one / float(size) ** 0.5
    return Estimate(mean, error, int(size), "weighted mean")


def _figure(scans: list[Scan]) -> Plot:
    """n Var Θ over the expansion's coefficient; the activations stand side by side."""
    series: list[Curve | Points] = [
        Curve(scan.activation, scan.widths, scan.theory * scan.widths / scan.coefficient)
        for scan in scans
    ]
    for scan, shift in zip(scans, (0.92, 1.0, 1.09), strict=True):
        factor = scan.widths / scan.coefficient
        series.append(
            Points(
                f"{scan.activation}, drawn",
                scan.widths * shift,
                np.array([float(one.value) for one in scan.variances]) * factor,
                np.array([float(one.std_error) for one in scan.variances]) * factor,
            )
        )
    return Plot(
        title="Variance of the kernel times the width",
        sentence=(
            "Over its limit by the 1/n expansion: level, so the variance falls as 1/n. Curves are "
            "the exact law (identity, relu) and the expansion (tanh); points, set side by side, "
            f"are random networks, whose matrices are not drawn in full from width {DEFERRED_FROM}."
        ),
        x_label="width n",
        y_label="n Var Θ(x, x) over its limit",
        series=series,
        log_x=True,
    )
