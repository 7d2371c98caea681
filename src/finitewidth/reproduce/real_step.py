"""What one real SGD step does to a ReLU kernel, beside Theorem 2's frozen pattern."""

from dataclasses import dataclass
from math import log

import numpy as np

from finitewidth import simulate
from finitewidth.estimate import Estimate
from finitewidth.law import KernelLaw
from finitewidth.network import MLP
from finitewidth.report import Column, Curve, Plot, Points, Table
from finitewidth.reproduce.compare import Comparison, Quantity, Steps, all_numbers, scalar
from finitewidth.reproduce.networks import SETTING, SOURCE, unit_input
from finitewidth.reproduce.result import Progress, Reproduction

N_IN = 10
NATURAL = 0.03
"""λ E K, where 2 is the largest stable step: so small that the change is linear in λ."""

CASES = {1: (10, 40, 160, 640), 3: (20, 40, 80, 160)}
"""Widths by the number of hidden layers."""


@dataclass(frozen=True)
class Step:
    """One network, per unit of learning rate.

    Attributes
    ----------
    net : MLP
    frozen : float
        Exact mean change, pattern frozen.
    crossing, total : Estimate
        The law of the crossing term, and its sum with `frozen`.
    real, crossed : Estimate
        Drawn: the change by a real step, and what it has beyond the same step, pattern frozen.
    """

    net: MLP
    frozen: float
    crossing: Estimate
    total: Estimate
    real: Estimate
    crossed: Estimate

    @property
    def name(self) -> str:
        """Hidden layers and width."""
        return f"L = {len(self.net.widths)}, n = {self.net.widths[0]}"


def closed(estimate: Estimate) -> Estimate | float:
    """A float where nothing was sampled."""
    return estimate if estimate.std_error else float(estimate.value)


