"""Random networks shared by the statements of Hanin & Nica (2020), and their quantities.

Every quantity of the paper's Propositions 3 to 5 in each network by itself, from `simulate` alone.
With the biases' learning-rate factor at r the first change of the kernel on ½N², pattern frozen, is
f(r) = −2 λ (Δ_ww + 2 r Δ_wb + r² Δ_bb), so three factors in the same networks separate the parts.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from math import exp

import numpy as np

from finitewidth import paths, simulate
from finitewidth._shapes import Float
from finitewidth.estimate import Estimate
from finitewidth.law import KernelLaw
from finitewidth.network import MLP
from finitewidth.reproduce.compare import Quantity, scalar

SETTING = (
    "ReLU, hidden gain 2, readout gain 1, ntk parametrization (derivatives with respect to weights "
    "of unit variance), biases zero and trained unless said, |x|² = n_0."
)
SOURCE = (
    "B. Hanin, M. Nica, Finite depth and width corrections to the neural tangent kernel, ICLR 2020"
)

SMALL = (MLP(n_in=2, widths=[3, 3]), MLP(n_in=3, widths=[2, 3, 2]))
"""Small enough for the enumeration of path multisets."""

WIDER = (
    MLP(n_in=4, widths=[30, 60, 30]),
    MLP.equal_width(4, 20, 5),
    MLP.equal_width(4, 40, 10),
)


def nets(quick: bool) -> tuple[MLP, ...]:
    """Where the statements are tested."""
    return (SMALL[0], *WIDER[:2]) if quick else (*SMALL, *WIDER)


def networks_of(net: MLP, quick: bool) -> int:
    """How many networks are drawn."""
    if max(net.widths) < 10:
        return 5_000 if quick else 200_000
    return 2_000 if quick else 40_000


def unit_input(net: MLP) -> Float[np.ndarray, " n_in"]:
    """|x|² = n_0, not all entries equal."""
    x = np.arange(1.0, net.n_in + 1.0)
    return x * np.sqrt(net.n_in / (x @ x))


def label(net: MLP) -> str:
    """n_0-…-n_d, with equal widths as (20×5)."""
    if len(net.runs) == 1 and len(net.widths) > 2:
        ((width, count),) = net.runs
        return f"{net.n_in}-({width}×{count})-1"
    return "-".join(str(n) for n in (net.n_in, *net.widths, 1))


class Drawn:
    """One network's law, its enumeration, and random networks.

    Parameters
    ----------
    net : MLP
    size, seed : int
        Of the random networks.
    """

    def __init__(self, net: MLP, size: int, seed: int) -> None:
        self.net, self.size, self.seed = net, size, seed
        self.x = unit_input(net)
        self.law = KernelLaw(net, self.x)
        self._steps: dict[float, simulate.FirstStep] = {}

    @cached_property
    def kernels(self) -> simulate.Ensemble:
        """The random networks."""
        return simulate.ensemble(self.net, self.x, self.size, self.seed)

    def first_step(self, bias_lr: float) -> simulate.FirstStep:
        """The first change of the kernel on ½N² at rate 1, pattern frozen, in the same networks.

        `bias_lr` is the learning-rate factor of the biases, of which ΔK is a polynomial.
        """
        if bias_lr not in self._steps:
            net = replace(self.net, bias_lr=bias_lr)
            self._steps[bias_lr] = simulate.first_step(
                net, self.x, 0.0, 1.0, self.size, self.seed, "frozen"
            )
        return self._steps[bias_lr]

    def mixed(self, weights: Mapping[float, float]) -> Estimate:
        """The mean of a combination of the first changes, by the biases' factor."""
        steps = {factor: self.first_step(factor) for factor in weights}
        found = sum(weights[factor] * step.first_order for factor, step in steps.items())
        any_step = next(iter(steps.values()))
        return scalar(replace(any_step, first_order=np.asarray(found)).mean_first_order())

    @property
    def update(self) -> Estimate:
        """E ΔK/λ = f(1)."""
        return self.mixed({1.0: 1.0})

    @property
    def update_ww(self) -> Estimate:
        """E Δ_ww = −f(0)/2."""
        return self.mixed({0.0: -0.5})

    @property
    def update_wb(self) -> Estimate:
        """E Δ_wb = −(f(1) − f(0))/4, since Δ_bb = 0."""
        return self.mixed({0.0: 0.25, 1.0: -0.25})

    @property
    def update_bb(self) -> Float[np.ndarray, " size"]:
        """Δ_bb = −(f(2) − 2 f(1) + f(0))/4 of every network."""
        none, one, two = (self.first_step(rate).first_order[:, 0, 0] for rate in (0.0, 1.0, 2.0))
        return -(two - 2.0 * one + none) / 4.0

    def enumerated(self, quantities: Mapping[str, float]) -> float | None:
        """The weighted sum of `paths.expectation`, where the network is small enough."""
        if self.net not in SMALL:
            return None
        return sum(
            factor * paths.expectation(self.net, self.x, quantity)
            for quantity, factor in quantities.items()
        )

    def form(self, name: str) -> float:
        """The paper's corrected form; see `finitewidth.law.paper`."""
        return self.law.paper()[name].value.to_float(name, "")

    def row(
        self,
        printed: float | None,
        corrected: float | None,
        exact: float,
        enumerated: float | None,
        simulated: Estimate,
    ) -> Quantity:
        """A row named by the widths."""
        return Quantity(label(self.net), printed, corrected, exact, enumerated, simulated)


def with_output(drawn: Drawn) -> dict[str, float]:
    """The forms as printed, with 1/n_d = 1 in β and in every sum that reaches the output.

    Keys as in `finitewidth.law.paper.forms`. In E K_b² and E K_w K_b the term of the output bias,
    j = d, holds e^(−5β) and so stays as it is.
    """
    d, u = drawn.net.depth, drawn.law.squared_norm / drawn.net.n_in
    found = {
        "weights_squared": exp(5.0) * drawn.form("weights_squared"),
        "biases_squared": exp(5.0) * (drawn.form("biases_squared") - d) + d,
        "cross": exp(5.0) * (drawn.form("cross") - d * u) + d * u,
        "update_ww": exp(5.0) * drawn.form("update_ww"),
        "update_wb": exp(5.0) * drawn.form("update_wb"),
        "dispersion": exp(5.0 * (drawn.net.beta + 1.0)),
    }
    found["kernel_squared"] = sum(
        found[name] for name in ("weights_squared", "biases_squared", "cross")
    )
    found["update"] = 2.0 * (found["update_ww"] + 2.0 * found["update_wb"])
    return found
