"""Entries that compare with published numbers: each against a formula written down here."""

from math import acos, log, pi, sqrt

import numpy as np
import pytest

from finitewidth.estimate import Estimate
from finitewidth.law import KernelLaw
from finitewidth.network import MLP
from finitewidth.reproduce import dyer_gur_ari, guillen, log_norm, seleznova
from tests.reproduce.checking import FAR


def arc_cosine_kernel(inputs: np.ndarray, layers: int) -> np.ndarray:
    """Θ of infinitely wide ReLU networks, gain 2, readout gain 1, no biases (Cho & Saul 2009)."""
    kernel = 2 * inputs @ inputs.T / inputs.shape[1]
    tangent = kernel.copy()
    for layer in range(layers):
        sizes = np.sqrt(np.outer(np.diag(kernel), np.diag(kernel)))
        angle = np.vectorize(acos)(np.clip(kernel / sizes, -1, 1))
        values = sizes * (np.sin(angle) + (pi - angle) * np.cos(angle)) / (2 * pi)
        gain = 1 if layer == layers - 1 else 2
        tangent = gain * (values + tangent * (pi - angle) / (2 * pi))
        kernel = gain * values
    return tangent


def test_guillen_limits_by_the_arc_cosine_kernel() -> None:
    inputs = np.array(guillen.INPUTS)
    tangent = arc_cosine_kernel(inputs, 3)
    assert guillen.limit(inputs) == pytest.approx([tangent[0, 0], tangent[0, 1]], rel=1e-9)
    # What is printed differs by no more than the rounding of the inputs can do.
    error = guillen.from_rounding()
    for place, (ours, printed) in enumerate(
        [(tangent[0, 0], guillen.DIAGONAL), (tangent[0, 1], guillen.OFF_DIAGONAL)]
    ):
        assert abs(ours - printed) < 3 * error[place]
        assert error[place] < 2e-5


def test_guillen_rounding_by_moving_the_inputs() -> None:
    rng = np.random.default_rng(0)
    inputs = np.array(guillen.INPUTS)
    moved = [
        arc_cosine_kernel(inputs + rng.uniform(-5e-6, 5e-6, (2, 2)), 3)[0] for _ in range(2_000)
    ]
    # A standard deviation of 2000 numbers has an error of 1.6 %: five of them.
    assert guillen.from_rounding() == pytest.approx(np.std(moved, axis=0), rel=0.08)


def test_guillen_quick_run() -> None:
    found = guillen.reproduce(quick=True, seed=1, progress=None)
    for width in guillen.WIDTHS:
        diagonal = found.numbers[f"diagonal, n = {width}, simulated"]
        assert isinstance(diagonal, Estimate)
        assert abs(diagonal.z(guillen.DIAGONAL)) < FAR
        off = found.numbers[f"off-diagonal, n = {width}, simulated"]
        assert isinstance(off, Estimate)
        assert abs(off.z(found.numbers[f"off-diagonal, n = {width}, exact law"])) < FAR
    first = found.numbers["off-diagonal, n = 20, exact law"]
    assert first == pytest.approx(guillen.AT_20.value, abs=4 * guillen.AT_20.std_error)
    assert len(found.tables) == 3


def test_log_norm_of_one_neuron() -> None:
    """Width 1: 4 times the square of one normal number; its log has mean ψ(½), variance π²/2."""
    euler = 0.5772156649015329
    mean, variance = log_norm.exact(MLP.equal_width(3, 1, 2))
    assert mean == pytest.approx(2 * (log(4) - euler - log(2) * 2 + log(2) - log(2)), rel=1e-12)
    assert variance == pytest.approx(pi**2, rel=1e-12)


def test_log_norm_at_large_width_is_what_is_published() -> None:
    net = MLP.equal_width(3, 1_000, 10)
    mean, variance = log_norm.exact(net)
    assert mean == pytest.approx(-2.5 * net.beta, rel=5e-3)
    assert variance == pytest.approx(5.0 * net.beta, rel=5e-3)


def test_log_norm_by_simulation() -> None:
    pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")
    net = MLP(n_in=4, widths=[40, 20, 40])
    logs = log_norm.drawn(net, 4_000, 2)
    mean, variance = log_norm.moments(logs)
    expected = log_norm.exact(net)
    assert abs(mean.z(expected[0])) < FAR
    assert abs(variance.z(expected[1])) < FAR
    other = log_norm.exact(MLP(net.n_in, [20, 10, 20]))  # twice β
    assert abs(mean.z(other[0])) > 2 * FAR
    assert abs(variance.z(other[1])) > 2 * FAR


def test_kolmogorov_distance() -> None:
    quantiles = np.array([-1.0, 0.0, 1.0])
    # Φ(−1) = 0.1587: below the first of three points lie 0, above it 1/3 of them.
    assert log_norm.kolmogorov(quantiles, 0.0, 1.0) == pytest.approx(1 / 3 - 0.15865525, rel=1e-6)
    assert log_norm.kolmogorov(quantiles + 3, 0.0, 1.0) == pytest.approx(0.97724987, rel=1e-6)
    normal = np.random.default_rng(0).normal(size=10_000)
    assert log_norm.kolmogorov(normal, 0.0, 1.0) < 2.7 / sqrt(10_000)  # false alarm 1e-6
    assert log_norm.kolmogorov(normal, 0.1, 1.0) > 2.7 / sqrt(10_000)


