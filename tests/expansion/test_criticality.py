"""Critical gains against the literature, and the growth with depth against the recursion."""

from math import pi, sqrt

import numpy as np
import pytest

import finitewidth as fw
from finitewidth import expansion

# kind, C_W, C_b, K*: Roberts, Yaida & Hanin 2022, chapter 5.
KNOWN = {
    "relu": ("scale_invariant", 2.0, 0.0, None),
    "identity": ("scale_invariant", 1.0, 0.0, None),
    "abs": ("scale_invariant", 1.0, 0.0, None),
    "tanh": ("zero", 1.0, 0.0, 0.0),
    "sin": ("zero", 1.0, 0.0, 0.0),
    "erf": ("zero", pi / 4, 0.0, 0.0),
    "gelu": ("half_stable", 1.98305826, 0.17292239, (3 + sqrt(17)) / 2),
    "silu": ("half_stable", 1.98800468, 0.55514317, 14.32017),
}
COEFFICIENTS = {"relu": 11 / 3, "identity": 4 / 3, "tanh": 2 / 3, "sin": 2 / 3, "erf": 2 / 3}


@pytest.mark.parametrize("name", KNOWN)
def test_critical_points_of_the_literature(name: str) -> None:
    kind, gain, bias_variance, point = KNOWN[name]
    found = expansion.criticality(name)
    assert found.kind == kind
    assert found.hidden_gain == pytest.approx(gain, rel=1e-8)
    assert found.bias_variance == pytest.approx(bias_variance, abs=2e-8)
    if point is None:
        assert found.fixed_point is None
    else:
        assert found.fixed_point == pytest.approx(point, rel=1e-6, abs=1e-12)


def test_a_slope_changes_the_gain_of_leaky_relu():
    assert expansion.criticality("leaky_relu", negative_slope=0.5).hidden_gain == 2 / 1.25


@pytest.mark.parametrize("name", ["gelu", "silu"])
def test_both_perturbations_are_kept_at_the_half_stable_point(name: str) -> None:
    """K* is kept, and K and Θ's transfer grow by 1 ± 1e-8 under a change of K."""
    found = expansion.criticality(name)
    assert found.hidden_gain is not None
    assert found.bias_variance is not None
    assert found.fixed_point is not None
    gain, bias_variance, point = found.hidden_gain, found.bias_variance, found.fixed_point

    def step(square: float) -> np.ndarray:
        net = fw.MLP(1, [9], name, hidden_gain=gain, output_gain=gain, bias=True,
                     bias_variance=bias_variance)  # fmt: skip
        x = [[((square - bias_variance) / gain) ** 0.5]]
        return expansion.kernel(net, x).nngp.item()

    assert step(point) == pytest.approx(point, rel=1e-12)
    h = 1e-4 * point
    assert (step(point + h) - step(point - h)) / (2 * h) == pytest.approx(1, abs=1e-7)
    # Half-stable: a perturbation shrinks on one side only.
    assert (step(point + h) - point) / h - 1 == pytest.approx(
        -((step(point - h) - point) / -h - 1), rel=0.1
    )


