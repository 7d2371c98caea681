"""The large-width form: published constants and exponents, a plain recursion, extreme depth."""

from math import exp, pi, sqrt

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.law.crossing.leading import leading


def value(net, squared_norm=10.0, target=0.0):
    return -exp(leading(net, squared_norm, target).total)


def plain(net, squared_norm, target):
    """The recursion written out in ordinary numbers, layer by layer."""
    layers, slope = list(net.layers()), net.act.slope
    rate = net.bias_lr if net.trains_biases else 0.0
    second, fourth = (1 + slope**2) / 2, (1 + slope**4) / 2
    r, q, traces, rows = squared_norm, 0.0, 0.0, []
    for j, one in enumerate(layers[:-1]):
        c = one.weight_variance
        variance = c * r
        q = one.weight_lr * r + rate + c * (one.fan_in * second * q if j else 0.0)
        below = traces
        traces = fourth * q * q
        if j:
            traces += (c * second) ** 2 * one.fan_out * one.fan_in * below
        rows.append((variance, q, below, one))
        r = one.fan_out * second * variance
    sensitivity, total, parts = 1.0, 0.0, []
    spread = layers[-1].weight_variance * r
    y = abs(target) / sqrt(spread)
    from scipy.special import erf

    error = sqrt(spread * 2 / pi) * exp(-y * y / 2) + abs(target) * float(erf(y / sqrt(2)))
    for (variance, q, below, one), above in zip(reversed(rows), reversed(layers[1:]), strict=True):
        outgoing = above.weight_variance * sensitivity
        sensitivity = one.fan_out * second * outgoing
        mixed = one.weight_variance**2 * sensitivity * one.fan_in * below
        own = q * q * outgoing
        off, on, both = sqrt(mixed + slope**2 * own), sqrt(mixed + own), mixed + slope * own
        rho = both / (off * on) if off else 0.0
        b = 2 * (off**3 + on**3) - (1 + rho**2) * off * on * (off + on)
        parts.append(error * one.fan_out / sqrt(2 * pi * variance) * b / (q * sqrt(2 * pi)))
        total += parts[-1]
    return -total, parts[::-1]


NETS = {
    "one layer": fw.MLP(10, [50]),
    "unequal": fw.MLP(10, [20, 60, 30, 30, 80, 25]),
    "leaky": fw.MLP(10, [20, 60, 30], "leaky_relu", 0.3, hidden_gain=1.8),
    "steep": fw.MLP(10, [20, 60, 30], "leaky_relu", -1.7, hidden_gain=0.4),
    "absolute value": fw.MLP(10, [20, 60, 30], "abs", hidden_gain=1.0),
    "standard": fw.MLP(10, [20, 60], parametrization="standard", bias_lr=0.2, output_gain=3.0),
    "no biases": fw.MLP(10, [20, 60, 9], bias=False),
}


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("target", [0.0, 0.8, -30.0])
def test_against_the_recursion_in_ordinary_numbers(name, target):
    net = NETS[name]
    total, parts = plain(net, 7.0, target)
    found = leading(net, 7.0, target)
    assert -exp(found.total) == pytest.approx(total, rel=1e-11)
    # the plain form of b_j subtracts nearly equal numbers
    np.testing.assert_allclose(np.exp(found.terms), parts, rtol=1e-9, atol=1e-14)


def test_the_constants_of_equal_widths():
    """A_j = j [3√S_j − √S_{j−1} − j²/√S_j], S_j = j(j+1)(2j+1)/6, in front of κ²/(2π^(3/2)√n)."""
    n, kappa = 100, 3.0
    found = np.exp(leading(fw.MLP.equal_width(10, n, 30), 10.0, 0.0).terms)
    j = np.arange(1, 31.0)
    s = j * (j + 1) * (2 * j + 1) / 6
    below = np.concatenate([[0.0], s[:-1]])
    a = j * (3 * np.sqrt(s) - np.sqrt(below) - j * j / np.sqrt(s))
    np.testing.assert_allclose(a[:3], [2.0, 7.839, 19.75], rtol=3e-4)
    np.testing.assert_allclose(found, kappa**2 * a / (2 * pi**1.5 * sqrt(n)), rtol=1e-12)


