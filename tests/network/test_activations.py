"""Activations: values, derivatives against differences, and what happens at a kink."""

from math import erf, exp, pi, sqrt, tanh

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.network import Activation
from finitewidth.network.activations import NAMES, activation

SLOPE = 0.2
POINTS = np.array([-7.0, -2.5, -1.0, -0.3, -1e-3, 1e-3, 0.4, 1.0, 2.2, 6.0])
KINKED = {"relu": 0.0, "leaky_relu": SLOPE, "abs": -1.0, "identity": 1.0}
SMOOTH = {
    "tanh": tanh,
    "erf": erf,
    "sin": lambda z: float(np.sin(z)),
    "gelu": lambda z: z * (1 + erf(z / sqrt(2))) / 2,
    "silu": lambda z: z / (1 + exp(-z)),
}


def named(name: str) -> Activation:
    return activation(name, SLOPE, ())


def test_every_activation_is_tested_here():
    assert set(NAMES) == set(KINKED) | set(SMOOTH)


@pytest.mark.parametrize("name", SMOOTH)
def test_values_of_smooth_activations(name):
    want = [SMOOTH[name](z) for z in POINTS.tolist()]
    np.testing.assert_allclose(named(name)(POINTS), want, rtol=1e-14, atol=1e-16)
    assert named(name).slope is None
    assert not named(name).has_kink


@pytest.mark.parametrize("name", KINKED)
def test_values_of_piecewise_linear_activations(name):
    act, slope = named(name), KINKED[name]
    np.testing.assert_array_equal(act(POINTS), np.where(POINTS > 0, POINTS, slope * POINTS))
    np.testing.assert_array_equal(act.derivative(POINTS), np.where(POINTS > 0, 1.0, slope))
    np.testing.assert_array_equal(act.derivatives[1](POINTS), np.zeros_like(POINTS))
    assert act.slope == slope
    assert act.has_kink == (slope != 1.0)


@pytest.mark.parametrize(
    ("name", "at_zero"), [("relu", 0.0), ("leaky_relu", SLOPE), ("abs", 0.0), ("identity", 1.0)]
)
def test_derivative_at_the_kink_is_that_of_pytorch(name, at_zero):
    zero = np.array([0.0, -0.0])
    np.testing.assert_array_equal(named(name).derivative(zero), [at_zero, at_zero])
    np.testing.assert_array_equal(named(name)(zero), [0.0, 0.0])


def test_derivative_at_the_kink_in_pytorch_itself():
    torch = pytest.importorskip("torch", reason="the comparison is with torch")
    functions = {
        "relu": torch.relu,
        "leaky_relu": lambda z: torch.nn.functional.leaky_relu(z, SLOPE),
        "abs": torch.abs,
        "tanh": torch.tanh,
        "erf": torch.erf,
        "sin": torch.sin,
        "gelu": torch.nn.functional.gelu,
        "silu": torch.nn.functional.silu,
    }
    for name, function in functions.items():
        z = torch.tensor([0.0, 0.7, -1.3], dtype=torch.float64, requires_grad=True)
        value = function(z)
        (slope,) = torch.autograd.grad(value.sum(), z)
        np.testing.assert_allclose(
            named(name)(z.detach().numpy()), value.detach().numpy(), rtol=1e-14, atol=1e-16
        )
        np.testing.assert_allclose(
            named(name).derivative(z.detach().numpy()), slope.numpy(), rtol=1e-13, atol=1e-16
        )


def difference(function, z: np.ndarray, h: float) -> np.ndarray:
    """Sixth-order central difference: error h⁶ f⁽⁷⁾/140 and rounding eps/h."""
    return (
        45 * (function(z + h) - function(z - h))
        - 9 * (function(z + 2 * h) - function(z - 2 * h))
        + (function(z + 3 * h) - function(z - 3 * h))
    ) / (60 * h)


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("order", [1, 2])
def test_derivatives_against_differences(name, order):
    """h = 0.01: h⁶ f⁽⁷⁾/140 is below 1e-11 for |f⁽⁷⁾| < 1000, rounding below 1e-13."""
    act = named(name)
    below = act if order == 1 else act.derivatives[order - 2]
    found = act.derivatives[order - 1](POINTS)
    np.testing.assert_allclose(found, difference(below, POINTS, 0.01), rtol=0, atol=1e-11)
    if order == 1:
        np.testing.assert_array_equal(act.derivative(POINTS), found)


def test_derivatives_by_hand():
    at = np.array([0.0])
    assert named("erf").derivative(at)[0] == pytest.approx(2 / sqrt(pi), rel=1e-15)
    assert named("gelu").derivative(at)[0] == 0.5
    assert named("silu").derivative(at)[0] == 0.5
    assert named("silu").derivatives[1](at)[0] == pytest.approx(0.5, rel=1e-15)
    assert named("gelu").derivatives[1](at)[0] == pytest.approx(2 / sqrt(2 * pi), rel=1e-15)


@pytest.mark.parametrize("name", [*KINKED, *SMOOTH])
def test_arrays_keep_shape_and_size(name):
    z = np.linspace(-800.0, 800.0, 24).reshape(2, 3, 4)  # no overflow either
    act = named(name)
    for function in (act, act.derivative, *act.derivatives):
        found = function(z)
        assert found.shape == z.shape
        assert np.isfinite(found).all()


def cube(z: np.ndarray) -> np.ndarray:
    return z**3


def test_a_function_as_activation():
    net = fw.MLP(n_in=2, widths=[3], activation=cube, activation_derivatives=(lambda z: 3 * z**2,))
    assert net.act.name == "cube"
    assert net.act.slope is None
    assert net.act(np.array([2.0]))[0] == 8.0
    assert net.act.derivative(np.array([2.0]))[0] == 12.0
    bare = fw.MLP(n_in=2, widths=[3], activation=cube)
    with pytest.raises(ValueError, match="'cube' was given without its derivative; add activation"):
        bare.act.derivative(np.array([2.0]))


def test_the_slope_belongs_to_leaky_relu_alone():
    for name in ("relu", "abs", "identity", "tanh"):
        net = fw.MLP(n_in=2, widths=[3], activation=name, negative_slope=0.7)
        assert net.act.slope == {"relu": 0.0, "abs": -1.0, "identity": 1.0}.get(name)
    net = fw.MLP(n_in=2, widths=[3], activation="leaky_relu", negative_slope=0.7)
    assert net.act.slope == 0.7
    assert fw.MLP(n_in=2, activation="leaky_relu").act.slope == 0.01  # PyTorch's default
