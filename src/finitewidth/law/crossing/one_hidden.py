"""The crossing term of one hidden layer: exact at every width, for every target and slope.

A neuron at zero has q = λ_1|x|² + β and m = 0 (nothing lies below it that N shares), outgoing
variance σ_a² = c_2, and pre-activations of variance Q = c_1|x|². The other n−1 neurons make the
output N_{n−1}, so the term per unit of learning rate is

    −√(2/π) n (2πQ)^(−1/2) q² c_2^(3/2) (1−α²)(1−|α|) E|N_{n−1} − t| .

Given the hidden layer the output is normal, so with v = c_2 Q its moment generating function is
M(z) = [½(1−vz²)^(−1/2) + ½(1−α²vz²)^(−1/2)]^(n−1), and for t ≥ 0

    E|N−t| = t + 2 E(N−t)₊ ,   E(N−t)₊ = (1/π) ∫_0^∞ Re[ M(z) e^(−tz)/z² ] dw ,  z = y + iw ,

along any line 0 < y below the singularity (the inversion of a Laplace transform; ReLU's atom
at N = 0 adds nothing for t ≥ 0 and is taken out of M). Near the saddle point the integrand does
not oscillate.
"""

from math import inf, log, pi, sqrt

import numpy as np

from finitewidth.network import MLP


def one_hidden(net: MLP, squared_norm: float, target: float) -> float:
    """The crossing term per unit of learning rate, ≤ 0; exact to rounding.

    Raises
    ------
    ValueError
        If the network has not one hidden layer, or the value leaves the range of a double.
    """
    if len(net.widths) != 1:
        raise ValueError(
            f"method='closed' is for one hidden layer and this network has {len(net.widths)}; "
            "use method='conditional' or 'leading'."
        )
    slope = net.act.slope
    assert slope is not None
    first, last = net.layers()
    width = first.fan_out
    variance = first.weight_variance * squared_norm
    gradient = first.weight_lr * squared_norm + (net.bias_lr if net.trains_biases else 0.0)
    unit = sqrt(last.weight_variance) * sqrt(variance)
    corner = (1.0 - slope * slope) * (1.0 - abs(slope))
    front = sqrt(2.0 / pi) * width / sqrt(2.0 * pi) * corner * last.weight_variance
    with np.errstate(over="ignore"):
        # σ_a³/√Q = c_2 · (√c_2/√Q)
        scale = sqrt(last.weight_variance) / sqrt(variance)
        value = front * scale * gradient * gradient * mean_error(width - 1, unit, target, slope)
    if not abs(value) < inf or (value == 0.0 and corner != 0.0 and (width > 1 or target)):
        raise ValueError(
            "the crossing term is outside the range of a double; scale the input or the gains."
        )
    return 0.0 - float(value)


def mean_error(neurons: int, unit: float, target: float, slope: float) -> float:
    """E|N − t| of an output fed by `neurons` hidden neurons.

    Parameters
    ----------
    neurons : int
        Hidden neurons.
    unit : float
        √v, the standard deviation that one active neuron of typical size gives to N.
    target : float
        t.
    slope : float
        α.
    """
    if neurons == 0:
        return abs(target)
    from scipy.integrate import quad
    from scipy.optimize import minimize_scalar
    from scipy.special import expm1, log1p  # NumPy's complex log1p loses small arguments

    place = abs(target) / unit
    end = 1.0 / max(1.0, abs(slope))  # the nearest singularity of M, in units of 1/√v
    spread = sqrt(neurons * (1.0 + slope * slope) / 2.0)
    if place > 45.0 * spread + 800.0 * max(1.0, abs(slope)):
        return abs(target)  # E(N−t)₊ is below e^(−700)
    atom = -neurons * log(2.0) if slope == 0.0 else -inf

    def exponent(z: complex | np.ndarray) -> complex | np.ndarray:
        half = expm1(-0.5 * log1p(-z * z)) + expm1(-0.5 * log1p(-((slope * z) ** 2)))
        return neurons * log1p(0.5 * half)

    def height(y: float) -> float:
        return float(np.real(exponent(y))) - place * y - 2.0 * log(y)

    found = minimize_scalar(height, bounds=(0.0, end), method="bounded", options={"xatol": 1e-9})
    line = float(np.clip(found.x, 1e-12 * end, 0.999 * end))
    top = height(line)

    def along(w: float) -> float:
        z = complex(line, w)
        power = exponent(z)
        rest = -np.expm1(atom - power) if atom > -inf else 1.0
        return float(np.real(np.exp(power - place * z - 2.0 * np.log(z) - top) * rest))

    step = 1.0 / sqrt(spread**2 + 1.0 / line**2)  # how fast the integrand falls near the line
    total, start, length = 0.0, 0.0, 4.0 * step
    for _ in range(200):
        piece, _ = quad(along, start, start + length, epsabs=1e-13 * step, epsrel=1e-12, limit=400)
        total += piece
        start += length
        if abs(along(start)) * start < 1e-17 * abs(total):
            break
        length *= 1.0 if place * length > 20.0 else 2.0
    return abs(target) + 2.0 * unit * float(np.exp(top)) * total / pi
