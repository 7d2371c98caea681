"""The exact law against networks whose weight settings are all enumerated.

`tests/witness/enumeration.py` gives every moment as a rational number, so nothing here is
statistical. The tolerance 1e-12 is rounding alone: the law sums at most some ten thousand
positive terms a layer in float64, and the witness is rounded once. A variance is a difference,
so its rounding is measured against the second moment it is taken from.
"""

from fractions import Fraction as F
from functools import cache
from itertools import product
from math import log

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.network import GivenMoments
from tests.witness.enumeration import (
    FOUR_ATOMS,
    QUANTITIES,
    SIGNS,
    THREE_ATOMS,
    AtomLaw,
    ExactLaw,
    TinyNetwork,
    enumerate_settings,
    evaluate,
    units,
)

RTOL = 1e-12
HALF = F(1, 2)

NETWORKS = {
    "no hidden layer": TinyNetwork((F(1), F(0), -HALF), (), FOUR_ATOMS),
    "equal coordinates": TinyNetwork((F(1), F(1)), (2,), SIGNS),
    "other gains": TinyNetwork(
        (F(1), -HALF), (3,), THREE_ATOMS, hidden_gain=F(3, 2), output_gain=F(2)
    ),
    "zero coordinate": TinyNetwork((F(1), F(0), F(-2)), (1, 2), FOUR_ATOMS),
    "two hidden layers": TinyNetwork((F(1), -HALF), (2, 2), THREE_ATOMS),
    "bottleneck": TinyNetwork((F(3, 2),), (2, 1, 2), THREE_ATOMS),
    "three hidden layers": TinyNetwork((F(1),), (2, 2, 2), SIGNS),
    "width 3": TinyNetwork((F(1),), (3, 3), SIGNS),
    "widening": TinyNetwork((F(1),), (2, 3), THREE_ATOMS),
    "width 4": TinyNetwork((F(1),), (4,), FOUR_ATOMS, output_gain=HALF),
    "narrowing": TinyNetwork((F(1),), (4, 2), SIGNS),
    "width 1": TinyNetwork((F(1), F(1)), (1, 1, 1), FOUR_ATOMS),
    "standard": TinyNetwork((F(1), F(2)), (2, 3), SIGNS, parametrization="standard"),
    "standard, other gains": TinyNetwork(
        (F(2),),
        (3, 2),
        SIGNS,
        hidden_gain=F(5, 4),
        output_gain=F(3),
        parametrization="standard",
        bias_lr=F(1, 4),
    ),
    "leaky 0.3": TinyNetwork((F(1), -HALF), (2, 2), THREE_ATOMS, slope=F(3, 10)),
    "leaky -0.5": TinyNetwork(
        (F(1), F(1), F(0)), (1, 2), FOUR_ATOMS, slope=-HALF, hidden_gain=F(8, 5)
    ),
    "leaky -0.5, deep": TinyNetwork((F(1),), (1, 2, 1), THREE_ATOMS, slope=-HALF),
    "leaky 0.3, deep": TinyNetwork((F(1),), (2, 2, 2), SIGNS, slope=F(3, 10)),
    "abs": TinyNetwork((F(1), F(1)), (2, 2), SIGNS, slope=F(-1), hidden_gain=F(1)),
    "identity": TinyNetwork((F(1),), (2, 1, 2), FOUR_ATOMS, slope=F(1), hidden_gain=F(1)),
    "no biases": TinyNetwork((F(1), F(3)), (2, 2), SIGNS, bias=False),
    "no biases, leaky": TinyNetwork((F(1), F(0)), (3,), THREE_ATOMS, slope=F(3, 10), bias=False),
    "fast biases": TinyNetwork((F(1), -HALF), (2, 2), SIGNS, bias_lr=F(3)),
}
by_name = pytest.mark.parametrize("name", NETWORKS)


@cache
def exact_law(name: str) -> ExactLaw:
    return ExactLaw.of(NETWORKS[name])


def describe(net: TinyNetwork) -> fw.MLP:
    """The same network as the package describes it."""
    activation = {F(0): "relu", F(1): "identity", F(-1): "abs"}.get(net.slope, "leaky_relu")
    return fw.MLP(
        n_in=len(net.x),
        widths=list(net.widths),
        activation=activation,
        negative_slope=float(net.slope),
        weight_law=GivenMoments({order: net.law.moment(order) for order in (4, 6, 8)}),
        hidden_gain=float(net.hidden_gain),
        output_gain=float(net.output_gain),
        bias=net.bias,
        bias_lr=float(net.bias_lr),
        parametrization=net.parametrization,
    )


def input_array(net: TinyNetwork) -> np.ndarray:
    return np.array([float(value) for value in net.x])


