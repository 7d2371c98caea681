"""ΔK of one SGD step with the activation pattern frozen (Hanin & Nica 2020, Theorem 2).

Loss ½(N(x) − t)², one input, step of size λ on every parameter times its learning-rate factor:
ΔK = −2 λ (N − t) gᵀHg at first order in λ, with g the gradient and H the almost-everywhere
Hessian of N. A real step also carries neurons across zero, whose jumps add a mean change of order
width^(−1/2): another quantity, not computed here.
"""

from finitewidth.law.chain import Chain
from finitewidth.law.inputs import PowerSums
from finitewidth.law.magnitude import Magnitude
from finitewidth.law.schemes import hessian, update_part
from finitewidth.network import MLP


def part(net: MLP, sums: PowerSums, kinds: tuple[str, str]) -> Magnitude:
    """E Δ_ab = E N Σ_{p∈a, q∈b} ∂_pN ∂_p∂_qN ∂_qN for kinds "w", "b" (Propositions 3 and 5)."""
    if "b" in kinds and not net.trains_biases:
        return Magnitude(0.0)
    return Chain(net, sums, update_part(kinds)).expectation()


def mean(net: MLP, sums: PowerSums) -> Magnitude:
    """−E ΔK/(2λ) = E N gᵀHg = E Δ_ww + 2 E Δ_wb; the target drops out (odd in the readout)."""
    return Chain(net, sums, hessian(1, 1, net.trains_biases)).expectation()


def second_moment(net: MLP, sums: PowerSums, target: float) -> Magnitude:
    """E (ΔK/λ)² = 4 ( E N²(gᵀHg)² + t² E (gᵀHg)² ); the cross term is odd and vanishes."""
    four = Magnitude(4.0)
    total = Chain(net, sums, hessian(2, 2, net.trains_biases)).expectation()
    if target != 0.0:
        plain = Chain(net, sums, hessian(0, 2, net.trains_biases)).expectation()
        total = total + Magnitude(abs(target)) ** 2 * plain
    return four * total
