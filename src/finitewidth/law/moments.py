"""Moments of K, K_w, K_b and of the output, and their central forms.

All from the one recursion (docs, "The exact law"); log scale throughout, so that no depth
overflows.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import comb
from typing import TypeVar

from finitewidth.law.arithmetic import cost, to_digits
from finitewidth.law.chain import Chain
from finitewidth.law.inputs import PowerSums
from finitewidth.law.magnitude import Magnitude
from finitewidth.law.schemes import PARTS, Scheme, cross, kernel_power, output_kernel
from finitewidth.network import MLP

MAX_ORDER = 4
"""Eight paths: the largest recursion that is built."""


def checked_part(part: str) -> str:
    """`part` itself.

    Raises
    ------
    ValueError
        If it is not "kernel", "weights" or "biases".
    """
    if part not in PARTS:
        raise ValueError(f"part is {part!r}, expected one of {', '.join(PARTS)}.")
    return part


def checked_order(order: int, name: str = "order") -> int:
    """`order` itself.

    Raises
    ------
    ValueError
        Unless it is 1, 2, 3 or 4.
    """
    if not isinstance(order, int) or isinstance(order, bool) or not 1 <= order <= MAX_ORDER:
        raise ValueError(
            f"{name} is {order!r}, expected 1, 2, 3 or 4 (8 paths are the most that are counted); "
            "sample the law for more."
        )
    return order


def scheme_of(net: MLP, order: int, part: str) -> Scheme | None:
    """K^order of a part, None where the part is 0 because no bias is trained."""
    if checked_part(part) == "biases" and not net.trains_biases:
        return None
    return kernel_power(checked_order(order), part, net.trains_biases)


def moment(net: MLP, sums: PowerSums, order: int, part: str) -> Magnitude:
    """E K^order (`part` "kernel"), E K_w^order ("weights") or E K_b^order ("biases").

    The means and second moments are Hanin & Nica 2020, Propositions 3–5, exact instead of up to
    constants.
    """
    scheme = scheme_of(net, order, part)
    return Magnitude(0.0) if scheme is None else Chain(net, sums, scheme).expectation()


def dispersion(net: MLP, sums: PowerSums, part: str = "kernel") -> Magnitude:
    """E K²/(E K)² of a part that is not 0; rounding does not take it below 1 (Jensen)."""
    found = moment(net, sums, 2, part) / moment(net, sums, 1, part) ** 2
    return found if net.depth > 1 and found.log > 0.0 else Magnitude(1.0)


def cross_moment(net: MLP, sums: PowerSums) -> Magnitude:
    """E K_w K_b (Hanin & Nica 2020, Proposition 5)."""
    return Chain(net, sums, cross()).expectation() if net.trains_biases else Magnitude(0.0)


def output_moment(net: MLP, sums: PowerSums, outputs: int, kernels: int) -> Magnitude:
    """E N^outputs K^kernels for 2·kernels + outputs ≤ 8; 0 for an odd number of outputs."""
    if outputs % 2:
        return Magnitude(0.0)
    return Chain(net, sums, output_kernel(outputs, kernels, net.trains_biases)).expectation()


# -- central moments ---------------------------------------------------------------------------

Ratio = TypeVar("Ratio", float, Fraction)

_EPS = 2.3e-16
_DIGITS = 60
_AFFORDABLE = 4e7


def standardised(net: MLP, sums: PowerSums, part: str, order: int) -> float:
    """E (K − E K)^order/(E K)^order, with as many digits as it takes.

    Raw moments of a nearly deterministic K cancel almost completely. Where doubles would leave
    fewer than nine digits the recursion is run again with 60 decimal digits.

    Raises
    ------
    RuntimeError
        If doubles leave fewer than three digits and the long arithmetic would take minutes.
    """
    schemes = [scheme_of(net, k, part) for k in range(1, order + 1)]
    if schemes[0] is None:
        raise ValueError(
            "K_b is 0 in a network whose biases are not trained (bias=False or bias_lr=0); "
            "ask for part='weights'."
        )
    used = [scheme for scheme in schemes if scheme is not None]
    raw = [Chain(net, sums, scheme).expectation() for scheme in used]
    ratios = [(m / raw[0] ** k).to_float("a moment of K over its mean", _TOO_WIDE)
              for k, m in enumerate(raw, start=1)]  # fmt: skip
    value = _central(ratios)
    rounding = _EPS * (8 + net.depth) * sum(comb(order, k + 1) * r for k, r in enumerate(ratios))
    if abs(value) > 1e9 * rounding:
        return value
    if sum(cost(net, scheme) for scheme in used) > _AFFORDABLE:
        if abs(value) > 1e3 * rounding:
            return value
        raise RuntimeError(
            f"the central moment of order {order} is below the rounding of doubles at {net.depth} "
            "layers and too long for exact arithmetic; ask for fewer layers or a smaller width."
        )
    exact = [to_digits(net, sums, scheme, _DIGITS) for scheme in used]
    central = _central([m / exact[0] ** k for k, m in enumerate(exact, start=1)])
    return 0.0 if abs(central) < Fraction(1, 10 ** (_DIGITS - 20)) else float(central)


_TOO_WIDE = "ask for log_moment"


def _central(ratios: Sequence[Ratio]) -> Ratio:
    """Σ_k C(m, k) (−1)^(m−k) E K^k/(E K)^k, with the k = 0 term 1."""
    order = len(ratios)
    total = sum(comb(order, k) * (-1) ** (order - k) * r for k, r in enumerate(ratios, start=1))
    return total + (-1) ** order  # type: ignore[return-value]
