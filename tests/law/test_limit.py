"""The joint limit d/n → Λ: against the exact law at finite widths, and against slower formulas."""

from collections.abc import Callable
from decimal import Decimal, localcontext
from itertools import pairwise
from math import exp, inf, log

import numpy as np
import pytest
from scipy.integrate import quad

import finitewidth as fw
from finitewidth.law.limit import JointLimit, phi
from finitewidth.law.magnitude import Magnitude

QUANTITIES = ("weights", "biases", "cross", "update_ww", "update_wb")
U = 0.8  # |x|²/n_in

CRITICAL = {
    "relu": {"activation": "relu", "hidden_gain": 2.0},
    "identity": {"activation": "identity", "hidden_gain": 1.0},
    "abs": {"activation": "abs", "hidden_gain": 1.0},
    "leaky": {"activation": "leaky_relu", "negative_slope": 0.5, "hidden_gain": 1.6},
    "relu, uniform": {"activation": "relu", "hidden_gain": 2.0, "weight_law": "uniform"},
    "leaky, laplace": {"activation": "leaky_relu", "negative_slope": -0.5, "hidden_gain": 1.6,
                       "weight_law": "laplace"},
}  # fmt: skip
EXPONENTS = {"relu": 5.0, "identity": 2.0, "abs": 2.0, "leaky": 3 * 0.53125 / 0.625**2 - 1}
EXPONENTS |= {"relu, uniform": 5.0, "leaky, laplace": EXPONENTS["leaky"]}


def finite(name: str, n: int, ratio: float) -> tuple[fw.KernelLaw, dict[str, float]]:
    """The exact law at width n and Λn weight layers, as logs of what has a limit."""
    d = round(ratio * n)
    assert abs(d - ratio * n) < 1e-9
    net = fw.MLP.equal_width(4, n, d - 1, **CRITICAL[name])
    law = fw.KernelLaw(net, power_sums=(4 * U, 4 * U * U, 4 * U**3, 4 * U**4))
    slope = net.act.slope
    assert slope is not None
    second = (1 + slope**2) / 2
    mean_w, mean_b = law.log_moment(1, "weights"), law.log_moment(1, "biases")
    parts = law.update_parts()
    return law, {
        "weights": law.log_moment(2, "weights") - 2 * mean_w,
        "biases": law.log_moment(2, "biases") - 2 * mean_b,
        "cross": law.log_cross_moment() - mean_w - mean_b,
        "update_ww": log(parts["ww"] / (n * U) ** 2),
        "update_wb": log(parts["wb"] / (n**2 * second * U)),
    }


def limits(limit: JointLimit) -> dict[str, float]:
    return {name: getattr(limit, name)().log for name in QUANTITIES}


def richardson(values: list[float]) -> tuple[float, float]:
    """Extrapolation from widths n, 2n, 4n, …, and the change in its last step."""
    rows, last = values, values[-1]
    for order in range(1, len(values)):
        last = rows[-1]
        rows = [(2**order * fine - coarse) / (2**order - 1) for coarse, fine in pairwise(rows)]
    return rows[0], abs(rows[0] - last)


@pytest.mark.parametrize("name", CRITICAL)
@pytest.mark.parametrize("ratio", [0.05, 0.5, 2.0])
def test_finite_widths_extrapolate_to_the_limit(name, ratio):
    """n = 500, 1000, 2000, 4000 at fixed Λ; corrections are a series in 1/n.

    The last step of Richardson's scheme removes 1/n³, so what remains is a power of 1/n smaller
    than that step's own change, which is the tolerance (plus 1e-10: rounding of 8000 layers,
    amplified fivefold). That change is below 2e-5 throughout, so the test is sharp.
    """
    laws, rows = zip(*(finite(name, n, ratio) for n in (500, 1000, 2000, 4000)), strict=True)
    found = laws[-1].joint_limit()
    assert found.ratio == pytest.approx(ratio, rel=1e-12)
    assert found.exponent == pytest.approx(EXPONENTS[name], rel=1e-12)
    for quantity, want in limits(found).items():
        got, change = richardson([row[quantity] for row in rows])
        assert change < 2e-5, quantity
        assert abs(got - want) <= change + 1e-10, quantity
        assert abs(rows[-1][quantity] - want) > 10 * change  # 1/n is seen, and removed


# -- against formulas that cancel and overflow, in long decimals ----------------------------------


