"""How random a kernel is, in words: the standard deviation s of ln K over seeds decides.

A typical seed lies a factor e^s above or below the middle one, whatever the unit of K. The standard
deviation of K itself is carried by rare seeds, so that a sample seldom shows it: of a log-normal K
with s = 1.5 most samples of 32 seeds find less than half of its E K²/(E K)². Where only this
dispersion is known, as an exact law gives it, s is that of the log-normal K with the same one:
s² = ln E K²/(E K)². The kernel of a deep network, close to a product over layers, is close to it.
"""

from math import exp, sqrt

STEADY = 0.1
"""Below, one seed's kernel tells another's to about ten per cent."""

RANDOM = 0.5
"""Above, a third of all pairs of seeds differ by more than a factor 2."""

NEARLY_DETERMINISTIC = "nearly deterministic"
WEAKLY_RANDOM = "weakly random"
STRONGLY_RANDOM = "strongly random"


def regime(log_sd: float) -> str:
    """The word for a standard deviation of ln K."""
    if log_sd < STEADY:
        return NEARLY_DETERMINISTIC
    return WEAKLY_RANDOM if log_sd <= RANDOM else STRONGLY_RANDOM


def log_sd_of(log_dispersion: float) -> float:
    """√ln(E K²/(E K)²): the standard deviation of ln K of a log-normal K of this dispersion."""
    return sqrt(max(log_dispersion, 0.0))


def typical(log_sd: float) -> str:
    """How far from the middle one a typical seed lies, as part of a sentence."""
    factor = f"{exp(log_sd):.3g}" if log_sd < 16 else f"e^{log_sd:.5g}"
    return f"a typical seed lies a factor {factor} above or below the middle one"
