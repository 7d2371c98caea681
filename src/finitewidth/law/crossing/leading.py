"""The crossing term at large width: any depth, closed form in O(depth).

With A_2 = (1+α²)/2, A_4 = (1+α⁴)/2, c_j the variance of a weight, λ_j and β the learning-rate
factors of weights and biases, and κ_j = λ_j r_{j−1} + β:

    r_0 = |x|²,  Q_j = c_j r_{j−1},  r_j = n_j A_2 Q_j                         (variance of y^(j))
    q_j = κ_j + g_j q_{j−1},   g_j = c_j n_{j−1} A_2                            (|∇y_u|²)
    U_j = A_4 q_j² + c_j² A_2² n_j n_{j−1} U_{j−1}                              (tr T_j²/n_j)
    s_d = 1,  s_j = n_j A_2 c_{j+1} s_{j+1}                                     (|∂N/∂y^(j)|²)
    σ_b² = q_j² c_{j+1} s_{j+1},   σ_m² = c_j² s_j n_{j−1} U_{j−1}

T_j is the Gram matrix of the Jacobian of x^(j) in the parameters below. Its n² entries off the
diagonal are of order n^(−1/2) each and count as much as the diagonal in tr T_j². For neuron u of
layer j at zero, p_off and p_on (see `one_neuron`) are normal with σ_off² = σ_m² + α²σ_b²,
σ_on² = σ_m² + σ_b² and covariance σ_m² + ασ_b², and their mean over the change is

    −(1/2q) E (p_on² − p_off²)(|p_on| − |p_off|) = −b_j/(q_j √(2π)) ,
    b_j = (σ_off+σ_on) [ 2 ((1−α²) σ_b²/(σ_off+σ_on))² + (1−α)² σ_m² σ_b²/(σ_off σ_on) ] ,

which has no difference of nearly equal numbers left. The term is −E|N−t| Σ_j n_j (2πQ_j)^(−1/2)
b_j/(q_j √(2π)). Everything is kept as a logarithm: no depth leaves the doubles.
"""

from dataclasses import dataclass
from math import log, pi

import numpy as np

from finitewidth._shapes import Float
from finitewidth.law.crossing.output_error import log_mean_error, log_square_error
from finitewidth.network import MLP

MAX_LAYERS = 5_000_000


@dataclass(frozen=True)
class Leading:
    """Natural logs of the parts of the leading term, per unit of learning rate.

    Attributes
    ----------
    terms : array [L]
        ln |contribution| of each hidden layer; −inf where it is 0.
    crossings : array [L]
        ln of the mean number of crossings in each hidden layer.
    reach : array [L]
        ln of the root mean square displacement of a neuron at zero, in units of the standard
        deviation of its pre-activation.
    deviation : float
        ln √(E N²).
    """

    terms: Float[np.ndarray, " L"]
    crossings: Float[np.ndarray, " L"]
    reach: Float[np.ndarray, " L"]
    deviation: float

    @property
    def total(self) -> float:
        """ln |term|, −inf for 0."""
        return float(np.logaddexp.reduce(self.terms))


def leading(net: MLP, squared_norm: float, target: float) -> Leading:
    """The leading term of a network with at least one hidden layer.

    Raises
    ------
    ValueError
        For more than five million hidden layers.
    """
    count = len(net.widths)
    if count > MAX_LAYERS:
        raise ValueError(
            f"the crossing term visits every hidden layer and this network has {count}; "
            f"ask for at most {MAX_LAYERS}."
        )
    slope = net.act.slope
    assert slope is not None
    log_second, log_fourth = (log((1.0 + slope**order) / 2.0) for order in (2, 4))
    width, fan_in, variance, rate = _scales(net)
    gain = variance[:-1] + fan_in + log_second  # ln g_j; ln Q_1 is the first layer's own
    gain[0] = variance[0] + log(squared_norm)
    log_q_variance = np.cumsum(gain)  # ln Q_j
    norm_below = log_q_variance - variance[:-1]  # ln r_{j−1}
    kappa = rate[:-1] + norm_below
    if net.trains_biases:
        kappa = np.logaddexp(kappa, log(net.bias_lr))
    grown = np.cumsum(np.concatenate(([0.0], gain[1:])))
    velocity = grown + np.logaddexp.accumulate(kappa - grown)  # ln q_j
    traces = 2.0 * (variance[1:-1] + log_second) + width[1:] + width[:-1]
    grown = np.cumsum(np.concatenate(([0.0], traces)))
    square_trace = grown + np.logaddexp.accumulate(log_fourth + 2.0 * velocity - grown)  # ln U_j
    back = (width + log_second + variance[1:])[::-1]
    sensitivity = np.cumsum(back)[::-1]  # ln s_j, j = 1 … d−1
    above = np.append(sensitivity[1:], 0.0)
    own = 2.0 * velocity + variance[1:] + above  # ln σ_b²
    other = np.full(count, -np.inf)  # ln σ_m²
    other[1:] = 2.0 * variance[1:-1] + sensitivity[1:] + width[:-1] + square_trace[:-1]
    deviation = 0.5 * (variance[-1] + width[-1] + log_second + log_q_variance[-1])
    error = log_mean_error(float(deviation), target)
    jumps, speed, furthest = _pair(own, other, slope)
    front = error + width - 0.5 * (log(2.0 * pi) + log_q_variance) - 0.5 * log(2.0 * pi)
    spread = 0.5 * log_square_error(float(deviation), target)
    return Leading(
        front + jumps - velocity,
        front + speed,
        spread + furthest - 0.5 * log_q_variance,
        float(deviation),
    )


def _scales(net: MLP) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Logs of n_j and n_{j−1} of the hidden layers, and of c_j, λ_j of all d layers."""
    widths = np.repeat([n for n, _ in net.runs], [count for _, count in net.runs]).astype(float)
    fan_in = np.concatenate(([float(net.n_in)], widths))
    first = next(net.layers())
    last = net.layer(net.depth, int(fan_in[-1]), net.n_out)
    sizes, where = np.unique(fan_in[1:-1], return_inverse=True)
    between = [net.layer(2, int(size), 1) for size in sizes.tolist()]  # by their fan-in alone
    of_size = np.array([(one.weight_variance, one.weight_lr) for one in between]).reshape(-1, 2)
    ends = np.array([(one.weight_variance, one.weight_lr) for one in (first, last)])
    variance, rate = np.log(np.concatenate([ends[:1], of_size[where], ends[1:]])).T
    return np.log(widths), np.log(fan_in[:-1]), variance, rate


def _pair(
    own: Float[np.ndarray, " L"], other: Float[np.ndarray, " L"], slope: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logs of b_j, of σ_off + σ_on and of the larger σ, from ln σ_b² and ln σ_m²."""
    unit = np.maximum(own, other)
    b, m = np.exp(own - unit), np.exp(other - unit)
    on, off = np.sqrt(m + b), np.sqrt(m + slope**2 * b)
    both = on + off
    mixed = np.divide(m, off, out=np.zeros(len(m)), where=off > 0) * b / on
    found = both * (2.0 * ((1.0 - slope**2) * b / both) ** 2 + (1.0 - slope) ** 2 * mixed)
    with np.errstate(divide="ignore"):
        return (
            1.5 * unit + np.log(found),
            0.5 * unit + np.log(both),
            0.5 * unit + np.log(np.maximum(on, off)),
        )