def slow(ratio: float, exponent: float) -> dict[str, float]:
    """Logs of the closed forms in plain exponentials, 200 digits; Δ_wb by its integral below."""
    with localcontext() as context:
        context.prec, context.Emax, context.Emin = 200, 10**12, -(10**12)
        v, z = Decimal(exponent), Decimal(ratio)
        w = v + 1
        e = (v * z).exp()
        decayed = 1 - (-w * z).exp()
        third = Decimal(1) / 3
        weights = e * (third + 4 / (3 * z**2) * (z / w - decayed / w**2))
        biases = 2 * (e - 1 - v * z) / (v * z) ** 2
        bracket = z * e / v - (e - 1) / v**2 + 2 * (e - 1) / (v * w) - 2 * (1 - (-z).exp()) / w
        cross = ((e - 1 - v * z) / v**2 + third * bracket) / z**2
        ww = e * 2 * third * (z**2 / 2 - z / w + decayed / w**2)
        return {
            name: float(value.ln())
            for name, value in (
                ("weights", weights), ("biases", biases), ("cross", cross), ("update_ww", ww)
            )
        }  # fmt: skip


@pytest.mark.parametrize("exponent", [5.0, 2.0, 3.08])
@pytest.mark.parametrize("ratio", [1e-12, 1e-6, 0.01, 0.19, 0.21, 0.3, 0.5, 1.0, 7.0, 100.0, 1e5])
def test_closed_forms_against_long_decimals(ratio, exponent):
    """1e-13: the forms are sums of a few positive terms, φ itself good to 1e-14."""
    found = limits(JointLimit(ratio, exponent))
    for quantity, want in slow(ratio, exponent).items():
        assert found[quantity] == pytest.approx(want, rel=1e-13, abs=1e-13), quantity


def by_quadrature(ratio: float, exponent: float) -> float:
    """log of ∫_0^Λ e^{ν(Λ−s)} ⅓ [(Λ−s) − (1 − e^{−(ν+1)(Λ−s)})/(ν+1)] ds, e^{νΛ} taken out."""
    rate = exponent + 1

    def integrand(s: float) -> float:
        left = ratio - s
        # x − (1 − e^{−ax})/a = a x² φ_2(−ax): the first terms cancel where ax is small
        if rate * left < 0.02:
            y = -rate * left
            inner = rate * left**2 * (1 / 2 + y / 6 + y**2 / 24 + y**3 / 120 + y**4 / 720)
        else:
            inner = left - (1 - exp(-rate * left)) / rate
        return exp(-exponent * s) * inner / 3

    # beyond 60/ν nothing is left of the weight e^{−νs}
    value, error = quad(integrand, 0.0, min(ratio, 60 / exponent), epsrel=1e-12, epsabs=0.0)
    assert error < 1e-11 * value
    return exponent * ratio + log(value)


@pytest.mark.parametrize("exponent", [5.0, 2.0, 3.08])
@pytest.mark.parametrize("ratio", [1e-8, 1e-3, 0.05, 0.2, 1.0, 3.0, 40.0, 1e4])
def test_bias_part_of_the_update_against_quadrature(ratio, exponent):
    """1e-11 is the error that the quadrature states for itself."""
    got = JointLimit(ratio, exponent).update_wb().log
    assert got == pytest.approx(by_quadrature(ratio, exponent), rel=1e-13, abs=1e-11)


# -- the ends --------------------------------------------------------------------------------------


@pytest.mark.parametrize("exponent", [5.0, 2.0, 3.08])
def test_slopes_at_zero(exponent):
    """The closed forms expanded by hand to first order in Λ.

    Weights: 1 + νΛ − (4/3)(ν + 1)Λ/6 = 1 + (7ν − 2)Λ/9. Biases: 2 φ_2(νΛ) = 1 + νΛ/3. Cross: the
    bracket is Λ²·3/2 + Λ³ (2ν − 1)/3 + …, so 1 + νΛ/6 + (2ν − 1)Λ/9 = 1 + (7ν − 2)Λ/18.
    Updates: (2/3)(ν + 1)Λ³/6, and ⅓ ∫ (ν + 1)(Λ − s)²/2 ds = (ν + 1)Λ³/18.
    """
    small = 1e-6  # the next order is below 100 Λ, so the slopes are good to 1e-4
    found = limits(JointLimit(small, exponent))
    assert found["weights"] / small == pytest.approx((7 * exponent - 2) / 9, rel=1e-4)
    assert found["biases"] / small == pytest.approx(exponent / 3, rel=1e-4)
    assert found["cross"] / small == pytest.approx((7 * exponent - 2) / 18, rel=1e-4)
    rate = exponent + 1
    assert found["update_ww"] == pytest.approx(log(rate * small**3 / 9), abs=1e-4)
    assert found["update_wb"] == pytest.approx(log(rate * small**3 / 18), abs=1e-4)


