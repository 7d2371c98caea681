"""Proposition 5 of Hanin & Nica (2020): weights and biases together, E K_b K_w and E Δ_wb."""

import numpy as np

from finitewidth.estimate import Estimate
from finitewidth.reproduce.compare import Quantity, scalar
from finitewidth.reproduce.networks import Drawn, with_output
from finitewidth.reproduce.propositions import Statement, proposition
from finitewidth.reproduce.result import Progress, Reproduction


def simulated_cross(drawn: Drawn) -> Estimate:
    """E K_b K_w by the mean of √(K_b K_w) squared, the second moment of which it is."""
    kernels = drawn.kernels
    root = np.sqrt(kernels.weights * kernels.biases)
    return scalar(type(kernels)(drawn.net, kernels.outputs, root, root, root).moment(2))


SIMULATED = {"cross": simulated_cross, "update_wb": lambda drawn: drawn.update_wb}


def cross(drawn: Drawn) -> Quantity:
    """E K_b K_w ≃ d |x|²/n_0 e^(5β) Σ_j e^(−5 Σ_(i≤j) 1/n_i)."""
    return drawn.row(
        with_output(drawn)["cross"],
        drawn.form("cross"),
        drawn.law.cross_moment(),
        drawn.enumerated({"cross": 1.0}),
        simulated_cross(drawn),
    )


def update(drawn: Drawn) -> Quantity:
    """E Δ_wb, the double sum over the layers of the bias, the mark and one meeting."""
    return drawn.row(
        with_output(drawn)["update_wb"],
        drawn.form("update_wb"),
        drawn.law.update_parts()["wb"],
        drawn.enumerated({"update_wb": 1.0}),
        drawn.update_wb,
    )


def reproduce(*, quick: bool, seed: int, progress: Progress | None) -> Reproduction:
    """See `finitewidth.reproduce.reproduce`."""
    return proposition(
        5,
        "weights and biases together",
        "Both forms hold as ≃, with β over the hidden layers. The constant of E K_b K_w "
        "goes from ½ to ⅙ as d/n grows; that of E Δ_wb stays near 1.",
        [
            Statement(
                "cross",
                "E K_b K_w",
                "1/n_d = 1 in every sum (printed) and hidden layers only (corrected). ≃ leaves a "
                "constant open: (d+1)/(2d) where β is small.",
                cross,
            ),
            Statement(
                "update-wb",
                "E Δ_wb",
                "With and without 1/n_d in β. ≃ leaves a constant open: 1 where β is small.",
                update,
            ),
        ],
        SIMULATED,
        quick=quick,
        seed=seed,
        progress=progress,
    )