# What the package calls each quantity of the witness.
PACKAGE = {
    "E K_w K_b": lambda law: law.cross_moment(),
    "E N^2": lambda law: law.output_moment(2),
    "E N^4": lambda law: law.output_moment(4),
    "E N^2 K": lambda law: law.output_kernel_moment(),
    "E Delta_ww": lambda law: law.update_parts()["ww"],
    "E Delta_wb": lambda law: law.update_parts()["wb"],
    "E dK": lambda law: law.update_mean(),
    "Var dK, t = 0": lambda law: law.update_variance(),
    "Var dK, t = 0.7": lambda law: law.update_variance(target=0.7),
}
for _part, _order in product(("kernel", "weights", "biases"), (1, 2, 3, 4)):
    PACKAGE[f"E K^{_order}, {_part}"] = lambda law, part=_part, order=_order: law.moment(
        order, part
    )


def differences(exact: ExactLaw, law: fw.KernelLaw) -> dict[str, tuple[float, float]]:
    """The quantities that differ by more than rounding, as (package, witness)."""
    assert PACKAGE.keys() == QUANTITIES.keys()
    wrong = {}
    for quantity, witness in QUANTITIES.items():
        want = witness(exact)
        scale = want
        if quantity.startswith("Var"):
            scale += exact.update_mean() ** 2
        got = PACKAGE[quantity](law)
        if not abs(got - float(want)) <= RTOL * abs(float(scale)):
            wrong[quantity] = (got, float(want))
    return wrong


@by_name
def test_law_equals_enumeration(name):
    net = NETWORKS[name]
    law = fw.KernelLaw(describe(net), input_array(net))
    assert differences(exact_law(name), law) == {}


@by_name
def test_law_from_power_sums_equals_enumeration(name):
    net = NETWORKS[name]
    sums = tuple(float(sum(value**order for value in net.x)) for order in (2, 4, 6, 8))
    law = fw.KernelLaw(describe(net), power_sums=sums)
    assert differences(exact_law(name), law) == {}


@by_name
def test_derived_quantities(name):
    """Logarithms, ratios and the powers of the learning rate."""
    net, exact = NETWORKS[name], exact_law(name)
    law = fw.KernelLaw(describe(net), input_array(net))
    mean, square = float(exact.kernel_moment(1)), float(exact.kernel_moment(2))
    update, spread = float(exact.update_mean()), float(exact.update_variance(F(7, 10)))
    assert law.mean() == pytest.approx(mean, rel=RTOL)
    assert law.mean("weights") == pytest.approx(float(exact.kernel_moment(1, "weights")), rel=RTOL)
    # A rounding error of the logarithm's argument is relative, so of the logarithm absolute.
    assert law.log_moment(3) == pytest.approx(log(exact.kernel_moment(3)), rel=RTOL, abs=RTOL)
    assert law.dispersion() == pytest.approx(square / mean**2, rel=RTOL)
    assert law.update_mean(0.25) == pytest.approx(0.25 * update, rel=RTOL)
    assert law.relative_update(0.25) == pytest.approx(0.25 * update / mean, rel=RTOL)
    rounding = RTOL * float(exact.update_squared(F(7, 10)))
    assert abs(law.update_variance(0.25, 0.7) - spread / 16) <= rounding / 16


# The witness itself.


@pytest.mark.parametrize("law", [SIGNS, THREE_ATOMS, FOUR_ATOMS], ids=lambda law: law.name)
def test_atoms_have_unit_variance(law):
    assert law.moment(2) == 1
    assert sum(z * c for z, c in zip(law.levels, law.counts, strict=True)) == 0


def test_moments_of_the_atoms():
    assert [THREE_ATOMS.moment(order) for order in (4, 6, 8)] == [2, 4, 8]
    assert [FOUR_ATOMS.moment(order) for order in (4, 6, 8)] == [F(7, 3), F(61, 9), F(547, 27)]