@pytest.mark.parametrize(("name", "slope"), [("relu", 11 / 3), ("identity", 4 / 3), ("abs", 4 / 3)])
def test_slopes_of_networks(name, slope):
    """Λ = 1e-5: the next order is below 100 Λ."""
    net = fw.MLP.equal_width(4, 10**6, 9, **CRITICAL[name])
    limit = fw.KernelLaw(net).joint_limit()
    assert limit.weights().log / limit.ratio == pytest.approx(slope, rel=1e-3)


@pytest.mark.parametrize("exponent", [5.0, 2.0])
def test_enormous_ratios_stay_finite(exponent):
    """Λ = 10⁹: e^(νΛ) in front, and beside it the powers that the closed forms leave."""
    ratio = 1e9
    found = limits(JointLimit(ratio, exponent))
    tails = {
        "weights": log(1 / 3),
        "biases": log(2) - 2 * log(exponent * ratio),
        "cross": -log(3 * exponent * ratio),
        "update_ww": log(ratio**2 / 3),
        # ⅓ ∫_0^∞ e^{−νs} (Λ − s) ds → Λ/(3ν)
        "update_wb": log(ratio / (3 * exponent)),
    }
    for quantity, tail in tails.items():
        # corrections are O(1/Λ) = 1e-9, and the log near 5e9 is rounded to 1e-6
        assert abs(found[quantity] - exponent * ratio - tail) < 3e-6, quantity


def test_monotone_in_the_ratio():
    ratios = np.geomspace(1e-4, 50, 80)
    for exponent in (2.0, 5.0):
        rows = [limits(JointLimit(float(r), exponent)) for r in ratios]
        for quantity in QUANTITIES:
            assert (np.diff([row[quantity] for row in rows]) > 0).all(), quantity


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize(
    "z", [-1e4, -60.0, -3.0, -1.01, -0.99, -1e-9, 0.0, 1e-9, 0.99, 1.01, 5.0, 60.0, 700.0]
)
def test_phi_against_its_definition(k, z):
    """φ_k(z) = (e^z − Σ_{m<k} z^m/m!)/z^k, times e^(−max(z, 0)); 1/k! at 0."""
    with localcontext() as context:
        context.prec = 120
        x = Decimal(z)
        terms = [Decimal(1), x, x * x / 2]
        if z:
            plain = (x.exp() - sum(terms[:k], Decimal(0))) / x**k
        else:
            plain = Decimal(1) / (1, 1, 2, 6)[k]
        want = float(plain * (-max(x, Decimal(0))).exp())
    assert phi(k, z) == pytest.approx(want, rel=5e-15 if abs(z) < 1 else 5e-14)


REFUSED: dict[str, tuple[Callable[[], fw.MLP], str]] = {
    "unequal widths": (lambda: fw.MLP(n_in=3, widths=[4, 5]), "equal hidden widths, got [4] + [5]"),
    "no hidden layer": (lambda: fw.MLP(n_in=3), "equal hidden widths, got []"),
    "gain": (lambda: fw.MLP(n_in=3, widths=[4], hidden_gain=1.9), "the critical gain 2;"),
    "gain of identity": (
        lambda: fw.MLP(n_in=3, widths=[4], activation="identity"), "the critical gain 1;"
    ),
    "readout": (lambda: fw.MLP(n_in=3, widths=[4], output_gain=2.0), "got 2, 1 and 'ntk'"),
    "bias_lr": (lambda: fw.MLP(n_in=3, widths=[4], bias_lr=0.5), "got 1, 0.5 and 'ntk'"),
    "standard": (
        lambda: fw.MLP(n_in=3, widths=[4], parametrization="standard"), "1 and 'standard'"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "said"), REFUSED.values(), ids=REFUSED)
def test_networks_without_a_joint_limit(make, said):
    with pytest.raises(ValueError, match="the joint limit is known") as caught:
        fw.KernelLaw(make()).joint_limit()
    assert said in str(caught.value)
    assert str(caught.value).count(". ") == 0


# -- the numbers out of a double's range that carry it ---------------------------------------------


def test_magnitudes():
    large = Magnitude(3.0, 5000)
    assert (large * large).log == pytest.approx(2 * log(3) + 10000 * log(2), rel=1e-15)
    assert (large / large).to_float("", "") == 1.0
    assert (large**3).log == pytest.approx(3 * large.log, rel=1e-15)
    assert (large + Magnitude(1.0)).log == large.log
    assert (Magnitude(1.0) + Magnitude(0.25)).to_float("", "") == 1.25
    assert (Magnitude(0.0) + large) == large == (large + Magnitude(0.0))
    assert Magnitude(0.0).log == -inf
    assert Magnitude(0.0).to_float("", "") == 0.0
    assert Magnitude(0.75, 1024).to_float("", "") == 0.75 * 2.0**1023 * 2
    with pytest.raises(ValueError, match=r"E K is e\^\(3466.83\), outside the range .*; do this\."):
        large.to_float("E K", "do this")
