"""Proposition 3 of Hanin & Nica (2020): moments of the weights' part, E K_w, E K_w², E Δ_ww."""

from finitewidth.reproduce.compare import Quantity, scalar
from finitewidth.reproduce.networks import Drawn, with_output
from finitewidth.reproduce.propositions import Statement, proposition
from finitewidth.reproduce.result import Progress, Reproduction

SIMULATED = {
    "weights_squared": lambda drawn: scalar(drawn.kernels.moment(2, "weights")),
    "update_ww": lambda drawn: drawn.update_ww,
}
"""From random networks; Δ_ww is −½ the change of networks whose biases do not move."""


def mean(drawn: Drawn) -> Quantity:
    """E K_w = d |x|²/n_0, an equality."""
    return drawn.row(
        drawn.net.depth * drawn.law.squared_norm / drawn.net.n_in,
        None,
        drawn.law.mean("weights"),
        drawn.enumerated({"weights": 1.0}),
        scalar(drawn.kernels.mean("weights")),
    )


def squared(drawn: Drawn) -> Quantity:
    """E K_w² ≃ e^(5β) d² |x|⁴/n_0²."""
    return drawn.row(
        with_output(drawn)["weights_squared"],
        drawn.form("weights_squared"),
        drawn.law.moment(2, "weights"),
        drawn.enumerated({"weights_squared": 1.0}),
        SIMULATED["weights_squared"](drawn),
    )


def update(drawn: Drawn) -> Quantity:
    """E Δ_ww ≃ e^(5β) |x|⁴/n_0² Σ_(i1<i2) Σ_ℓ (1/n_ℓ) e^(−5/n_ℓ − 6 Σ_(i1≤i<ℓ) 1/n_i)."""
    return drawn.row(
        with_output(drawn)["update_ww"],
        drawn.form("update_ww"),
        drawn.law.update_parts()["ww"],
        drawn.enumerated({"update_ww": 1.0}),
        SIMULATED["update_ww"](drawn),
    )


def reproduce(*, quick: bool, seed: int, progress: Progress | None) -> Reproduction:
    """See `finitewidth.reproduce.reproduce`."""
    return proposition(
        3,
        "moments of the weights' part",
        "E K_w is as printed. The forms of E K_w² and E Δ_ww hold as ≃, with β over the "
        "hidden layers; their constants tend to 1 and 4 as β → 0, to ⅓ and 4 at large d/n.",
        [
            Statement("weights-mean", "E K_w", "Printed as an equality, d |x|²/n_0: exact.", mean),
            Statement(
                "weights-squared",
                "E K_w²",
                "d² e^(5β) |x|⁴/n_0² with 1/n_d = 1 in β (printed) and without (corrected). ≃ "
                "leaves a constant open, 1 where β is small.",
                squared,
            ),
            Statement(
                "update-ww",
                "E Δ_ww",
                "The double sum over the layers of the marks and of one meeting, again with and "
                "without 1/n_d in β. ≃ leaves a constant open: 4 where β is small.",
                update,
            ),
        ],
        SIMULATED,
        quick=quick,
        seed=seed,
        progress=progress,
    )
