"""Gaussian averages against other ways to compute them."""

from itertools import pairwise

import numpy as np
import pytest

from finitewidth.expansion.gaussian import averages_of
from finitewidth.expansion.gaussian.averages import INFINITE, ORDERS
from finitewidth.expansion.gaussian.derivatives import NAMED, derivatives_of
from finitewidth.expansion.gaussian.fill import PATTERNS
from finitewidth.expansion.gaussian.signs import Moments, four_signs, vectors
from finitewidth.expansion.gaussian.smooth import MANY, Smooth
from finitewidth.network.activations import Activation, activation

SMOOTH = ("tanh", "erf", "sin", "gelu", "silu")
KINKED = (("relu", 0.0), ("leaky_relu", 0.3), ("abs", 0.0), ("identity", 0.0))


def covariance(size: int, rank: int, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((size, rank)) / np.sqrt(rank)
    return rows @ rows.T


def random_product(sample: list[np.ndarray], index: tuple[int, ...], name: str) -> np.ndarray:
    return np.prod([sample[k][:, i] for k, i in zip(PATTERNS[name], index, strict=True)], axis=0)


INDICES = ((0, 0, 0, 0), (0, 0, 1, 1), (0, 1, 0, 1), (0, 0, 0, 1), (1, 0, 0, 2), (0, 1, 2, 1),
           (2, 2, 1, 0), (0, 1, 2, 3), (3, 1, 0, 2), (2, 3, 1, 0))  # fmt: skip


@pytest.mark.parametrize("rank", [2, 3, 4])
@pytest.mark.parametrize(
    ("name", "slope"), [*KINKED, *((name, 0.0) for name in SMOOTH)], ids=lambda v: str(v)
)
def test_quadruples_are_the_averages_of_samples(name: str, slope: float, rank: int) -> None:
    """400,000 samples: |z| < 6.3 in each of about 1000 comparisons has a false alarm of 3e-7.

    The smallest error seen is 9.6 standard errors, 1 to 2 % of an entry.
    """
    K = covariance(4, rank)
    act = activation(name, slope, ())
    found = averages_of(act).quadruples(K)
    rows = vectors(K)
    z = np.random.default_rng(1).standard_normal((400_000, rows.shape[1])) @ rows.T
    sample = [act(z), act.derivative(z), act.derivatives[1](z)]
    for kind in PATTERNS:
        for index in INDICES:
            products = random_product(sample, index, kind)
            spread = products.std() / np.sqrt(len(products)) + 1e-12
            value = getattr(found, kind)[index]
            assert abs(value - products.mean()) < 6.3 * spread, (kind, index)


def hermite_pairs(act: str, K: np.ndarray, p: int, q: int) -> np.ndarray:
    """Gauss–Hermite with 150 nodes in the eigenbasis: other nodes, other coordinates."""
    points, weights = np.polynomial.hermite_e.hermegauss(150)
    weights = weights / weights.sum()
    values, basis = np.linalg.eigh(K)
    root = basis * np.sqrt(np.maximum(values, 0))
    grid = np.stack(np.meshgrid(points, points, indexing="ij"), axis=-1) @ root.T
    derivatives = NAMED[act](grid, 5)
    mass = np.outer(weights, weights)
    return np.sum(mass * derivatives[p][..., 0] * derivatives[q][..., 1])


@pytest.mark.parametrize("act", SMOOTH)
def test_pairs_are_the_ones_of_another_quadrature(act: str) -> None:
    """At variances of 0.4 the other rule is converged to 1e-9 for every activation."""
    K = 0.4 * np.array([[1.0, 0.6], [0.6, 0.8]])
    pairs = averages_of(activation(act, 0.0, ())).pairs(K, ORDERS)
    for p, q in ORDERS:
        assert pairs.order(p, q)[0, 1] == pytest.approx(hermite_pairs(act, K, p, q), abs=2e-8)
        assert pairs.order(q, p)[0, 1] == pytest.approx(hermite_pairs(act, K, q, p), abs=2e-8)


@pytest.mark.parametrize("order", [(0, 0), (1, 1), (2, 0), (2, 2), (3, 1)])
@pytest.mark.parametrize(
    ("name", "slope"), [*KINKED, *((name, 0.0) for name in SMOOTH)], ids=lambda v: str(v)
)
def test_higher_orders_are_derivatives_with_respect_to_the_covariance(
    name: str, slope: float, order: tuple[int, int]
) -> None:
    """⟨f''_a g_b⟩ = 2∂⟨f_a g_b⟩/∂K_aa and ⟨f'_a g'_b⟩ = ∂⟨f_a g_b⟩/∂K_ab, by differences."""
    averages = averages_of(activation(name, slope, ()))
    K, h = np.array([[1.1, 0.4], [0.4, 0.7]]), 1e-4

    def at(change: np.ndarray, p: int, q: int) -> float:
        return averages.pairs(K + change, ORDERS).order(p, q)[0, 1]

    p, q = order
    own, both = np.array([[h, 0], [0, 0.0]]), np.array([[0, h], [h, 0.0]])
    if (p + 2, q) in ORDERS:
        slope_own = (at(own, p, q) - at(-own, p, q)) / h
        assert at(0 * own, p + 2, q) == pytest.approx(slope_own, abs=1e-6)
    if (p + 1, q + 1) in ORDERS:
        slope_both = (at(both, p, q) - at(-both, p, q)) / (2 * h)
        assert at(0 * own, p + 1, q + 1) == pytest.approx(slope_both, abs=1e-6)


def arc_average(K: np.ndarray, functions: list, degree: int) -> float:
    """Homogeneous integrand of degree 0, 2 or 4 in the plane: E r^degree times arcs by Gauss."""
    rows = vectors(K)
    assert rows.shape[1] == 2
    kinks = np.sort(np.concatenate([np.arctan2(-r[0], r[1]) + np.array([0, np.pi, 2 * np.pi])
                                    for r in rows]) % (2 * np.pi))  # fmt: skip
    points, weights = np.polynomial.legendre.leggauss(20)
    edges = np.append(kinks, kinks[0] + 2 * np.pi)
    total = 0.0
    for low, high in pairwise(edges):
        angle = (low + high) / 2 + (high - low) / 2 * points
        z = rows @ np.stack([np.cos(angle), np.sin(angle)])
        value = np.prod([f(one) for f, one in zip(functions, z, strict=True)], axis=0)
        total += (high - low) / 2 * (value @ weights)
    return {0: 1.0, 2: 2.0, 4: 8.0}[degree] * total / (2 * np.pi)


@pytest.mark.parametrize(("name", "slope"), KINKED)
def test_kinked_quadruples_in_a_plane_are_integrals_over_arcs(name: str, slope: float) -> None:
    """Four vectors in the plane: a singular covariance, and an exact other way."""
    K = covariance(4, 2, seed=3)
    act = activation(name, slope, ())
    found = averages_of(act).quadruples(K)
    for kind, orders in PATTERNS.items():
        if kind == "curved":
            continue
        functions = [(act, act.derivative)[k] for k in orders]
        value = arc_average(K, functions, 4 - sum(orders))
        assert getattr(found, kind)[0, 1, 2, 3] == pytest.approx(value, rel=1e-9), kind


def test_four_signs_of_equal_correlation_one_half():
    """All positive with probability 1/5, so that the mean sign is 16/5 − 1 − 6/3 = 1/5."""
    K = 0.5 + 0.5 * np.eye(4)
    assert four_signs(vectors(K)[None], 64)[0] == pytest.approx(0.2, abs=1e-14)


def test_four_signs_of_pairs_of_parallel_variables():
    K = np.array([[1.0, 1, 0.3, -0.3], [1, 1, 0.3, -0.3], [0.3, 0.3, 1, -1], [-0.3, -0.3, -1, 1]])
    assert four_signs(vectors(K)[None], 64)[0] == pytest.approx(-1, abs=1e-12)
    K = np.array([[1.0, 0.3, 1, 0.2], [0.3, 1, 0.3, 0.5], [1, 0.3, 1, 0.2], [0.2, 0.5, 0.2, 1]])
    assert four_signs(vectors(K)[None], 64)[0] == pytest.approx(2 / np.pi * np.arcsin(0.5))


def test_moments_without_signs_are_isserlis_theorem():
    K = covariance(4, 4, seed=5)
    found = Moments(K, 64).product(np.array([[0, 1, 2, 3]]), (1, 1, 1, 1), (0, 0, 0, 0))[0]
    wanted = K[0, 1] * K[2, 3] + K[0, 2] * K[1, 3] + K[0, 3] * K[1, 2]
    assert found == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "abs", "identity", *SMOOTH])
