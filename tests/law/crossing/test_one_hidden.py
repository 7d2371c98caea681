"""One hidden layer: the closed form against quadrature, published values, its limits."""

from math import erf, exp, pi, sqrt

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

import finitewidth as fw
from finitewidth.law.crossing.one_hidden import mean_error, one_hidden


def folded(variance, target):
    """E|N − t| for a normal N of this variance."""
    deviation = variance**0.5
    if deviation == 0.0:
        return abs(target)
    bell = sqrt(2 / pi) * exp(-(target**2) / (2 * variance))
    return deviation * bell + abs(target) * erf(abs(target) / deviation / sqrt(2))


def by_mixture(neurons, unit, target, slope):
    """Sum over the number of active neurons, adaptive quadrature over the chi-squares."""
    total = 0.0
    for active in range(neurons + 1):
        chance = stats.binom.pmf(active, neurons, 0.5)
        at = lambda a, b: folded(unit**2 * (a + slope**2 * b), target)  # noqa: E731
        # in the root of a chi-square its density is smooth at 0
        if active and slope and active < neurons:
            nodes, heights = np.polynomial.legendre.leggauss(80)
            a, w = 6.5 * (nodes + 1), 6.5 * heights
            weigh = np.outer(
                2 * a * stats.chi2.pdf(a * a, active) * w,
                2 * a * stats.chi2.pdf(a * a, neurons - active) * w,
            )
            errors = [[at(p * p, q * q) for q in a] for p in a]
            part = float((weigh * errors).sum())
        elif active or slope:
            degrees, weight = (active, 1.0) if active else (neurons, slope**2)
            part = quad(
                lambda a, degrees=degrees, weight=weight: folded(unit**2 * weight * a * a, target)
                * 2 * a * stats.chi2.pdf(a * a, degrees),
                0, 14, epsabs=1e-14, epsrel=1e-12, limit=400,
            )[0]  # fmt: skip
        else:
            part = abs(target)
        total += chance * part
    return total


@pytest.mark.parametrize("neurons", [1, 2, 3, 9, 40])
@pytest.mark.parametrize("target", [0.0, 0.3, -1.0, 4.0])
def test_the_mean_error_of_relu_against_quadrature(neurons, target):
    unit = 1.4 / neurons**0.5
    want = by_mixture(neurons, unit, target, 0.0)
    assert mean_error(neurons, unit, target, 0.0) == pytest.approx(want, rel=1e-10)


@pytest.mark.parametrize(("neurons", "slope"), [(1, 0.3), (2, -0.5), (3, 2.0), (2, -1.0)])
@pytest.mark.parametrize("target", [0.0, 0.7])
def test_the_mean_error_of_leaky_relu_against_quadrature(neurons, slope, target):
    want = by_mixture(neurons, 0.8, target, slope)
    assert mean_error(neurons, 0.8, target, slope) == pytest.approx(want, rel=1e-8)


def test_a_target_far_away_is_the_error():
    for neurons in (3, 1000):
        for slope in (0.0, 0.5, -2.0):
            assert mean_error(neurons, 1.0, 1e6, slope) == pytest.approx(1e6, rel=1e-12)
            # and just short of where that is taken for granted
            far = 30.0 * neurons**0.5
            assert mean_error(neurons, 1.0, far, slope) == pytest.approx(far, rel=1e-9)


def test_one_neuron():
    """Alone in its layer it is the whole output: N = 0 at its corner."""
    net = fw.MLP(1, [1])
    assert one_hidden(net, 1.0, 0.0) == 0.0
    # q = 3, Q = 2, c_2 = 1
    want = -np.sqrt(2 / np.pi) * 9 / np.sqrt(4 * np.pi) * 0.5
    assert one_hidden(net, 1.0, 0.5) == pytest.approx(want, rel=1e-14)


@pytest.mark.parametrize(
    ("width", "value"), [(10, -0.4501), (30, -0.2838), (100, -0.1598), (400, -0.0806)]
)
def test_values(width, value):
    """Q = 2, κ = 3; also against the closed mean of chi variables."""
    found = one_hidden(fw.MLP(10, [width]), 10.0, 0.0)
    assert found == pytest.approx(value, abs=5e-5)
    counts = np.arange(1, width)
    chi = stats.binom.pmf(counts, width - 1, 0.5) @ [stats.chi(k).mean() for k in counts]
    exact = -(2 / np.pi) * 9 / np.sqrt(4 * np.pi) / width**0.5 * np.sqrt(2 / width) * chi
    assert found == pytest.approx(exact, rel=1e-11)


def test_large_width():
    """−κ²/(π^(3/2) √n), with a relative error of order 1/n."""
    for width in (10**3, 10**6, 10**9, 10**12):
        found = one_hidden(fw.MLP(10, [width]), 10.0, 0.0)
        want = -9.0 / np.pi**1.5 / width**0.5
        assert abs(found / want - 1) < 1.2 / width + 1e-11


@pytest.mark.parametrize("slope", [0.0, 0.3, -0.5, 2.0])
def test_the_sign_and_the_even_target(slope):
    net = fw.MLP(10, [20], "leaky_relu", slope)
    values = [one_hidden(net, 10.0, t) for t in (0.0, 0.4, -0.4, 3.0)]
    assert values[1] == pytest.approx(values[2], rel=1e-13)
    assert values[3] < values[1] < values[0] < 0


def test_the_absolute_value_has_no_term():
    """α = −1: its two speeds have one size, so the jumps cancel exactly."""
    assert one_hidden(fw.MLP(10, [20], "abs"), 10.0, 0.3) == 0.0


def test_values_outside_a_double_are_refused():
    with pytest.raises(ValueError, match="outside the range of a double"):
        one_hidden(fw.MLP(10, [20]), 1e280, 0.0)
