"""The joint limit and the real step: quick runs, and what they rest on."""

from math import exp, pi, sqrt

import pytest

from finitewidth.estimate import Estimate
from finitewidth.reproduce import joint_limit, real_step
from tests.reproduce.checking import FAR, distances, value


def test_extrapolation_takes_two_powers_away() -> None:
    values = tuple(3.0 + 2.0 / n - 7.0 / n**2 for n in (10, 20, 40))
    assert joint_limit.extrapolated((values[0], values[1], values[2])) == pytest.approx(3.0)


def test_the_limits_by_quadrature_of_their_integrals() -> None:
    """E K_w² and E K_b² at Λ = ½ from the double integrals over two layers, by a sum."""
    nu, ratio, steps = 5.0, 0.5, 400
    times = [(k + 0.5) * ratio / steps for k in range(steps)]
    cell = ratio / steps
    both = sum(
        exp(nu * s) * (exp(nu * abs(t - s)) / 3 + 2 * exp(-abs(t - s)) / 3) * exp(nu * (ratio - t))
        for s in times
        for t in times
        if s <= t
    )
    diagonal = sum(exp(nu * s) * exp(nu * (ratio - s)) for s in times)
    weights = (2 * both - diagonal) * cell**2 / ratio**2
    biases = 2 * sum(t * exp(nu * (ratio - t)) for t in times) * cell / ratio**2
    for name, expected in (("E K_w²/(E K_w)²", weights), ("E K_b²/(E K_b)²", biases)):
        of_limit, of_law = joint_limit.QUANTITIES[name]
        limit = of_limit(joint_limit.JointLimit(ratio, joint_limit.RELU))
        assert limit == pytest.approx(expected, rel=2e-3)
        law = joint_limit.law_at(ratio, 4000)
        assert of_law(law, 4000) == pytest.approx(limit, rel=5e-3)


def test_joint_limit_quick_run() -> None:
    found = joint_limit.reproduce(quick=True, seed=2, progress=None)
    z = distances(found)
    assert len(z) >= 4
    assert max(map(abs, z.values())) < FAR, z
    left = [value(found, name) for name in found.numbers if name.endswith("left")]
    assert len(left) == 5
    assert max(map(abs, left)) < 2e-4  # of widths 100 to 400; the widths' own are up to 1e-1
    # Not deterministic at fixed d/n; the limit is E K²/(E K)² − 1.
    assert value(found, "Var K/(E K)², d = n/4, n = 1280") == pytest.approx(1.107, rel=0.02)
    assert value(found, "Var K/(E K)², d = 5, n = 1280") < 0.01
    simulated = found.numbers["dispersion, d/n = 0.25, n = 16, stored, simulated"]
    assert isinstance(simulated, Estimate)
    assert simulated.z(exp(5 * 0.25)) < -2 * FAR  # the printed form is no number to rely on


def test_crossing_of_one_wide_hidden_layer_by_hand() -> None:
    """|x|² = n_0, n → ∞: −κ²/(π^(3/2) √n) with κ = 3; Theorem 2's quantity is −12/n."""
    one = real_step.step(1, 160, 12_000, 3, quick=True)
    assert one.frozen == pytest.approx(-12 / 160, rel=1e-10)
    assert float(one.crossing.value) == pytest.approx(-9 / pi**1.5 / sqrt(160), rel=0.02)
    assert float(one.total.value) == pytest.approx(one.frozen + float(one.crossing.value))
    assert abs(one.real.z(one.total.value)) < FAR
    assert abs(one.crossed.z(one.crossing.value)) < FAR
    assert one.real.z(one.frozen) < -2 * FAR  # a real step is not what Theorem 2 speaks about
    assert one.crossed.z(0.0) < -2 * FAR


def test_exponents() -> None:
    widths = [10, 40, 160]
    assert real_step.exponent(widths, [-8.0, -2.0, -0.5]) == pytest.approx(-1.0)
    estimates = [Estimate(-3.0 * n**-0.5, 0.01 * n**-0.5, 10, "x") for n in widths]
    fit = real_step.exponent(widths, [*estimates])
    assert isinstance(fit, Estimate)
    assert fit.value == pytest.approx(-0.5)
    # Three points of relative error 1/300, ln n with a variance of (2/3) (ln 4)².
    assert fit.std_error == pytest.approx(1 / 300 / sqrt(2) / 1.3862943611, rel=1e-9)


def test_real_step_quick_run() -> None:
    found = real_step.reproduce(quick=True, seed=3, progress=None)
    z = distances(found)
    assert len(z) >= 3
    assert max(map(abs, z.values())) < FAR, z
    power = found.numbers["power of the crossing, L = 1"]
    assert isinstance(power, Estimate)
    assert abs(power.z(-0.47)) < FAR
    assert power.z(-1.0) > 2 * FAR * 0.5
