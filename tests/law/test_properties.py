"""What holds for every network, tried on random ones.

Inequalities that hold with equality somewhere get the room of rounding, 1e-12 relative: moments
are sums of terms of one sign, and the networks have at most ten layers.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import finitewidth as fw
from finitewidth.network import GivenMoments

ROOM = 1e-12
some, few = settings(max_examples=30), settings(max_examples=20)
PARTS = ("kernel", "weights", "biases")


def two_scales(low: int, share: int) -> GivenMoments:
    """W² is `low`/8 with probability `share`/8, else what makes the variance 1."""
    small, often = Fraction(low, 8), Fraction(share, 8)
    large = (1 - often * small) / (1 - often)
    return GivenMoments({2 * m: often * small**m + (1 - often) * large**m for m in (2, 3, 4)})


laws = st.one_of(
    st.sampled_from(["gaussian", "uniform", "laplace", "student_t:9", "student_t:30.5"]),
    st.builds(two_scales, st.integers(0, 8), st.integers(1, 7)),
)
widths = st.one_of(
    st.lists(st.integers(1, 60), min_size=0, max_size=6),
    st.builds(lambda n, count: [n] * count, st.integers(1, 300), st.integers(1, 9)),
)
factors = st.floats(0.2, 4.0)
coordinates = st.lists(
    st.floats(-3.0, 3.0).map(lambda v: round(v, 3)), min_size=1, max_size=5
).filter(lambda x: any(abs(v) > 0.01 for v in x))


@dataclass(frozen=True)
class Case:
    """Fields of a network and an input; built in the test, where run-time checks may draw lots."""

    fields: dict[str, Any]
    x: np.ndarray

    @property
    def net(self) -> fw.MLP:
        return fw.MLP(n_in=len(self.x), **self.fields)

    @property
    def law(self) -> fw.KernelLaw:
        return fw.KernelLaw(self.net, self.x)


@st.composite
def networks(draw, hidden=widths, **fixed):
    """A network and an input."""
    x = draw(coordinates)
    slope = draw(st.one_of(st.sampled_from([0.0, 1.0, -1.0, 0.01]), st.floats(-1.5, 1.5)))
    name = {0.0: "relu", 1.0: "identity", -1.0: "abs"}.get(slope, "leaky_relu")
    fields = {
        "widths": draw(hidden),
        "activation": name,
        "negative_slope": slope,
        "weight_law": draw(laws),
        "hidden_gain": draw(factors),
        "output_gain": draw(factors),
        "bias_lr": draw(st.one_of(st.just(1.0), factors)),
        "parametrization": draw(st.sampled_from(["ntk", "standard"])),
    } | fixed
    return Case(fields, np.array(x))


hidden_layers = widths.filter(bool)
with_hidden_layers = networks(hidden=hidden_layers)


def close(got: float, want: float, rel: float = ROOM) -> bool:
    return abs(got - want) <= rel * abs(want)


@some
@given(networks())
def test_moments_are_positive_and_log_convex(case):
    """E K^(a+b) squared is at most E K^2a E K^2b (Cauchy–Schwarz), from order 0 on."""
    found = case.law
    for part in PARTS:
        m = [1.0, *(found.moment(order, part) for order in (1, 2, 3, 4))]
        assert all(value > 0 for value in m)
        for low, middle, high in zip(m, m[1:], m[2:], strict=False):
            assert middle**2 <= low * high * (1 + ROOM)
        assert m[2] ** 2 <= m[0] * m[4] * (1 + ROOM)
        assert found.dispersion(part) >= 1 - ROOM


@some
@given(networks())
def test_cauchy_schwarz_between_the_parts_and_the_output(case):
    found = case.law
    w, b, both = found.moment(2, "weights"), found.moment(2, "biases"), found.cross_moment()
    assert 0 < both**2 <= w * b * (1 + ROOM)
    with_output = found.output_kernel_moment()
    assert 0 < with_output**2 <= found.output_moment(4) * found.moment(2) * (1 + ROOM)
    assert found.output_moment(2) ** 2 <= found.output_moment(4) * (1 + ROOM)


@some
@given(networks())
def test_the_kernel_is_the_sum_of_its_parts(case):
    found = case.law
    assert close(found.mean(), found.mean("weights") + found.mean("biases"))
    whole = found.moment(2, "weights") + 2 * found.cross_moment() + found.moment(2, "biases")
    assert close(found.moment(2), whole)
    # E (K_w + K_b)^m lies between E K_w^m + E K_b^m and 2^(m−1) times it.
    for order in (3, 4):
        parts = found.moment(order, "weights") + found.moment(order, "biases")
        assert parts * (1 - ROOM) <= found.moment(order) <= 2 ** (order - 1) * parts * (1 + ROOM)


@some
@given(networks())
def test_the_variance_is_the_dispersion_less_one(case):
    """Below, doubles keep nine digits of a central moment, by construction of `standardised`."""
    found = case.law
    for part in PARTS:
        relative = found.relative_variance(part)
        assert relative >= 0
        assert abs(relative - (found.dispersion(part) - 1)) <= ROOM * found.dispersion(part)
        assert close(found.variance(part), relative * found.mean(part) ** 2)


@few
@given(with_hidden_layers)
def test_skewness_and_kurtosis(case):
    """E Z⁴ ≥ (E Z³)² + 1 for every standardised Z (Pearson 1916)."""
    found = case.law
    for part in PARTS:
        assume(found.relative_variance(part) > 0)
        skewness, kurtosis = found.skewness(part), found.kurtosis(part)
        assert kurtosis >= 1 + skewness**2 - 1e-6 * kurtosis


@example(Case({"widths": [10**9]}, np.ones(1)), "kernel")
@example(Case({"widths": [10**5] * 3, "weight_law": "laplace"}, np.ones(1)), "weights")
@example(Case({"widths": [3000] * 2, "activation": "identity"}, np.ones(1)), "biases")
@few
@given(networks(hidden=st.lists(st.integers(2, 10**6), min_size=1, max_size=2)),
       st.sampled_from(PARTS))  # fmt: skip
def test_central_moments_keep_their_digits(case, part):
    """Against Fractions: nine digits, also where doubles would leave none."""
    found = case.law
    raw = [found.fraction(part, order) for order in (1, 2, 3)]
    second = raw[1] / raw[0] ** 2 - 1
    third = raw[2] / raw[0] ** 3 - 3 * raw[1] / raw[0] ** 2 + 2
    assert close(found.relative_variance(part), float(second), 2e-9)
    if second:
        assume(abs(third) > 1e-8 * second**1.5)  # else its digits cancel beyond nine
        want = float(third) / float(second) ** 1.5
        assert close(found.skewness(part), want, 2e-8)


@some
@given(networks(), st.floats(0.01, 5.0))
def test_the_mean_update_is_negative_and_made_of_its_parts(case, rate):
    found = case.law
    parts = found.update_parts()
    assert parts["ww"] >= 0
    assert parts["wb"] >= 0
    assert close(found.update_mean(rate), -2 * rate * (parts["ww"] + 2 * parts["wb"]))
    assert close(found.relative_update(rate), found.update_mean(rate) / found.mean())
    if case.net.depth > 1:
        assert found.update_mean(rate) < 0
    else:
        assert found.update_mean(rate) == 0


@some
@given(networks(hidden=st.lists(st.integers(1, 30), max_size=3)),
       st.floats(0.1, 3.0), st.floats(0.1, 4.0))  # fmt: skip
def test_the_spread_of_the_update(case, rate, target):
    """Var ΔK = λ² (v + t² h): positive, even in t, growing with |t|."""
    found = case.law
    still, plus = found.update_variance(rate, 0.0), found.update_variance(rate, target)
    square = plus + found.update_mean(rate) ** 2
    assert 0 <= still <= plus
    assert found.update_variance(rate, -target) == plus
    assert abs(found.update_variance(2 * rate, target) - 4 * plus) <= 10 * ROOM * square
    twice = found.update_variance(rate, 2 * target)
    assert abs((twice - still) - 4 * (plus - still)) <= 20 * ROOM * (twice + square)
    if case.net.depth == 1:
        assert plus == 0


@some
@given(networks(), st.floats(0.1, 4.0))
def test_the_size_of_the_input(case, scale):
    """K_w goes like |x|², K_b not at all: slopes do not see the size. N goes like |x|."""
    net, x = case.net, case.x
    one, other = case.law, fw.KernelLaw(net, scale * x)
    for order in (1, 2, 3):
        factor = scale ** (2 * order)
        assert close(other.moment(order, "weights"), factor * one.moment(order, "weights"))
        assert close(other.moment(order, "biases"), one.moment(order, "biases"))
    assert close(other.cross_moment(), scale**2 * one.cross_moment())
    assert close(other.output_moment(4), scale**4 * one.output_moment(4))
    for name, power in (("ww", 4), ("wb", 2)):
        assert close(other.update_parts()[name], scale**power * one.update_parts()[name])


@some
@given(networks(parametrization="ntk"), st.floats(0.25, 4.0), st.floats(0.25, 4.0))
def test_gains_with_unit_variance_weights(case, hidden, readout):
    """N goes like √(C_W^(d−1) C_out), so K_w like its square; K_b − 1 like C_out alone."""
    net, x = case.net, case.x
    one = case.law
    both = replace(net, hidden_gain=hidden * net.hidden_gain, output_gain=readout * net.output_gain)
    factor = hidden ** (net.depth - 1) * readout
    other = fw.KernelLaw(both, x)
    for order in (1, 2, 3):
        want = factor**order * one.moment(order, "weights")
        assert close(other.moment(order, "weights"), want)
    assert close(other.output_moment(2), factor * one.output_moment(2))
    assert close(other.update_parts()["ww"], factor**2 * one.update_parts()["ww"])
    louder = fw.KernelLaw(replace(net, output_gain=readout * net.output_gain), x)
    hidden_biases = one.mean("biases") - net.bias_lr
    want = net.bias_lr + readout * hidden_biases
    assert close(louder.mean("biases"), want)


@some
@given(networks(), st.floats(0.1, 5.0))
def test_the_learning_rate_of_the_biases(case, rate):
    net, x = case.net, case.x
    one, other = case.law, fw.KernelLaw(replace(net, bias_lr=rate * net.bias_lr), x)
    for order in (1, 2, 3, 4):
        assert close(other.moment(order, "biases"), rate**order * one.moment(order, "biases"))
        assert other.moment(order, "weights") == one.moment(order, "weights")
    assert close(other.cross_moment(), rate * one.cross_moment())
    assert close(other.update_parts()["wb"], rate * one.update_parts()["wb"])


@some
@given(networks())
def test_untrained_biases_leave_the_weights(case):
    net, x = case.net, case.x
    one = case.law
    for fields in ({"bias_lr": 0.0}, {"bias": False}):
        other = fw.KernelLaw(replace(net, **fields), x)
        for order in (1, 2, 3):
            assert close(other.moment(order), one.moment(order, "weights"))
            assert other.moment(order, "biases") == 0.0
        assert other.cross_moment() == 0.0
        assert other.update_parts() == {"ww": one.update_parts()["ww"], "wb": 0.0}
        assert close(other.update_mean(), -2 * one.update_parts()["ww"])


@some
@given(networks())
def test_the_first_moments_know_nothing_of_the_weight_law(case):
    net, x = case.net, case.x
    one, other = case.law, fw.KernelLaw(replace(net, weight_law="gaussian"), x)
    for part in PARTS:
        assert close(one.mean(part), other.mean(part))
    assert close(one.output_moment(2), other.output_moment(2))


@some
@given(networks(), st.randoms(use_true_random=False))
def test_the_order_and_the_signs_of_the_coordinates_do_not_matter(case, random):
    net, x = case.net, case.x
    one = case.law
    shuffled = [value * random.choice([-1, 1]) for value in random.sample(list(x), len(x))]
    sums = tuple(float((x**order).sum()) for order in (2, 4, 6, 8))
    for other in (fw.KernelLaw(net, np.array(shuffled)), fw.KernelLaw(net, power_sums=sums)):
        for part in PARTS:
            for order in (1, 2, 3, 4):
                assert close(other.moment(order, part), one.moment(order, part))
        assert close(other.update_mean(), one.update_mean())
        assert close(other.output_moment(4), one.output_moment(4))


@some
@given(networks(weight_law="gaussian"))
def test_gaussian_weights_see_only_the_length_of_the_input(case):
    net, x = case.net, case.x
    one = case.law
    length = float(x @ x)
    first = np.zeros(len(x))
    first[0] = np.sqrt(length)
    for other in (fw.KernelLaw(net, first), fw.KernelLaw(net, power_sums=(length,))):
        for order in (1, 2, 3, 4):
            assert close(other.moment(order), one.moment(order), 10 * ROOM)
        assert close(other.update_mean(), one.update_mean(), 10 * ROOM)


def test_other_weights_see_more_of_it():
    net = fw.MLP(n_in=2, widths=[3], weight_law="uniform")
    flat, spiked = fw.KernelLaw(net, [1, 1]), fw.KernelLaw(net, np.array([np.sqrt(2.0), 0.0]))
    assert flat.moment(2) > 1.01 * spiked.moment(2)


# -- the shares of the layers ---------------------------------------------------------------------


@few
@given(networks(), st.sampled_from(["kernel", "kernel_squared", "update"]))
def test_the_shares_of_the_layers_add_up(case, quantity):
    found = case.law
    assume(quantity != "update" or case.net.depth > 1)
    shares = found.layer_shares(quantity)
    assert shares.weights.shape == shares.biases.shape == (case.net.depth,)
    assert (shares.weights > 0).all()
    assert (shares.biases[:-1] > 0).all()
    assert abs(shares.weights.sum() + shares.biases.sum() - 1) <= ROOM
    total = {
        "kernel": found.mean, "kernel_squared": lambda: found.moment(2),
        "update": lambda: -found.update_mean() / 2,
    }[quantity]()  # fmt: skip
    assert close(float(np.exp(shares.log_total)), total)
    assert (shares.biases[-1] > 0) == (quantity != "update")
    if quantity == "kernel":
        assert close(shares.weights.sum() * total, found.mean("weights"))
    if quantity == "kernel_squared":
        want = found.moment(2, "weights") + found.cross_moment()
        assert close(shares.weights.sum() * total, want)


def test_the_shares_of_one_hidden_layer_by_hand():
    """K^(1) = λ_1 |x|² S, K^(2) = λ_2 R; biases S and 1, in the notation of test_values.

    gᵀHg = 2 (ww) + 4 (wb) pairs a first-layer parameter with a readout weight, both orders: half
    of E Δ_ww lies in each layer, and so does E Δ_wb, from the bias below and the readout above.
    """
    n, mu_4 = 3, 9 / 5
    net = fw.MLP(n_in=2, widths=[n], weight_law="uniform", bias_lr=0.5)
    found = fw.KernelLaw(net, [2, 1])
    c_1, c_2, square, fourth = 1.0, 1 / n, 5.0, 17.0
    r_1, s_1 = n / 2 * c_1 * square, c_2 * n / 2
    y_4 = c_1**2 * (3 * square**2 + (mu_4 - 3) * fourth)
    pairs = n * (n - 1) / 4
    r_2 = n / 2 * y_4 + pairs * (c_1 * square) ** 2
    s_2 = c_2**2 * (n / 2 * mu_4 + pairs)
    r_s = c_2 * c_1 * square * (n / 2 + pairs)
    a, b, e = c_1 * square, c_2, 0.5  # K = a S + b R + e S + e

    shares = found.layer_shares("kernel")
    total = a * s_1 + b * r_1 + e * s_1 + e
    assert shares.weights * total == pytest.approx([a * s_1, b * r_1], rel=ROOM)
    assert shares.biases * total == pytest.approx([e * s_1, e], rel=ROOM)

    shares = found.layer_shares("kernel_squared")
    with_s = (a + e) * s_2 + b * r_s + e * s_1
    with_r = (a + e) * r_s + b * r_2 + e * r_1
    total = (a + e) * with_s + b * with_r + e * ((a + e) * s_1 + b * r_1 + e)
    assert np.exp(shares.log_total) == pytest.approx(total, rel=ROOM)
    assert shares.weights * total == pytest.approx([a * with_s, b * with_r], rel=ROOM)
    last = e * ((a + e) * s_1 + b * r_1 + e)
    assert shares.biases * total == pytest.approx([e * with_s, last], rel=ROOM)

    shares = found.layer_shares("update")
    parts = found.update_parts()
    ww, wb = parts["ww"], parts["wb"]
    total = ww + 2 * wb
    assert shares.weights * total == pytest.approx([ww / 2, ww / 2 + wb], rel=ROOM)
    assert shares.biases * total == pytest.approx([wb, 0.0], rel=ROOM)


def test_the_shares_of_a_critical_network():
    """ReLU at gain 2: every layer's weights contribute |x|²/n_in, its biases ½ · P(alive below)."""
    widths = [2, 5, 1, 3]
    found = fw.KernelLaw(fw.MLP(n_in=4, widths=widths), power_sums=(7.0,))
    shares = found.layer_shares("kernel")
    total = found.mean()
    assert shares.weights * total == pytest.approx([7 / 4] * 5, rel=ROOM)
    biases = [0.5 * prod(1 - 2.0**-n for n in widths[:j]) for j in range(4)]
    assert shares.biases * total == pytest.approx([*biases, 1.0], rel=ROOM)


def test_shares_of_unknown_or_empty_quantities():
    found = fw.KernelLaw(fw.MLP(n_in=4))
    with pytest.raises(ValueError, match="quantity is 'update_mean', expected one of kernel,"):
        found.layer_shares("update_mean")
    with pytest.raises(ValueError, match="E ΔK is 0 without a hidden layer"):
        found.layer_shares("update")
    deep = fw.KernelLaw(fw.MLP.equal_width(4, 10, 200_000))
    with pytest.raises(ValueError, match="this network has 200001; ask for at most 200000"):
        deep.layer_shares("kernel")