def path_sums(net: TinyNetwork) -> np.ndarray:
    """N, K_w, K_b and the two parts of gHg of every setting, shape [R, 5], from a list of paths.

    N is the sum over paths of coefficient times the product of the parameters on it, no parameter
    twice; a derivative strikes out a factor. The Hessian is the full matrix. Floating point, with
    the weights in their real units.
    """
    settings, sizes = enumerate_settings(net), net.sizes
    q = net.slope.denominator
    scales = [float(c * net.law.square) ** 0.5 for c in net.variances]
    values, rates, is_bias = [], [], []
    index = {}

    def parameter(key, value, rate):
        index[key] = len(values)
        values.append(value)
        rates.append(float(rate))
        is_bias.append(key[0] == "b")

    for j, (weight, scale) in enumerate(zip(settings.weights, scales, strict=True), start=1):
        for i, k in product(range(sizes[j]), range(sizes[j - 1])):
            parameter(("w", j, i, k), scale * weight[:, i, k], net.rates[j - 1])
        for i in range(sizes[j]):
            parameter(("b", j, i), np.zeros(len(weight)), net.bias_rate)

    paths = []  # (coefficient [R], parameters)
    for start in range(net.depth + 1):  # layer in which the path starts: 0 is the input
        for neurons in product(*(range(n) for n in sizes[start:])):
            coefficient = np.ones(len(settings.counts))
            if start == 0:
                coefficient *= float(net.x[neurons[0]])
                used = []
            else:
                used = [index["b", start, neurons[0]]]
            for j, i in enumerate(neurons, start=start):
                if 0 < j < net.depth:
                    coefficient *= settings.slopes[j - 1][:, i] / q
                if j > start:
                    used.append(index["w", j, i, neurons[j - 1 - start]])
            paths.append((coefficient, used))

    def derivative(*struck):
        total = np.zeros(len(settings.counts))
        for coefficient, used in paths:
            if all(p in used for p in struck):
                total += coefficient * np.prod([values[p] for p in used if p not in struck], axis=0)
        return total

    everything = range(len(values))
    gradient = [derivative(p) for p in everything]
    kernel = {False: 0.0, True: 0.0}
    second = {(False, False): 0.0, (False, True): 0.0, (True, False): 0.0, (True, True): 0.0}
    for p in everything:
        kernel[is_bias[p]] += rates[p] * gradient[p] ** 2
        for r in everything:
            if r != p:
                hessian = derivative(p, r)
                second[is_bias[p], is_bias[r]] += (
                    rates[p] * rates[r] * gradient[p] * hessian * gradient[r]
                )
    assert np.all(second[True, True] == 0)
    columns = [derivative(), kernel[False], kernel[True], second[False, False], second[False, True]]
    return np.stack(np.broadcast_arrays(*columns), axis=1)


@pytest.mark.parametrize(
    "name",
    [
        "no hidden layer",
        "equal coordinates",
        "width 1",
        "leaky -0.5, deep",
        "standard, other gains",
        "no biases, leaky",
    ],
)
def test_witness_equals_path_sums(name):
    """Taylor coefficients in integers against a dense Hessian in floats, setting by setting."""
    net = NETWORKS[name]
    factor = units(net)
    root, whole = float(factor.rho) ** 0.5, factor.denominator
    in_units = evaluate(net, enumerate_settings(net)).astype(float) * [
        root,
        root**2 / whole,
        root**2 / whole,
        root**3 / whole**2,
        root**3 / whole**2,
    ]
    by_paths = path_sums(net)
    # Sums of a few hundred products that may cancel: rounding relative to the largest setting.
    scale = np.abs(by_paths).max(axis=0)
    assert np.all(np.abs(in_units - by_paths) <= 1e-13 * scale)


def mean_power(net: TinyNetwork, order: int) -> F:
    """A_order, the mean of slope^order over the two signs."""
    return (1 + net.slope**order) / 2


def alive(net: TinyNetwork, layer: int) -> F:
    """Probability that no layer below `layer` is dead."""
    result = F(1)
    for n in net.widths[: layer - 1]:
        result *= 1 - F(1, 2**n) if net.slope == 0 else 1
    return result


@by_name
def test_witness_first_moments(name):
    """E N^2, E K_w, E K_b by hand: each layer multiplies squared lengths by C A_2 (or C_out)."""
    net, exact = NETWORKS[name], exact_law(name)
    grow = net.hidden_gain * mean_power(net, 2)
    length = sum(value**2 for value in net.x) / len(net.x)
    output = net.output_gain * grow ** (net.depth - 1) * length
    assert exact.expect(n=2) == output
    factors = zip(net.rates, net.variances, strict=True)
    assert exact.expect(kw=1) == output * sum(rate / c for rate, c in factors)
    biases = F(1)
    for j in range(1, net.depth):
        # n_j neurons, each with C_out/n_{d-1} times the growth of the layers between.
        gain = net.output_gain * grow ** (net.depth - 1 - j)
        biases += gain * mean_power(net, 2) * alive(net, j)
    assert exact.expect(kb=1) == net.bias_rate * biases


@by_name
def test_witness_second_moments(name):
    """E K_w^2 and E Delta_ww by the recursion over {one neuron, three pairings} x marks."""
    net, exact = NETWORKS[name], exact_law(name)
    assert exact.expect(kw=2) == second_order(net, ({0, 1}, {2, 3}), True)
    assert exact.expect(n=1, ww=1) == second_order(net, ({1, 2}, {2, 3}), False)
    assert exact.expect(n=4) == second_order(net, (), True)


