"""Proposition 4 of Hanin & Nica (2020): moments of the biases' part, E K_b, E K_b², Δ_bb = 0."""

import numpy as np

from finitewidth.report import Column, Table
from finitewidth.reproduce.compare import Quantity, scalar
from finitewidth.reproduce.networks import Drawn, label, nets, with_output
from finitewidth.reproduce.propositions import Statement, proposition
from finitewidth.reproduce.result import Progress, Reproduction

SIMULATED = {"biases_squared": lambda drawn: scalar(drawn.kernels.moment(2, "biases"))}


def mean(drawn: Drawn) -> Quantity:
    """E K_b: d/2 printed, 1 + ½ Σ_j Π_(i<j) (1 − 2^(−n_i)) corrected."""
    return drawn.row(
        drawn.net.depth / 2.0,
        drawn.form("biases_mean"),
        drawn.law.mean("biases"),
        drawn.enumerated({"biases": 1.0}),
        scalar(drawn.kernels.mean("biases")),
    )


def squared(drawn: Drawn) -> Quantity:
    """E K_b² ≃ e^(5β) Σ_(i≤j) e^(−5 Σ_(l≤j) 1/n_l)."""
    return drawn.row(
        with_output(drawn)["biases_squared"],
        drawn.form("biases_squared"),
        drawn.law.moment(2, "biases"),
        drawn.enumerated({"biases_squared": 1.0}),
        SIMULATED["biases_squared"](drawn),
    )


def largest_bb(drawn: Drawn) -> float:
    """Largest |Δ_bb| over the networks, in units of the largest |ΔK/λ|."""
    change = float(np.abs(drawn.first_step(1.0).first_order).max())
    return float(np.abs(drawn.update_bb).max()) / change


def reproduce(*, quick: bool, seed: int, progress: Progress | None) -> Reproduction:
    """See `finitewidth.reproduce.reproduce`."""
    seconds = []
    for net in nets(quick):
        fewer = Drawn(net, 200 if quick else 1_000, seed)
        seconds.append((label(net), 0, largest_bb(fewer), fewer.size))
    return proposition(
        4,
        "moments of the biases' part",
        "E K_b is not d/2. The form of E K_b² holds as ≃, with a constant near ½ at every "
        "d/n. Δ_bb is 0 in every network, up to rounding.",
        [
            Statement(
                "biases-mean",
                "E K_b",
                "Printed as an equality, d/2. The output bias counts 1, a hidden one ½ where no "
                "layer below it is dead.",
                mean,
            ),
            Statement(
                "biases-squared",
                "E K_b²",
                "1/n_d = 1 in every sum (printed) and hidden layers only (corrected). ≃ leaves a "
                "constant open: (d+1)/(2d) where β is small.",
                squared,
            ),
        ],
        SIMULATED,
        quick=quick,
        seed=seed,
        progress=progress,
        further=[
            Table(
                "Δ_bb",
                [
                    "network",
                    "printed",
                    Column("largest of |Δ_bb|", unit="of |ΔK/λ|", digits=2),
                    "networks",
                ],
                seconds,
                "From three first changes of each network, with the biases' learning-rate factor "
                "at 0, 1 and 2: Δ_bb is the second difference.",
            ),
        ],
        numbers={f"largest Δ_bb, {name}": float(largest) for name, _, largest, _ in seconds},
    )