def test_copies_and_zero_inputs_are_the_inputs_they_copy(name: str) -> None:
    """Input 2 copies input 0, input 3 is 0: averages of ranks 1 and 2 in arrays of four inputs."""
    act = activation(name, 0.2, ())
    averages = averages_of(act)
    small = covariance(2, 2, seed=2)
    copy = [0, 1, 0]
    K = np.zeros((4, 4))
    K[:3, :3] = small[np.ix_(copy, copy)]
    few, many = averages.quadruples(small), averages.quadruples(K)
    for kind in PATTERNS:
        inner = getattr(many, kind)[:3, :3, :3, :3]
        assert inner == pytest.approx(getattr(few, kind)[np.ix_(*[copy] * 4)], rel=1e-8, abs=1e-10)
    at_zero = act(np.zeros(1))[0], act.derivative(np.zeros(1))[0]
    pair = averages.pairs(K, INFINITE)
    assert at_zero[0] == 0
    assert many.values[0, 1, 1, 3] == pytest.approx(0, abs=1e-12)
    assert many.mixed[0, 1, 3, 3] == pytest.approx(pair.order(0, 0)[0, 1] * at_zero[1] ** 2)
    assert pair.order(1, 1)[3, 3] == pytest.approx(at_zero[1] ** 2)
    assert pair.order(0, 0)[0, 2] == pytest.approx(pair.order(0, 0)[0, 0], rel=1e-12)


