"""One hidden layer, one or two inputs, large width: the crossing term of K in closed form.

With κ_kl = λ_1 x_k·x_l + β, Q_ξ = c_1|x_ξ|² and a neuron at zero at x_ξ, its slope σ'_k at the
other input is 1 or α with probability ½, and (`several`) P_off = a (P_0 + α w_ξ e_ξ κ_ξξ),
P_on = a (P_0 + w_ξ e_ξ κ_ξξ), P_0 = w_k e_k κ_ξk σ'_k. The mean over a ~ Normal(0, c_2) leaves

    n c_2^(3/2) √(2/π) Σ_ξ (2πQ_ξ)^(−1/2) E[ R_ξb (|P_off/a| − |P_on/a|) ] ,
    R_ξξ = (1−α²) κ_ξξ,   R_ξk = (1−α) κ_ξk σ'_k ,

in which e is normal with mean −y and the covariance of the output at large width: the mean of an
absolute value is that of a folded normal variable.
"""

from math import acos, erf, exp, pi, sqrt

import numpy as np

from finitewidth._shapes import Float
from finitewidth.network import MLP


def output_covariance(net: MLP, gram: Float[np.ndarray, "B B"]) -> Float[np.ndarray, "B B"]:
    """Cov(N(x_a), N(x_b)) of one hidden layer: the arc-cosine kernel with a slope below 0."""
    slope = float(net.act.slope or 0.0)
    first, last = net.layers()
    deviation = np.sqrt(np.diag(gram))
    cosine = np.clip(gram / np.outer(deviation, deviation), -1.0, 1.0)
    angle = np.vectorize(acos)(cosine)
    rectified = (np.sin(angle) + (pi - angle) * cosine) / (2.0 * pi)
    found = (1.0 - slope) ** 2 * rectified + slope * cosine
    scale = last.weight_variance * first.fan_out * first.weight_variance
    return scale * found * np.outer(deviation, deviation)


def leading_pair(
    net: MLP,
    gram: Float[np.ndarray, "B B"],
    targets: Float[np.ndarray, " B"],
    weights: Float[np.ndarray, " B"],
) -> Float[np.ndarray, "B B"]:
    """The change of K per unit of learning rate, B ≤ 2, at leading order in the width."""
    slope = float(net.act.slope or 0.0)
    first, last = net.layers()
    rate = net.bias_lr if net.trains_biases else 0.0
    kappa = first.weight_lr * gram + rate
    covariance = output_covariance(net, gram)
    front = first.fan_out * last.weight_variance**1.5 * sqrt(2.0 / pi)
    found = np.zeros_like(gram)

    def folded(row: np.ndarray) -> float:
        return _folded(-float(row @ targets), float(row @ covariance @ row))

    for at in range(len(gram)):
        density = front / sqrt(2.0 * pi * first.weight_variance * gram[at, at])
        own = np.zeros(len(gram))
        own[at] = weights[at] * kappa[at, at]
        for other in [k for k in range(len(gram)) if k != at] or [at]:
            for side in (1.0, slope):
                rest = np.zeros(len(gram))
                if other != at:
                    rest[other] = weights[other] * kappa[at, other] * side
                speed = 0.5 * density * (folded(rest + slope * own) - folded(rest + own))
                found[at, at] += (1.0 - slope**2) * kappa[at, at] * speed
                if other != at:
                    term = (1.0 - slope) * kappa[at, other] * side * speed
                    found[at, other] += term
                    found[other, at] += term
    return found


def _folded(mean: float, variance: float) -> float:
    """E|Z| for Z ~ Normal(mean, variance)."""
    if variance <= 0.0:
        return abs(mean)
    deviation = sqrt(variance)
    ratio = abs(mean) / deviation
    return deviation * (sqrt(2.0 / pi) * exp(-0.5 * ratio**2) + ratio * erf(ratio / sqrt(2.0)))
