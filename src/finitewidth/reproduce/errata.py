"""The corrections to Hanin & Nica (2020), each by four computations that share no code.

Printed and corrected form; the exact law (a recursion over partitions); the sum over multisets of
paths, one by one; networks drawn at random and differentiated. Networks are small enough for the
enumeration, so that no step rests on another's word.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import exp

import numpy as np

from finitewidth import paths, simulate
from finitewidth.estimate import Estimate
from finitewidth.law import KernelLaw
from finitewidth.network import MLP
from finitewidth.report import Curve, Plot, Points
from finitewidth.reproduce.compare import Comparison, Quantity, Steps, all_numbers, scalar
from finitewidth.reproduce.networks import SETTING, SOURCE, label, unit_input
from finitewidth.reproduce.result import Progress, Reproduction


@dataclass(frozen=True)
class Correction:
    """One correction.

    Attributes
    ----------
    key : str
        Short name.
    title : str
        What is corrected.
    caption : str
        Printed and corrected form, and what the numbers decide.
    nets : tuple of MLP
        Where it is tested.
    row : callable
        (network, size, seed) to its row.
    size : int
        Networks drawn for each row.
    """

    key: str
    title: str
    caption: str
    nets: tuple[MLP, ...]
    row: Callable[[MLP, int, int], Quantity]
    size: int


def _first_change(net: MLP, size: int, seed: int) -> Estimate:
    """E ΔK/λ, pattern frozen, over networks that are differentiated."""
    step = simulate.first_step(
        net, unit_input(net), 0.0, learning_rate=1.0, size=size, seed=seed, pattern="frozen"
    )
    return scalar(step.mean_first_order())


def biases_mean(net: MLP, size: int, seed: int) -> Quantity:
    """E K_b: d/2 printed, 1 + ½ Σ_j Π_(i<j) (1 − 2^(−n_i)) corrected."""
    x = unit_input(net)
    alive = np.cumprod([1.0, *(1.0 - 0.5**n for n in net.widths[:-1])])
    return Quantity(
        label(net),
        net.depth / 2,
        1.0 + 0.5 * float(alive.sum()),
        KernelLaw(net, x).mean("biases"),
        paths.expectation(net, x, "biases"),
        scalar(simulate.ensemble(net, x, size, seed).mean("biases")),
    )


def update_sign(net: MLP, size: int, seed: int) -> Quantity:
    """E ΔK/λ: no sign printed, negative."""
    x, law = unit_input(net), KernelLaw(net, unit_input(net))
    form = law.paper()["update"].value.to_float("E ΔK", "")
    ww, wb = (paths.expectation(net, x, part) for part in ("update_ww", "update_wb"))
    return Quantity(
        label(net),
        form,
        -form,
        law.update_mean(),
        -2.0 * (ww + 2.0 * wb),
        _first_change(net, size, seed),
    )


def hidden_beta(net: MLP, size: int, seed: int) -> Quantity:
    """E K²/(E K)² of equal widths: e^(5β) with and without the output layer's 1/n_d = 1."""
    x = unit_input(net)
    second = (
        paths.expectation(net, x, "weights_squared")
        + 2.0 * paths.expectation(net, x, "cross")
        + paths.expectation(net, x, "biases_squared")
    )
    mean = paths.expectation(net, x, "weights") + paths.expectation(net, x, "biases")
    return Quantity(
        label(net),
        exp(5.0 * (net.beta + 1.0)),
        exp(5.0 * net.beta),
        KernelLaw(net, x).dispersion(),
        second / mean**2,
        scalar(simulate.ensemble(net, x, size, seed).dispersion()),
    )


def inner_sum(net: MLP, size: int, seed: int) -> Quantity:
    """E ΔK/λ of weights, one hidden layer: the inner sum up to ℓ = i₂ or to i₂ − 1.

    With the constant of ≃ for this quantity, 4, so that the forms can be read as numbers.
    """
    x, (n,) = unit_input(net), tuple(net.widths)
    last_right, beyond = exp(-5.0 / n) / n, exp(-5.0 - 6.0 / n)  # ℓ = 1, and ℓ = 2 with n_2 = 1
    constant = -2.0 * 4.0 * exp(5.0 * net.beta)
    return Quantity(
        label(net),
        constant * (last_right + beyond),
        constant * last_right,
        KernelLaw(net, x).update_mean(),
        -2.0 * paths.expectation(net, x, "update_ww"),
        _first_change(net, size, seed),
    )