@pytest.mark.parametrize(("name", "slope"), KINKED)
def test_opposite_inputs(name: str, slope: float) -> None:
    """z and −z: ⟨σ(z)σ(−z)⟩ = −a u and ⟨σ'(z)σ'(−z)⟩ = a."""
    K = np.array([[1.3, -1.3], [-1.3, 1.3]])
    act = activation(name, slope, ())
    a = act.slope
    assert a is not None
    found = averages_of(act).pairs(K, ORDERS)
    assert found.order(0, 0)[0, 1] == pytest.approx(-1.3 * a, abs=1e-12)
    assert found.order(1, 1)[0, 1] == pytest.approx(a, abs=1e-12)
    quadruples = averages_of(act).quadruples(K)
    assert quadruples.values[0, 0, 1, 1] == pytest.approx(3 * 1.3**2 * a**2, abs=1e-12)
    assert quadruples.slopes[0, 0, 1, 1] == pytest.approx(a**2, abs=1e-12)


@pytest.mark.parametrize("name", ["tanh", "gelu", "silu", "erf"])
def test_many_inputs_by_series_are_the_pairs_by_quadrature(name: str) -> None:
    K = covariance(MANY, 3, seed=7)
    K[1] = K[0]
    K[:, 1] = K[:, 0]
    averages = Smooth(NAMED[name], name)
    many = averages.pairs(K, INFINITE)
    few = averages.pairs(K[:5, :5], INFINITE)
    for order in INFINITE:
        assert many.order(*order)[:5, :5] == pytest.approx(few.order(*order), abs=1e-10)


@pytest.mark.parametrize("name", SMOOTH)
def test_named_derivatives_are_derivatives(name: str) -> None:
    z, h = np.linspace(-4, 4, 41), 1e-3
    ahead, here, behind = (NAMED[name](z + k, 5) for k in (h, 0.0, -h))
    ahead2, behind2 = NAMED[name](z + 2 * h, 5), NAMED[name](z - 2 * h, 5)
    for k in range(5):
        quotient = (8 * (ahead[k] - behind[k]) - ahead2[k] + behind2[k]) / (12 * h)
        assert here[k + 1] == pytest.approx(quotient, abs=1e-8)
    assert here[0] == pytest.approx(activation(name, 0.0, ())(z), abs=1e-14)


