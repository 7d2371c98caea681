"""The regime of a kernel in words, from its exact relative spread over seeds.

σ = √(E K²/(E K)² − 1) is the standard deviation of K over its mean. The bounds are conventions:
below 0.1 one seed's kernel tells another's to ten per cent; from 1 on "the standard deviation is
at least as large as the mean", which is Hanin & Nica's (2020, §1) sign of a kernel that is not
close to deterministic. Between them lies their "weak feature learning" regime, 0 < β ≪ 1.
"""

from dataclasses import dataclass
from math import exp, expm1, sqrt

STEADY, RANDOM = 0.1, 1.0


@dataclass(frozen=True)
class Regime:
    """Name and one sentence."""

    name: str
    sentence: str


def regime(log_dispersion: float) -> Regime:
    """The regime of a kernel with this ln E K²/(E K)².

    Parameters
    ----------
    log_dispersion : float
        At least 0; `KernelLaw.log_dispersion`.
    """
    if log_dispersion > 1400.0:
        spread, shown = float("inf"), f"e^{log_dispersion / 2:.5g} times its mean"
    else:
        spread = exp(log_dispersion / 2) * sqrt(-expm1(-log_dispersion))
        shown = f"{100 * spread:.3g} % of its mean"
        if spread >= RANDOM:
            shown = f"{spread:.4g} times its mean"
    if spread < STEADY:
        name, meaning = "nearly deterministic", "two seeds start from almost the same kernel"
    elif spread < RANDOM:
        name, meaning = "weakly random", "seeds start from visibly different kernels"
    else:
        name, meaning = (
            "strongly random",
            "the mean is carried by rare seeds, and most start far below it",
        )
    return Regime(name, f"The standard deviation of K over seeds is {shown}: {meaning}.")