def size_of(layers: int, width: int, quick: bool) -> int:
    """Networks, so that each takes about as long."""
    budget = 40_000_000 if layers == 1 else 120_000_000
    size = min(400_000, budget // (layers * width + (layers - 1) * width**2))
    return max(size // 40, 400) if quick else size


def step(layers: int, width: int, size: int, seed: int, *, quick: bool) -> Step:
    """One network's law and random networks."""
    net = MLP.equal_width(N_IN, width, layers)
    x = unit_input(net)
    law = KernelLaw(net, x)
    rate = NATURAL / law.mean()
    real, frozen = (
        simulate.first_step(net, x, 0.0, rate, size, seed, pattern)
        for pattern in ("real", "frozen")
    )
    beyond = simulate.FirstStep(
        net, rate, "real", frozen.after, real.after, real.first_order, real.outputs,
        real.outputs_after, real.crossed, real.method,
    )  # fmt: skip
    networks = 4_096 if quick else 32_768
    crossing = law.crossing_mean(rate, size=networks, seed=seed)
    return Step(
        net,
        law.update_mean(),
        scalar(crossing, over=rate),
        scalar(law.step_mean(rate, size=networks, seed=seed), over=rate),
        scalar(real.mean_change(), over=rate),
        scalar(beyond.mean_change(), over=rate),
    )


def exponent(widths: list[int], values: list[Estimate | float]) -> Estimate | float:
    """Slope of ln |value| against ln width, weighted by the errors where there are any."""
    logs = np.log(np.array(widths, dtype=float))
    sizes = np.array([abs(float(v.value if isinstance(v, Estimate) else v)) for v in values])
    errors = np.array([float(v.std_error) if isinstance(v, Estimate) else 0.0 for v in values])
    if not errors.any():
        return log(sizes[-1] / sizes[0]) / (logs[-1] - logs[0])
    weights = (sizes / errors) ** 2
    centred = logs - weights @ logs / weights.sum()
    slope = float(weights * centred @ np.log(sizes) / (weights @ centred**2))
    return Estimate(slope, float((weights @ centred**2) ** -0.5), 0, "weighted fit")


def reproduce(*, quick: bool, seed: int, progress: Progress | None) -> Reproduction:
    """See `finitewidth.reproduce.reproduce`."""
    work = [
        (layers, width)
        for layers, widths in CASES.items()
        for width in (widths[:3] if quick else widths)
    ]
    steps = Steps(progress, len(work))
    found = []
    for layers, width in work:
        found.append(step(layers, width, size_of(layers, width, quick), seed, quick=quick))
        steps.done()
    comparisons = [
        Comparison(
            "step",
            "E ΔK of one real step",
            "Theorem 2: its quantity's exact value, −2 (E Δ_ww + 2 E Δ_wb), pattern frozen. Law: "
            "that and the mean change by neurons that cross zero.",
            [
                Quantity(one.name, one.frozen, exact=closed(one.total), simulated=one.real)
                for one in found
            ],
            meaning="L hidden layers of width n",
            theory="law",
            printed="Theorem 2",
        ),
        Comparison(
            "crossing",
            "The part of it by neurons that cross zero",
            "Simulated: a real step less the same step with the pattern frozen, network by "
            "network. Theorem 2 has no such term.",
            [
                Quantity(one.name, 0.0, exact=closed(one.crossing), simulated=one.crossed)
                for one in found
            ],
            meaning="L hidden layers of width n",
            theory="law",
            printed="Theorem 2",
        ),
    ]
    powers = []
    for layers in CASES:
        here = [one for one in found if len(one.net.widths) == layers]
        widths = [one.net.widths[0] for one in here]
        powers.append(
            (
                f"L = {layers}",
                exponent(widths, [one.frozen for one in here]),
                exponent(widths, [float(one.crossing.value) for one in here]),
                exponent(widths, [one.crossed for one in here]),
            )
        )
    return Reproduction(
        "real-step",
        "A real SGD step beside Theorem 2",
        SOURCE,
        f"{SETTING} One SGD step on ½N² at λ = {NATURAL:g}/E K; all numbers per unit of λ.",
        [
            (
                "Theorem 2 is right about the derivative with the pattern frozen, of order 1/n. A "
                "real step also carries neurons across zero, and their part is of order n^(−1/2): "
                "in wide networks it is the larger one."
            ),
        ],
        [
            *(one.table() for one in comparisons),
            Table(
                "Powers of the width",
                [
                    "hidden layers",
                    Column("frozen", meaning="exact; −1 for wide networks"),
                    Column("crossing, law", meaning="−½ for wide networks"),
                    Column("crossing, simulated"),
                ],
                powers,
                "Slopes over the widths above.",
            ),
        ],
        [_figure([one for one in found if len(one.net.widths) == 1])],
        {
            **all_numbers(comparisons),
            **{f"power of the crossing, {name}": power for name, _, _, power in powers},
        },
        seed,
    )


def _figure(found: list[Step]) -> Plot:
    fine = [10, 16, 25, 40, 64, 100, 160, 250, 400, 640]
    laws = [KernelLaw(net, unit_input(net)) for net in (MLP.equal_width(N_IN, n, 1) for n in fine)]
    frozen = [-law.update_mean() for law in laws]
    crossing = [-float(law.crossing_mean().value) for law in laws]
    widths = [one.net.widths[0] for one in found]
    return Plot(
        title="One step, one hidden layer: size of the mean change against the width",
        sentence=(
            "The frozen pattern of Theorem 2 falls as 1/n, the crossing of zero as n^(−1/2). "
            "Points are real steps of random networks, one standard error."
        ),
        x_label="width n",
        y_label="−E ΔK/λ",
        series=[
            Curve("frozen (Theorem 2)", fine, frozen),
            Curve("crossing", fine, crossing),
            Curve("sum", fine, [a + b for a, b in zip(frozen, crossing, strict=True)]),
            Points(
                "real steps",
                widths,
                [-float(one.real.value) for one in found],
                [float(one.real.std_error) for one in found],
            ),
        ],
        log_x=True,
        log_y=True,
    )
