"""The closed forms of Hanin & Nica 2020, as printed and then corrected, beside the exact values.

In the paper ≃ means: bounded above and below by universal constants, times 1 + O(Σ 1/n_i²). The
constants are not 1; `constants` gives them in the limit β → 0. Corrected here: β and every inner
sum run over the hidden layers only (the printed sums include 1/n_d = 1), and E K_b carries the
probability that no layer below is dead. ReLU, hidden gain 2, readout gain 1, derivatives with
respect to unit-variance weights.
"""

from dataclasses import dataclass
from math import exp, expm1

import numpy as np

from finitewidth._shapes import Float
from finitewidth.law.inputs import PowerSums
from finitewidth.law.magnitude import Magnitude, from_log
from finitewidth.network import MLP


@dataclass(frozen=True)
class PaperForm:
    """One printed form.

    Attributes
    ----------
    name : str
        Of the quantity.
    source : str
        Where it is printed.
    value : Magnitude
        The corrected form's value.
    constant : float
        exact/printed as β → 0, which ≃ leaves open.
    """

    name: str
    source: str
    value: Magnitude
    constant: float


def check_covered(net: MLP) -> None:
    """Whether the paper speaks about this network.

    Raises
    ------
    ValueError
        If it does not; the sentence says what differs.
    """
    differs = [
        f"{name}={getattr(net, name)!r}"
        for name, paper in (
            ("activation", "relu"),
            ("hidden_gain", 2.0),
            ("output_gain", 1.0),
            ("parametrization", "ntk"),
            ("bias", True),
            ("bias_lr", 1.0),
        )
        if getattr(net, name) != paper
    ]
    if differs:
        raise ValueError(
            "the paper's closed forms are for ReLU with hidden_gain=2, output_gain=1, trained "
            f"biases and parametrization='ntk'; this network has {', '.join(differs)}."
        )


MOST = 10**7
"""Layers of a sum: some ten seconds, and 0.5 GB."""


class _Sums:
    """Prefix sums over layers, all O(d)."""

    def __init__(self, net: MLP) -> None:
        self.depth = net.depth
        inverse = np.empty(net.depth - 1)
        place = 0
        for width, count in net.runs:
            inverse[place : place + count] = 1.0 / width
            place += count
        self.inverse = inverse
        self.prefix = np.concatenate([[0.0], np.cumsum(inverse)])

    def through(self) -> Float[np.ndarray, " d"]:
        """e^(−5 Σ_{l≤j} 1/n_l) for j = 1 … d, hidden layers only (so j = d repeats j = d−1)."""
        return np.exp(-5.0 * np.append(self.prefix[1:], self.prefix[-1]))

    def waits(self, first: float, weights: Float[np.ndarray, " h"]) -> Float[np.ndarray, " h"]:
        """Σ_{j<ℓ} w_j e^(−6 Σ_{i=j+1}^{ℓ−1} 1/n_i) for ℓ = 1 … d−1, with w_0 = `first`."""
        found = np.empty(self.depth - 1)
        decay = np.exp(-6.0 * self.inverse)
        running = first
        pairs = zip(weights.tolist(), decay.tolist(), strict=True)
        for place, (weight, factor) in enumerate(pairs):
            found[place] = running
            running = running * factor + weight
        return found


def forms(net: MLP, sums: PowerSums) -> dict[str, PaperForm]:
    """Every closed form of the paper for this network.

    Returns
    -------
    dict
        Keys ``weights_mean``, ``biases_mean``, ``kernel_mean``, ``weights_squared``,
        ``biases_squared``, ``cross``, ``kernel_squared``, ``dispersion``, and with a hidden layer
        ``update_ww``, ``update_wb``, ``update``, ``relative_update`` (absolute values: the paper
        prints no sign, and E ΔK is negative).

    Raises
    ------
    ValueError
        As `check_covered`.
    """
    check_covered(net)
    if net.depth > MOST:
        raise ValueError(
            f"the paper's forms are summed layer by layer, up to {MOST} of them, and the depth is "
            f"{net.depth}; ask for fewer layers, or leave them out."
        )
    d, layers, u = net.depth, _Sums(net), float(sums(2)) / net.n_in
    half = (d + 1) / (2 * d)
    through = layers.through()
    over_j, over_ij = float(through.sum()), float((np.arange(1, d + 1) * through).sum())
    mean = d * u + biases_mean(net)
    w_squared, crossed, b_squared = (d * u) ** 2, d * u * over_j, over_ij
    ww = wb = 0.0
    if d > 1:
        meets = layers.inverse * (d - np.arange(1, d))  # loops at ℓ, and the layers i2 above it
        early, early_b = layers.waits(1.0, np.ones(d - 1)), layers.waits(0.0, through[:-1])
        ww = u * u * float((meets * np.exp(-5.0 * layers.inverse) * early).sum())
        wb = u * float((meets * (early_b + through[:-1])).sum())
    second = w_squared + crossed + b_squared
    second_constant = (d * u + (d + 1) / 2) ** 2 / (d * d * u * u + d * d * u + d * (d + 1) / 2)
    equal = len(net.runs) <= 1

    def grown(factor: float) -> Magnitude:
        return from_log(5.0 * net.beta) * Magnitude(factor)

    found = [
        PaperForm("weights_mean", "Proposition 3", Magnitude(d * u), 1.0),
        PaperForm("biases_mean", "Proposition 4, corrected", Magnitude(biases_mean(net)), 1.0),
        PaperForm("kernel_mean", "Theorem 1, corrected", Magnitude(mean), 1.0),
        PaperForm("weights_squared", "Proposition 3", grown(w_squared), 1.0),
        PaperForm("biases_squared", "Proposition 4", grown(b_squared), half),
        PaperForm("cross", "Proposition 5", grown(crossed), half),
        PaperForm("kernel_squared", "Theorem 1", grown(second), second_constant),
        PaperForm(
            "dispersion",
            "Theorem 1, equal widths" if equal else "Theorem 1 over the mean squared",
            grown(1.0 if equal else second / mean**2),
            1.0 if equal else second_constant,
        ),
    ]
    if d > 1:
        update = 2.0 * (ww + 2.0 * wb)
        update_constant = (4.0 * u + 2.0) / (u + 2.0)
        relative = d * net.beta * u if equal else update / mean
        equal_constant = (4.0 * u + 2.0) * (d + 1) / (3.0 * mean)
        found += [
            PaperForm("update_ww", "Proposition 3", grown(ww), 4.0),
            PaperForm("update_wb", "Proposition 5", grown(wb), 1.0),
            PaperForm("update", "Theorem 2", grown(update), update_constant),
            PaperForm(
                "relative_update",
                "Theorem 2, equal widths" if equal else "Theorem 2 over the mean",
                grown(relative),
                equal_constant if equal else update_constant,
            ),
        ]
    return {form.name: form for form in found}


def biases_mean(net: MLP) -> float:
    """E K_b = 1 + ½ Σ_j Π_{i<j} (1 − 2^(−n_i)), the corrected Proposition 4 for ReLU."""
    total, alive = 1.0, 1.0
    for width, count in net.runs:
        dead = 2.0**-width
        if dead:
            # Σ_{k<count} (1 − dead)^k = (1 − (1 − dead)^count)/dead
            last = count * np.log1p(-dead) if dead < 1 else -np.inf
            total += 0.5 * alive * -expm1(last) / dead
            alive *= exp(last)
        else:
            total += 0.5 * alive * count
    return total