def limit_of(slopes: np.ndarray) -> float:
    """The limit of c + c₁/L + c₂ log(L)/L + … from L, 2L and 4L.

    2s(2L) − s(L) leaves c + c₂ log(2)/L of it, and the same once more leaves c.
    """
    length = len(slopes)
    first, second, third = (slopes[length // part - 1] / (length // part) for part in (4, 2, 1))
    return 2 * (2 * third - second) - (2 * second - first)


@pytest.mark.parametrize("name", COEFFICIENTS)
def test_coefficients_are_where_the_recursion_goes(name: str) -> None:
    found = expansion.criticality(name).depth_coefficient
    assert found == pytest.approx(COEFFICIENTS[name], rel=1e-12)
    length = 100 if name in ("relu", "identity") else 400
    slopes = expansion.relative_variance(name, length)
    assert limit_of(slopes) == pytest.approx(COEFFICIENTS[name], rel=1e-3)


def bent(z: np.ndarray) -> np.ndarray:
    return np.tanh(z) + 0.3 * np.tanh(z) ** 2


def bent_first(z: np.ndarray) -> np.ndarray:
    return (1 - np.tanh(z) ** 2) * (1 + 0.6 * np.tanh(z))


def test_the_coefficient_of_a_function_that_is_not_odd():
    """2/(1 + 2b/a) with a = ¾(s₂/s₁)² + s₃/s₁ = −1.73, b = −1.64; logarithms slow the approach."""
    found = expansion.criticality(bent, activation_derivatives=(bent_first,))
    assert found.kind == "zero"
    assert found.depth_coefficient == pytest.approx(2 / (1 + 2 * 1.64 / 1.73), rel=1e-6)
    slopes = expansion.relative_variance(bent, 400, activation_derivatives=(bent_first,))
    assert limit_of(slopes) == pytest.approx(found.depth_coefficient, rel=2e-3)


def test_the_variance_at_a_half_stable_point_grows_with_the_cube_of_depth():
    """At K* all averages are the same in every layer: Θ = θd, and Var Θ is a polynomial in d.

    K's variance grows like d, and moves χ_⊥, to which Θ's own size d responds: d⁵ with the
    coefficient (2/15)(C m)² v θ², m = ½⟨(σ'²)''⟩, v = Var of C σ². The fifth difference is exact.
    """
    from finitewidth.expansion.gaussian import averages_of
    from finitewidth.expansion.gaussian.averages import ORDERS

    found = expansion.criticality("gelu")
    assert found.hidden_gain is not None
    slopes = expansion.relative_variance("gelu", 30)
    variance = slopes * np.arange(2, 32) ** 2
    averages = averages_of(fw.MLP(1, activation="gelu").act)
    K = np.array([[found.fixed_point]])
    pairs, fourth = averages.pairs(K, ORDERS), averages.quadruples(K).values.item()
    spread = found.hidden_gain**2 * (fourth - pairs.order(0, 0).item() ** 2)
    response = found.hidden_gain * (pairs.order(3, 1) + pairs.order(2, 2)).item()
    wanted = 120 * 2 / 15 * response**2 * spread
    assert np.diff(variance, 5) == pytest.approx(np.full(25, wanted), rel=1e-4)
    assert found.depth_coefficient is None


@pytest.mark.parametrize("name", ["relu", "tanh", "gelu"])
def test_the_growth_of_the_kernel_of_one_network(name: str) -> None:
    """ν against the recursion of V: Var K/K² over L/n."""
    from finitewidth.expansion.finite.recursion import layer_tensors
    from finitewidth.expansion.gaussian import averages_of

    found = expansion.criticality(name)
    assert found.hidden_gain is not None
    assert found.bias_variance is not None
    assert found.kernel_growth is not None
    point = found.fixed_point or 1.0
    gain, bias_variance = found.hidden_gain, found.bias_variance
    net = fw.MLP.equal_width(1, 1, 200, activation=name, hidden_gain=gain, output_gain=gain,
                             bias_variance=bias_variance)  # fmt: skip
    x = np.array([[((point - found.bias_variance) / found.hidden_gain) ** 0.5]])
    growth = [tensors.V.item() / limit.kernel.item() ** 2
              for limit, tensors in layer_tensors(net, x, averages_of(net.act))]  # fmt: skip
    assert (growth[200] - growth[100]) / 100 == pytest.approx(found.kernel_growth, rel=2e-2)


def test_the_best_ratio_is_where_the_mutual_information_is_largest():
    """v²/2 − v³(3p + 5)/3, v = νL/n and p a quarter of the outputs, has its maximum there."""
    found = expansion.criticality("relu")
    for outputs in (2, 10):
        v = found.best_ratio(outputs) * 5
        p = outputs / 4

        def information(v: float, p: float = p) -> float:
            return v**2 / 2 - v**3 * (3 * p + 5) / 3

        assert information(v) > max(information(0.99 * v), information(1.01 * v))
    with pytest.raises(ValueError, match="n_out is 1, expected a whole number from 2"):
        found.best_ratio(1)


def test_the_variance_at_a_tenth_is_near_its_first_order():
    """ReLU at width 600, biases frozen: the exact law is within 8 % where first order gives 0.1."""
    coefficient = expansion.criticality("relu").depth_coefficient
    assert coefficient is not None
    depth = int(0.1 * 600 / coefficient)
    assert depth == int(60 / (11 / 3))
    net = fw.MLP.equal_width(3, 600, depth, bias=False)
    exact = fw.KernelLaw(net).dispersion("kernel") - 1
    kernel = expansion.kernel(net, np.ones(3))
    first = kernel.covariance.item() / kernel.infinite.item() ** 2
    assert first < exact < 1.08 * first


def logistic(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def test_an_activation_without_a_critical_point():
    first = (lambda z: logistic(z) * (1 - logistic(z)),)
    found = expansion.criticality(logistic, activation_derivatives=first)
    assert found.kind == "none"
    assert found.hidden_gain is None
    with pytest.raises(ValueError, match="has no growth of the variance"):
        found.best_ratio()
    with pytest.raises(ValueError, match="has no critical point"):
        expansion.relative_variance(logistic, 3, activation_derivatives=first)


def test_bad_numbers_get_a_sentence():
    with pytest.raises(ValueError, match="hidden_layers is 0"):
        expansion.relative_variance("relu", 0)
    with pytest.raises(ValueError, match=r"squared_norm is 0.0"):
        expansion.relative_variance("relu", 3, squared_norm=0.0)
    with pytest.raises(ValueError, match="activation is 'rleu', expected one of"):
        expansion.criticality("rleu")


def test_gains_are_those_given_else_the_critical_ones():
    gelu = expansion.criticality("gelu")
    critical = {"hidden_gain": gelu.hidden_gain, "bias_variance": gelu.bias_variance}
    assert gelu.gains() == critical
    assert gelu.gains(3.0) == critical | {"hidden_gain": 3.0}
    assert gelu.gains(None, 0.0, bias=False) == critical | {"bias_variance": 0.0}
    with pytest.raises(ValueError, match="the network has none; give it biases"):
        gelu.gains(bias=False)
    without = expansion.Criticality("f", "none", None, None, None, None, None)
    assert without.gains(1.0, 0.5) == {"hidden_gain": 1.0, "bias_variance": 0.5}
    with pytest.raises(ValueError, match="has no critical point"):
        without.gains(1.0)