def test_log_norm_quick_run() -> None:
    pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")
    found = log_norm.reproduce(quick=True, seed=1, progress=None)
    distances = [value for name, value in found.numbers.items() if name.startswith("distance")]
    assert len(distances) == 3
    assert distances[0] > distances[-1]  # pyright: ignore[reportOperatorIssue]
    assert found.numbers["mean, 4-(20×4)-1, printed"] == pytest.approx(-0.5)
    assert found.numbers["variance, 4-(20×4)-1, printed"] == pytest.approx(1.0)


def test_seleznova_by_the_law_and_by_simulation() -> None:
    """Published values: 500 networks; those of other parametrizations lie far from them."""
    for layers, published in seleznova.PUBLISHED.items():
        exact = {
            reading: KernelLaw(seleznova.network(reading, layers), seleznova.unit_vector())
            for reading in seleznova.READINGS
        }
        assert exact["standard"].dispersion() == pytest.approx(published, rel=2e-3)
        assert exact["ntk"].dispersion() < 0.95 * published
        assert exact["hanin-nica"].dispersion() < 0.95 * published
    row = seleznova.row("standard", 10, 1_000, 5)
    assert row.simulated is not None
    assert row.simulated.trusted
    assert abs(row.simulated.z(row.exact)) < FAR
    assert row.simulated.z(1.0) > 2 * FAR
    assert seleznova.error_of(row.simulated, 250) == pytest.approx(2 * row.simulated.std_error)


def test_seleznova_quick_run() -> None:
    found = seleznova.reproduce(quick=True, seed=1, progress=None)
    for layers in (10, 25):
        z = found.numbers[f"published z, standard, readout gain 2, L = {layers}"]
        assert abs(z) < 3  # pyright: ignore[reportArgumentType]
    assert len(found.plots) == 1


def test_power_law_by_hand() -> None:
    """Exact powers; and the error of a slope of equal errors: relative error/√Σ (ln n − mean)²."""
    widths = np.array([2.0, 4.0, 8.0])
    fit = dyer_gur_ari.power_law(widths, 5.0 * widths**-1.5, np.full(3, 0.1))
    assert fit.value == pytest.approx(-1.5)
    assert fit.std_error == pytest.approx(0.1 / (sqrt(2) * log(2)))
    # A point without weight does not move the slope.
    bent = np.array([1.0, 0.5, 9.0])
    fit = dyer_gur_ari.power_law(widths, bent, np.array([0.1, 0.1, 1e6]))
    assert fit.value == pytest.approx(-1.0, abs=1e-6)


def test_dyer_gur_ari_theory_by_closed_forms() -> None:
    """Identity, three hidden layers, n_0 = 2, |x|² = 5/4: E Θ = 4 · 5/8, by products of χ²."""
    for width in (128, 512):
        law = KernelLaw(dyer_gur_ari.network("identity", width), np.array(dyer_gur_ari.INPUT))
        assert law.mean() == pytest.approx(2.5)
    exact = dyer_gur_ari.theory("relu", 2**15) * 2**15
    assert exact == pytest.approx(dyer_gur_ari.wide_coefficient("relu"), rel=2e-3)
    assert dyer_gur_ari.theory("tanh", 200) == pytest.approx(
        dyer_gur_ari.wide_coefficient("tanh") / 200, rel=1e-9
    )


def test_dyer_gur_ari_dense_and_deferred_by_theory() -> None:
    pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")
    for activation, width in (("relu", 128), ("identity", 1024)):
        found = dyer_gur_ari.variance(activation, width, 400, 1)
        assert found.method == ("dense" if width == 128 else "deferred")
        expected = dyer_gur_ari.theory(activation, width)
        error = expected * 0.09  # √(2/400), and room for a kurtosis above 3
        assert abs(found.value - expected) < FAR * error
        assert abs(found.value - expected * 3) > FAR * error


def test_dyer_gur_ari_quick_run() -> None:
    pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")
    found = dyer_gur_ari.reproduce(quick=True, seed=1, progress=None)
    for activation, published in dyer_gur_ari.PUBLISHED.items():
        fit = found.numbers[f"exponent, {activation}, simulated"]
        assert isinstance(fit, Estimate)
        assert abs(fit.z(-1.0)) < FAR
        assert fit.z(-0.5) < -FAR  # n^(−1/2) would be noticed
        assert found.numbers[f"exponent, {activation}, printed"] == published
        assert found.numbers[f"exponent, {activation}, exact law"] == pytest.approx(-1, abs=0.02)
        assert abs(found.numbers[f"published z, {activation}"]) < 3  # pyright: ignore[reportArgumentType]
