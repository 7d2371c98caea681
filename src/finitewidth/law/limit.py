"""The joint limit d/n → Λ: equal hidden widths n, d layers, both to infinity.

Critical gain C_W A_2 = 1, readout gain 1, any symmetric weight law with finite moments. With
ν = 3 A_4/A_2² − 1 (ReLU 5, identity 2); derivation in docs, "The paper, corrected, and its limit".
Corrections are O(1/n) and depend on the law. Written with φ_k(z) = (e^z − Σ_{m<k} z^m/m!)/z^k so
that nothing cancels at small Λ, and with e^(νΛ) in front so that nothing overflows at large.
"""

from dataclasses import dataclass
from math import exp, expm1, factorial

from finitewidth.law.layerwise import float_moment
from finitewidth.law.magnitude import Magnitude, from_log
from finitewidth.network import MLP


def phi(k: int, z: float) -> float:
    """φ_k(z) e^(−max(z, 0)), positive for every z."""
    if abs(z) < 1.0:
        return sum(z**m / factorial(m + k) for m in range(25)) * exp(-max(z, 0.0))
    value = -expm1(-z) if z > 0 else expm1(z)  # z φ_1, scaled
    scale = exp(-z) if z > 0 else 1.0
    found = value / z
    for order in range(1, k):
        found = (found - scale / factorial(order)) / z
    return found


@dataclass(frozen=True)
class JointLimit:
    """The limit law's constants at Λ = d/n.

    Attributes
    ----------
    ratio : float
        Λ.
    exponent : float
        ν.
    """

    ratio: float
    exponent: float

    @property
    def _front(self) -> Magnitude:
        return from_log(self.exponent * self.ratio)

    def weights(self) -> Magnitude:
        """E K_w²/(E K_w)² → e^(νΛ) [1/3 + (4/3) φ_2(−(ν+1)Λ)]."""
        bracket = 1 / 3 + 4 / 3 * phi(2, -(self.exponent + 1) * self.ratio)
        return self._front * Magnitude(bracket)

    def biases(self) -> Magnitude:
        """E K_b²/(E K_b)² → 2 φ_2(νΛ)."""
        return self._front * Magnitude(2 * phi(2, self.exponent * self.ratio))

    def cross(self) -> Magnitude:
        """E K_w K_b/(E K_w E K_b)."""
        nu, z = self.exponent, self.exponent * self.ratio
        late = nu * phi(2, z) + phi(2, -self.ratio) * exp(-z)
        return self._front * Magnitude(phi(2, z) + (phi(2, -z) + 2 / (nu + 1) * late) / 3)

    def update_ww(self) -> Magnitude:
        """E Δ_ww/(n² |x|⁴/n_0²) → (2/3)(ν+1) Λ³ e^(νΛ) φ_3(−(ν+1)Λ)."""
        a = self.exponent + 1
        return self._front * Magnitude(2 / 3 * a * self.ratio**3 * phi(3, -a * self.ratio))

    def update_wb(self) -> Magnitude:
        """E Δ_wb/(n² A_2 |x|²/n_0), an integral over the bias's layer in closed form."""
        nu, z = self.exponent, self.exponent * self.ratio
        late = (nu**2 * phi(3, z) - phi(3, -self.ratio) * exp(-z)) / (nu + 1)
        bracket = nu * (phi(2, z) - phi(3, z)) - late
        return self._front * Magnitude(self.ratio**3 / 3 * bracket)

    def dispersion(self, weights_mean: float, biases_mean: float) -> Magnitude:
        """E K²/(E K)² of the whole kernel, the parts weighted by their exact means."""
        total = weights_mean + biases_mean
        w, b = Magnitude(weights_mean / total), Magnitude(biases_mean / total)
        found = w**2 * self.weights()
        if biases_mean:
            found = found + Magnitude(2.0) * w * b * self.cross() + b**2 * self.biases()
        return found

    def update(self, net: MLP, squared_norm: float) -> Magnitude:
        """−E ΔK/(2λ) = E Δ_ww + 2 E Δ_wb at width n and |x|², with trained biases or without."""
        ratio, square = squared_norm / net.n_in, Magnitude(float(net.runs[0][0])) ** 2
        found = self.update_ww() * Magnitude(ratio) ** 2
        if net.trains_biases:
            # 2 A_2 = 2/C_W at critical gain
            found = found + self.update_wb() * Magnitude(2.0 * ratio / net.hidden_gain)
        return found * square


def joint_limit(net: MLP) -> JointLimit:
    """The limit that belongs to a finite network.

    Raises
    ------
    ValueError
        If the hidden widths differ, the gain is not critical, the readout gain is not 1, or the
        parametrization is not "ntk".
    """
    if len(net.runs) != 1:
        raise ValueError(
            f"the joint limit is known for equal hidden widths, got {net.widths!r}; "
            "the exact law takes any widths."
        )
    if net.hidden_gain * float_moment(net, 2) != 1.0:
        raise ValueError(
            f"hidden_gain is {net.hidden_gain:g}, but the joint limit is known at the critical "
            f"gain {1 / float_moment(net, 2):g}; the exact law takes any gain."
        )
    if net.output_gain != 1.0 or net.parametrization != "ntk" or net.bias_lr != 1.0:
        raise ValueError(
            "the joint limit is known for output_gain=1, bias_lr=1 and parametrization='ntk', got "
            f"{net.output_gain:g}, {net.bias_lr:g} and {net.parametrization!r}; "
            "the exact law takes any."
        )
    second, fourth = (float_moment(net, order) for order in (2, 4))
    return JointLimit(net.depth / net.runs[0][0], 3 * fourth / second**2 - 1)