def own_tanh(z: np.ndarray) -> np.ndarray:
    return np.tanh(z)


def tanh_first(z: np.ndarray) -> np.ndarray:
    return 1 - np.tanh(z) ** 2


@pytest.mark.parametrize("given", [1, 2])
def test_missing_derivatives_of_a_function_are_difference_quotients(given: int) -> None:
    functions = (tanh_first, lambda z: -2 * np.tanh(z) * tanh_first(z))[:given]
    z = np.linspace(-3, 3, 61)
    found = derivatives_of(activation(own_tanh, 0.0, functions))(z, 5)
    for k, (one, exact) in enumerate(zip(found, NAMED["tanh"](z, 5), strict=True)):
        assert one == pytest.approx(exact, abs=1e-12 if k <= given else 2e-4), k


def relu(z: np.ndarray) -> np.ndarray:
    return np.maximum(z, 0)


def step(z: np.ndarray) -> np.ndarray:
    return (z > 0).astype(float)


def softplus(z: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, z)


BAD = {
    "kink": (activation(relu, 0.0, (step,)), "not smooth enough near z = "),
    "kink, all given": (
        activation(relu, 0.0, (step, *(np.zeros_like,) * 4)), "derivative 2 .* does not integrate"),
    "another's": (activation(softplus, 0.0, (tanh_first,)), "derivative 1 .* does not integrate"),
    "no derivative": (activation(softplus, 0.0, ()), "without its derivative"),
    "not finite": (activation(np.log, 0.0, (np.reciprocal,)), "not a finite real number"),
    "complex": (activation(np.emath.sqrt, 0.0, (np.cos,)), "0 of .* not a finite real number"),
    "fails": (activation(softplus, 0.0, (lambda z: z[9999],)), r"1 of .* fails on .* \(IndexError"),
    "steep": (activation("leaky_relu", 1e7, ()), r"slope of 'leaky_relu' is 1e\+07, .* 1e\+06"),
}  # fmt: skip


@pytest.mark.parametrize(("act", "sentence"), BAD.values(), ids=BAD.keys())
def test_functions_that_have_no_averages_are_refused(act: Activation, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        averages_of(act)


def test_a_function_that_overflows_is_named():
    act = activation(np.exp, 0.0, (np.exp,))
    with pytest.raises(ValueError, match=r"'exp' or a derivative of it is not finite"):
        averages_of(act).pairs(np.array([[1e6]]), INFINITE)


def test_functions_that_grow_fast_have_a_wider_range():
    """exp: E e^(z_1 + … + z_4) = e^(Var/2), at a standard deviation of 1.1 and full rank."""
    act = activation(np.exp, 0.0, (np.exp,) * 5)
    K = 1.2 * covariance(4, 4)
    K /= K.max() / 1.2
    sums = K.sum()
    found = averages_of(act).quadruples(K)
    assert found.values[0, 1, 2, 3] == pytest.approx(np.exp(sums / 2), rel=1e-3)
    assert found.curved[0, 1, 2, 3] == pytest.approx(np.exp(sums / 2), rel=1e-3)
    assert found.values[1, 1, 1, 1] == pytest.approx(np.exp(8 * K[1, 1]), rel=1e-8)
    pairs = averages_of(act).pairs(K, ((0, 0), (5, 1)))
    variance = np.diagonal(K)
    wanted = np.exp((variance[:, None] + variance + 2 * K) / 2)
    assert pairs.order(5, 1) == pytest.approx(wanted, rel=1e-9)


def test_a_step_that_quadrature_cannot_resolve_is_refused():
    with pytest.raises(
        RuntimeError, match="too steep, or grows too fast, for pre-activations of stand"
    ):
        averages_of(activation("tanh", 0.0, ())).quadruples(1e6 * covariance(4, 4))