CORRECTIONS = (
    Correction(
        "biases-mean",
        "1. E K_b is not d/2",
        "Proposition 4 prints d/2. Corrected: 1 + ½ Σ_j Π_(i<j) (1 − 2^(−n_i)), j over hidden "
        "layers: the output bias counts 1, a hidden one ½ where no layer below it is dead. "
        "About (d+1)/2 in wide networks.",
        (MLP(n_in=2, widths=[3, 3]), MLP(n_in=3, widths=[1, 2, 2])),
        biases_mean,
        200_000,
    ),
    Correction(
        "update-sign",
        "2. E ΔK is negative",
        "Theorem 2 prints no sign: |E ΔK|/λ ≃ 2 (E Δ_ww + 2 E Δ_wb). Corrected: "
        "E ΔK/λ = −2 (E Δ_ww + 2 E Δ_wb), with E Δ_ww and E Δ_wb above 0. Activation pattern "
        "frozen. ≃ leaves a constant open, so only the sign is at stake here.",
        (MLP(n_in=2, widths=[4, 3]), MLP(n_in=3, widths=[8])),
        update_sign,
        200_000,
    ),
    Correction(
        "hidden-beta",
        "3. β sums hidden layers only",
        "The printed β = Σ 1/n_i over i ≤ d includes 1/n_d = 1. Equal widths: E K²/(E K)² ≃ e^(5β) "
        "with β over hidden layers tends to 1 in wide networks, as it must; the printed one to "
        "e⁵ ≈ 148. Again ≃ leaves a constant open, which is not that one.",
        (MLP(n_in=1, widths=[40]), MLP(n_in=2, widths=[4, 4])),
        hidden_beta,
        200_000,
    ),
    Correction(
        "inner-sum",
        "4. The inner sum of E Δ_ww ends at i₂ − 1",
        "Theorem 2 and Proposition 3 print different upper limits of the sum over ℓ. Up to i₂ it "
        "holds the output layer's 1/n_d = 1, and a term that stays when the width grows; up to "
        "i₂ − 1 it is 4/n times |x|⁴/n_0², the exact value. One hidden layer, no biases, pattern "
        "frozen; both forms with their constant, 4.",
        (MLP(n_in=1, widths=[40], bias=False), MLP(n_in=1, widths=[100], bias=False)),
        inner_sum,
        200_000,
    ),
)


def reproduce(*, quick: bool, seed: int, progress: Progress | None) -> Reproduction:
    """Every correction in its networks: see `finitewidth.reproduce.reproduce`."""
    steps = Steps(progress, sum(len(correction.nets) for correction in CORRECTIONS))
    comparisons, together = [], []
    for correction in CORRECTIONS:
        size, rows = correction.size // 20 if quick else correction.size, []
        for net in correction.nets:
            rows.append(correction.row(net, size, seed))
            steps.done()
        comparisons.append(Comparison(correction.key, correction.title, correction.caption, rows))
        together += [
            replace(row, name=f"{len(comparisons)}. {row.name}", enumerated=None) for row in rows
        ]
    overview = Comparison(
        "overview",
        "All of them: 1. E K_b, 2. E ΔK, 3. E K²/(E K)², 4. E ΔK of weights",
        "2 and 3 are printed up to a constant. Forms, reasons and the enumeration stand in the "
        "table of each.",
        together,
        meaning="number of the correction, and n_0-…-n_d",
    )
    return Reproduction(
        "errata",
        "Corrections to Hanin & Nica (2020)",
        SOURCE,
        SETTING,
        [
            (
                "Exact law, enumeration of path multisets and simulation share no code. z is the "
                "distance of the simulated value from the exact law, and from the printed form, "
                "in standard errors."
            ),
        ],
        [one.table() for one in (overview, *comparisons)],
        [_figure(seed, quick)],
        all_numbers(comparisons),
        seed,
    )


def _figure(seed: int, quick: bool) -> Plot:
    """E K_b against the depth: printed, exact and simulated."""
    depths = range(1, 13)
    nets = [MLP.equal_width(2, 2, depth - 1) for depth in depths]
    shown = [1, 3, 6, 9, 12]
    size = 2_000 if quick else 20_000
    drawn = [
        scalar(
            simulate.ensemble(nets[depth - 1], unit_input(nets[depth - 1]), size, seed).mean(
                "biases"
            )
        )
        for depth in shown
    ]
    return Plot(
        title="E K_b against the depth",
        sentence=(
            "Networks of width 2. The printed d/2 misses half a bias at the output and the dead "
            f"layers; points are {size} networks each, one standard error."
        ),
        x_label="depth d (weight layers)",
        y_label="E K_b",
        series=[
            Curve("printed, d/2", list(depths), [depth / 2 for depth in depths]),
            Curve("wide limit, (d+1)/2", list(depths), [(depth + 1) / 2 for depth in depths]),
            Curve(
                "exact law",
                list(depths),
                [KernelLaw(n, unit_input(n)).mean("biases") for n in nets],
            ),
            Points.of("simulated", shown, drawn),
        ],
        from_zero=True,
        x_ticks=[float(depth) for depth in shown],
    )