@pytest.mark.parametrize("name", [name for name, net in NETWORKS.items() if net.depth <= 2])
def test_witness_in_closed_form(name):
    """Depths 1 and 2 by hand."""
    net, exact = NETWORKS[name], exact_law(name)
    squares = sum(value**2 for value in net.x)
    c, rate, bias_rate = net.variances[-1], net.rates[-1], net.bias_rate
    if net.depth == 1:
        for order in (1, 2, 3, 4):
            assert exact.kernel_moment(order) == (rate * squares + bias_rate) ** order
        assert exact.expect(n=2, kw=1) == c * squares * rate * squares
        assert exact.update_mean() == exact.update_squared(F(7, 10)) == 0
        return
    # K_w = rate |x^(1)|^2 + lambda_1 |x|^2 S and K_b = bias_rate (1 + S), with S = |delta^(1)|^2.
    n, second, fourth = net.widths[0], mean_power(net, 2), mean_power(net, 4)
    length = net.variances[0] * squares  # mean square of a pre-activation
    s_1 = c * n * second
    s_2 = c**2 * (n * net.law.moment(4) * fourth + n * (n - 1) * second**2)
    x_s = c * length * (n * fourth + n * (n - 1) * second**2)
    assert exact.expect(kb=2) == bias_rate**2 * (1 + 2 * s_1 + s_2)
    assert exact.expect(kw=1, kb=1) == bias_rate * (
        rate * (length * n * second + x_s) + net.rates[0] * squares * (s_1 + s_2)
    )
    assert exact.expect(n=1, wb=1) == rate * bias_rate * c * n * length * fourth
    if net.slope == 0:
        # gHg is a multiple of N: one hidden layer and slopes with slope^3 = slope.
        factor = 2 * rate * (net.rates[0] * squares + bias_rate)
        for target in (F(0), F(7, 10)):
            expected = exact.expect(n=4) + target**2 * exact.expect(n=2)
            assert exact.update_squared(target) == 4 * factor**2 * expected


def second_order(net: TinyNetwork, marks: tuple[set[int], ...], may_share: bool) -> F:
    """Mean of a product of four path sums, with a pair of weights struck out for each mark.

    State: the four paths on one neuron, or on two by one of three pairings; and which marks are
    already placed. A mark needs its two paths to use the same weight, and takes that weight's
    moment from mu_4 to mu_2 = 1 (one neuron to one neuron) or from mu_2 to 1.
    """
    together = frozenset({frozenset({0, 1, 2, 3})})
    states = [together] + [
        frozenset({frozenset({0, i}), frozenset({1, 2, 3} - {i})}) for i in (1, 2, 3)
    ]
    none, every = frozenset(), frozenset(range(len(marks)))
    squares, fourths = (sum(value**order for value in net.x) for order in (2, 4))
    weight = {(s, none): fourths if s == together else squares**2 - fourths for s in states}
    for j, (c, rate) in enumerate(zip(net.variances, net.rates, strict=True)):
        n, is_output = net.sizes[j + 1], j == net.depth - 1
        after: dict = {}
        for (p, placed), value in weight.items():
            for q in [together] if is_output else states:
                meet = q if p == together else p
                if q not in (meet, together):
                    continue  # two different pairings: a weight used once
                if is_output:
                    step = c**2
                elif q == together:
                    step = c**2 * n * mean_power(net, 4)
                else:
                    step = c**2 * n * (n - 1) * mean_power(net, 2) ** 2
                fitting = [m for m in every - placed if any(marks[m] <= block for block in meet)]
                choices: list[tuple[int, ...]] = [(), *((m,) for m in fitting)]
                if may_share and len(fitting) == 2:
                    choices.append(tuple(fitting))
                for chosen in choices:
                    moment = net.law.moment(4) if meet == together and not chosen else 1
                    key = (q, placed | frozenset(chosen))
                    term = value * step * moment * (rate / c) ** len(chosen)
                    after[key] = after.get(key, 0) + term
        weight = after
    return F(weight.get((together, every), 0))


def test_recursion_at_reference_values():
    """Values of E K_w^2 and E Delta_ww for Gaussian weights, of which only mu_4 = 3 enters."""
    mu_4_is_3 = AtomLaw("three atoms", (-1, 0, 1), (1, 4, 1), F(3))
    net = TinyNetwork((F(1), -HALF), (3, 4, 3), mu_4_is_3)
    assert float(second_order(net, ({0, 1}, {2, 3}), True)) == pytest.approx(58.506944, abs=5e-7)
    assert float(second_order(net, ({1, 2}, {2, 3}), False)) == pytest.approx(20.74653, abs=5e-6)