TABLE = {
    1: 1.616, 2: 7.951, 3: 23.91, 5: 109.6, 8: 489.1, 10: 1016.8, 20: 10449, 50: 2.442e5,
    100: 2.714e6, 200: 3.043e7,
}  # fmt: skip


@pytest.mark.parametrize("hidden", TABLE)
def test_values_and_the_ratio_to_the_frozen_change(hidden):
    n = 10_000
    net = fw.MLP.equal_width(10, n, hidden)
    found = value(net)
    assert -found * sqrt(n) == pytest.approx(TABLE[hidden], rel=5e-4)
    frozen = {1: 12, 2: 48, 3: 120, 5: 420, 8: 1440, 10: 2640, 20: 18481, 50: 2.652e5,
              100: 2.061e6, 200: 1.625e7}[hidden]  # fmt: skip
    ratio = -found * sqrt(n) / frozen
    tabled = {1: 0.1347, 2: 0.1656, 3: 0.1993, 5: 0.2610, 8: 0.3397, 10: 0.3851, 20: 0.5654,
              50: 0.9207, 100: 1.317, 200: 1.873}[hidden]  # fmt: skip
    assert ratio == pytest.approx(tabled, rel=1e-3)
    # the frozen change of the exact law, at a width at which 1/n is out of sight
    wide = fw.KernelLaw(fw.MLP.equal_width(10, 10**9, hidden)).update_mean() * -(10**9)
    assert wide == pytest.approx(frozen, rel=1e-3)


def test_the_exponents_in_depth():
    """Absolute L^(7/2) with Σ A_j → (4/(7√3)) L^(7/2); the ratio to the frozen change → 0.133."""
    n = 100
    deep = [2000, 4000, 8000]
    logs = [leading(fw.MLP.equal_width(10, n, hidden), 10.0, 0.0).total for hidden in deep]
    exponent = np.diff(logs) / np.log(2)
    assert abs(exponent[-1] - 3.5) < 0.001
    front = np.exp(np.array(logs) - 3.5 * np.log(deep)) * 2 * pi**1.5 * sqrt(n) / 9.0
    constant = 2 * front[-1] - front[-2]  # the next order is 1/L
    assert constant == pytest.approx(4 / (7 * sqrt(3)), rel=1e-6)
    # frozen: −(4/3 X² + 2/3 X) L³/n at X = |x|²/n_0 = 1, so the ratio tends to 0.0296·9/2
    assert constant * 9 / (2 * pi**1.5) / 2.0 == pytest.approx(0.133, abs=5e-4)


def test_no_depth_leaves_the_doubles():
    for gain, slope in ((5.0, 0.0), (0.5, 0.3), (2.0, 0.0)):
        net = fw.MLP.equal_width(10, 64, 100_000, activation="leaky_relu", negative_slope=slope,
                                 hidden_gain=gain)  # fmt: skip
        found = leading(net, 10.0, 0.3)
        assert np.isfinite([found.total, found.deviation]).all()
        assert np.isfinite(found.terms).all()
    with pytest.raises(ValueError, match="outside the range of a double"):
        fw.KernelLaw(fw.MLP.equal_width(10, 64, 100_000, hidden_gain=5.0)).crossing_mean(
            method="leading"
        )


def test_unequal_layers_cost_one_pass():
    widths = np.random.default_rng(0).integers(50, 5000, 2000).tolist()
    net = fw.MLP(10, widths)
    assert value(net) == pytest.approx(plain(net, 10.0, 0.0)[0], rel=1e-8)


def test_too_many_layers_are_refused():
    with pytest.raises(ValueError, match="at most 5000000"):
        leading(fw.MLP.equal_width(10, 64, 6_000_000), 10.0, 0.0)
