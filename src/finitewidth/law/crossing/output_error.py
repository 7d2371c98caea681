"""E|N − t| of a normal output, in logs."""

from math import erf, exp, inf, log, pi, sqrt


def log_mean_error(log_deviation: float, target: float) -> float:
    """ln E|N − t| for N ~ Normal(0, σ²), the folded normal mean.

    σ √(2/π) e^(−t²/2σ²) + |t| erf(|t|/σ√2).

    Parameters
    ----------
    log_deviation : float
        ln σ.
    target : float
        t.
    """
    if target == 0.0:
        return log_deviation + 0.5 * log(2.0 / pi)
    ratio = log(abs(target)) - log_deviation
    if ratio > log(40.0):
        return log(abs(target))
    y = exp(ratio)
    return log_deviation + log(sqrt(2.0 / pi) * exp(-0.5 * y * y) + y * erf(y / sqrt(2.0)))


def log_square_error(log_deviation: float, target: float) -> float:
    """ln E (N − t)² = ln (σ² + t²)."""
    first = 2.0 * log_deviation
    second = 2.0 * log(abs(target)) if target else -inf
    top = max(first, second)
    return top + log(exp(first - top) + exp(second - top))
