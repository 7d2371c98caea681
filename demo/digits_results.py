"""What the demo runs and what it finds: settings and finished numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import finitewidth as fw
from finitewidth._shapes import Float
from finitewidth.law.breakdown import LayerShares

STEP_COST = 1.9  # a network's step takes about so many times as long as its kernel


@dataclass(frozen=True)
class Settings:
    """What the demo runs.

    Attributes
    ----------
    width, hidden_layers : int, sequence of int
        Of the networks.
    networks, steps : int
        Networks drawn for the kernel and for the first step, at every depth.
    sampled : int
        Exact samples of the law of K, at every depth; a thousand times cheaper than networks.
    digit : int
        Whose first image is the input of the depths.
    middle : int
        Hidden layers at which all ten digits are compared and the layers' shares are shown.
    seed : int
        Of everything random.
    """

    width: int = 64
    hidden_layers: Sequence[int] = (1, 2, 4, 8, 16, 32)
    networks: int = 4000
    steps: int = 2000
    sampled: int = 400_000
    digit: int = 7
    middle: int = 8
    seed: int = 20200426

    def cost(self) -> float:
        """Of all jobs, in the meter's units."""
        layers = sum(count + 1 for count in self.hidden_layers)
        return layers * (self.networks + STEP_COST * self.steps) + self.all_digits_cost()

    def all_digits_cost(self) -> float:
        """Of the job with all ten digits; drawing the weights, which they share, takes longest."""
        return float((self.middle + 1) * self.steps)


@dataclass(frozen=True)
class Routes:
    """One quantity by theory: exact, in the joint limit, and the paper's closed form as printed.

    `constant` is exact/printed as β → 0, which the paper leaves open.
    """

    exact: float
    limit: float
    paper: float
    constant: float


@dataclass(frozen=True)
class Kernel:
    """The kernel of one network description at one input, by every route there is.

    `spread` is E K²/(E K)²; `update` is E ΔK/E K of the first step at `learning_rate`, activation
    pattern frozen (the paper's is an absolute value). `sampled_spread` is the dispersion
    of exact samples of the law of K; `sample` holds the drawn kernels, `seconds`
    the time of the exact law and of drawing them.
    """

    hidden_layers: int
    beta: float
    mean: float
    learning_rate: float
    spread: Routes
    update: Routes
    measured_mean: fw.Estimate
    measured_spread: fw.Estimate
    sampled_spread: fw.Estimate
    measured_update: fw.Estimate
    sample: Float[np.ndarray, " size"]
    seconds: tuple[float, float]


@dataclass(frozen=True)
class Digit:
    """One image, at the middle depth: exact and measured."""

    digit: int
    square: float
    mean: float
    spread: float
    measured_mean: fw.Estimate
    measured_spread: fw.Estimate


@dataclass(frozen=True)
class Results:
    """Everything the report shows."""

    settings: Settings
    square: float
    depths: list[Kernel]
    digits: list[Digit]
    shares: dict[str, LayerShares]
