"""Seleznova & Kutyniok (2022): the dispersion of the kernel of two deep networks of width 100."""

import numpy as np

from finitewidth import simulate
from finitewidth.estimate import Estimate
from finitewidth.law import KernelLaw
from finitewidth.network import MLP
from finitewidth.report import Column, Curve, Plot, Points, Table
from finitewidth.reproduce.compare import Comparison, Quantity, Steps, all_numbers, scalar
from finitewidth.reproduce.result import Progress, Reproduction

WIDTH, N_IN, THEIR_NETWORKS = 100, 100, 500
PUBLISHED = {10: 1.254, 25: 1.860}
"""E Θ²/(E Θ)² by the number of hidden layers."""

READINGS = {
    "standard": ("standard, readout gain 2", {"output_gain": 2.0, "parametrization": "standard"}),
    "ntk": ("ntk, readout gain 2", {"output_gain": 2.0, "parametrization": "ntk"}),
    "hanin-nica": ("ntk, readout gain 1", {"output_gain": 1.0, "parametrization": "ntk"}),
}
"""The published one first; the others are the same question in another parametrization."""


def network(reading: str, hidden_layers: int) -> MLP:
    """Width 100, hidden gain 2, biases zero and trained."""
    return MLP.equal_width(N_IN, WIDTH, hidden_layers, **READINGS[reading][1])


def unit_vector() -> np.ndarray:
    """|x| = 1; the direction does not matter."""
    return np.full(N_IN, N_IN**-0.5)


def row(reading: str, hidden_layers: int, size: int, seed: int) -> Quantity:
    """One dispersion, published for the standard parametrization alone."""
    net = network(reading, hidden_layers)
    return Quantity(
        f"{READINGS[reading][0]}, L = {hidden_layers}",
        PUBLISHED[hidden_layers] if reading == "standard" else None,
        exact=KernelLaw(net, unit_vector()).dispersion(),
        simulated=scalar(simulate.ensemble(net, unit_vector(), size, seed).dispersion()),
    )


def error_of(found: Estimate, networks: int) -> float:
    """The standard error that fewer networks of the same law have."""
    return float(found.std_error) * (found.size / networks) ** 0.5


def reproduce(*, quick: bool, seed: int, progress: Progress | None) -> Reproduction:
    """See `finitewidth.reproduce.reproduce`."""
    work = [(reading, layers) for reading in READINGS for layers in PUBLISHED]
    steps = Steps(progress, len(work))
    rows = []
    for reading, layers in work:
        size = 60 if quick else 12_000 if layers == 10 else 8_000
        rows.append(row(reading, layers, size, seed))
        steps.done()
    comparison = Comparison(
        "dispersion",
        "E Θ²/(E Θ)²",
        f"Published: from {THEIR_NETWORKS} networks, without an error, so that z printed holds "
        "our error alone. The second and third pair ask the same of the same networks in other "
        "parametrizations: numbers of different papers must not be mixed.",
        rows,
        first="parametrization",
        meaning="L hidden layers; readout variance is gain/100",
    )
    theirs = []
    for one in rows[: len(PUBLISHED)]:
        assert one.simulated is not None
        assert isinstance(one.exact, float)
        assert isinstance(one.printed, float)
        error = error_of(one.simulated, THEIR_NETWORKS)
        theirs.append((one.name, one.printed, one.exact, error, (one.printed - one.exact) / error))
    return Reproduction(
        "seleznova",
        "Seleznova & Kutyniok (2022): dispersion of the kernel at width 100",
        "M. Seleznova, G. Kutyniok, Neural tangent kernel beyond the infinite-width limit: effects "
        "of depth and initialization, ICML 2022",
        "ReLU, width 100, n_0 = 100, |x| = 1, standard parametrization (derivatives with respect "
        "to the weights themselves), weight variance 2/n in every layer including the last, "
        "biases zero and trained. The other parametrizations are named row by row.",
        [
            (
                "Both published values are within the sampling error of their 500 networks from "
                "the exact law in the standard parametrization, and above it in the others."
            ),
        ],
        [
            comparison.table(),
            Table(
                "The published values with the error that 500 networks have",
                [
                    "network",
                    "published",
                    Column("exact law", digits=6),
                    Column("error", meaning=f"of {THEIR_NETWORKS} networks, as our sample implies"),
                    Column("z", places=1, meaning="published from exact"),
                ],
                theirs,
            ),
        ],
        [_figure(rows)],
        {
            **all_numbers([comparison]),
            **{f"published z, {name}": z for name, *_, z in theirs},
        },
        seed,
        main=2,
    )


def _figure(rows: list[Quantity]) -> Plot:
    layers = list(range(1, 31))
    found = {one.name: one.simulated for one in rows}
    series: list[Curve | Points] = [
        Curve(
            label,
            layers,
            [KernelLaw(network(reading, count), unit_vector()).dispersion() for count in layers],
        )
        for reading, (label, _) in READINGS.items()
    ]
    simulated = [found[f"{READINGS['standard'][0]}, L = {count}"] for count in PUBLISHED]
    series.append(
        Points.of(
            "simulated, standard", list(PUBLISHED), [one for one in simulated if one is not None]
        )
    )
    errors = [error_of(one, THEIR_NETWORKS) for one in simulated if one is not None]
    series.append(
        Points(
            "published, error of 500",
            [count + 0.7 for count in PUBLISHED],
            list(PUBLISHED.values()),
            errors,
        )
    )
    return Plot(
        title="Dispersion of the kernel against the depth at width 100",
        sentence=(
            "Curves are the exact law in three parametrizations; points are networks drawn at "
            "random and, a little to the right, the published values, one standard error. These "
            "belong to the standard parametrization."
        ),
        x_label="hidden layers L",
        y_label="E Θ²/(E Θ)²",
        series=series,
    )
