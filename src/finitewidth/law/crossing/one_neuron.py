"""One neuron at zero: what its crossing does to the kernel, averaged over its outgoing weights.

Take neuron u of layer j at y_u = 0. There its output is 0 whatever its slope, so everything above
it is the same on both sides, and with ∇N_0 the gradient of N through the other neurons,
m = ∇y_u·∇N_0, q = |∇y_u|² and a = ∂N/∂x_u (inner products with the learning-rate factors),

    ∇N = ∇N_0 + a ∇y_u when u is on,   ∇N_0 + α a ∇y_u when it is off (α the slope below 0),
    p_on = ∇y_u·∇N = m + a q,   p_off = m + α a q,   K_on − K_off = (p_on² − p_off²)/q .

A step of size λ moves y_u by −λ e p, e = N − t. Flipping the signs of u's own row and of its
outgoing weights together maps (a, m) to (−a, −m) and leaves the rest of the network alone, so

    mean change     −|e|/(2q) E (p_on² − p_off²)(|p_on| − |p_off|) ,
    crossings       |e|/2 E (|p_on| + |p_off|) ,
    squared jumps   |e|/(2q²) E (p_on² − p_off²)² (|p_on| + |p_off|) ,

each per unit of λ and of the density of y_u at 0. The first is ≤ 0 term by term. The means over
a ~ Normal(0, σ_a²) are taken here in closed form.
"""

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np

from finitewidth._shapes import Float

_FAR = 100.0
"""Beyond so many standard deviations a normal variable has no mass a double could hold."""


@dataclass(frozen=True)
class Crossing:
    """Means over the outgoing weights of one neuron at zero, one entry a network.

    Attributes
    ----------
    change : array [n]
        E (p_on² − p_off²)(|p_on| − |p_off|).
    speed : array [n]
        E (|p_on| + |p_off|).
    square : array [n]
        E (p_on² − p_off²)² (|p_on| + |p_off|).
    """

    change: Float[np.ndarray, " n"]
    speed: Float[np.ndarray, " n"]
    square: Float[np.ndarray, " n"]


def one_crossing(m: Float[np.ndarray, " n"], s: Float[np.ndarray, " n"], slope: float) -> Crossing:
    """Means for p_on = m + sξ and p_off = m + αsξ with ξ standard normal.

    Parameters
    ----------
    m : array [n]
        ∇y_u·∇N_0.
    s : array [n]
        q σ_a, above 0.
    slope : float
        α.
    """
    from scipy.special import erf

    mean = m / s
    linear, quadratic = 2.0 * mean * (1.0 - slope), 1.0 - slope * slope  # (p_on² − p_off²)/s²
    change, speed, square = np.zeros_like(s), np.zeros_like(s), np.zeros_like(s)
    for factor, sign in ((1.0, 1.0), (slope, -1.0)):
        # moments R_k = E ξ^k sgn(p), p = mean + factor ξ, which changes its sign at ξ = z
        side = float(np.sign(factor))
        if side == 0.0:
            away = np.abs(mean)
            change += sign * away * quadratic
            speed += away
            square += away * (linear**2 + 3.0 * quadratic**2)
            continue
        z = np.clip(-mean / factor, -_FAR, _FAR)
        density = np.exp(-0.5 * z * z) / sqrt(2.0 * pi)
        even = -side * erf(z / sqrt(2.0))
        odd = 2.0 * side * density
        moments = [even, odd]
        for order in (2, 3, 4, 5):
            odd = odd * z  # 2 z^(k−1) φ(z)
            moments.append(odd + (order - 1) * moments[order - 2])
        speed += mean * moments[0] + factor * moments[1]
        change += sign * (
            linear * mean * moments[1]
            + (quadratic * mean + linear * factor) * moments[2]
            + quadratic * factor * moments[3]
        )
        for power, part in ((0, mean), (1, factor)):
            square += part * (
                linear**2 * moments[2 + power]
                + 2.0 * linear * quadratic * moments[3 + power]
                + quadratic**2 * moments[4 + power]
            )
    return Crossing(change * s**3, speed * s, square * s**5)
