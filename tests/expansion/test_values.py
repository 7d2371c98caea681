"""Numbers that were computed by other programs, or published, before this package."""

from itertools import product

import numpy as np
import pytest

import finitewidth as fw
from finitewidth import expansion

FIG3 = np.array([[-0.98952, -0.59925], [-0.17877, 2.25368]])
TWO = np.array([[1, -0.5, 0.8], [0.3, 1.2, -0.4]])
N = 1000

# Entries 00 | 01 | 11 of matrices and 0000 | 0011 | 0101 | 0111 of tensors, coefficients of 1/n.
# Those of tanh carry the other program's quadrature error, up to 1.2e-6; its Θ1 is left out, in
# which that error is 3e-4.
NETS = {
    "relu": {"activation": "relu", "hidden_gain": 2, "output_gain": 2, "bias_lr": 0},
    "tanh": {"activation": "tanh", "hidden_gain": 1.6, "output_gain": 1.6, "bias_variance": 0.1},
    "identity": {"activation": "identity", "hidden_gain": 1, "output_gain": 1, "bias_lr": 0.5},
    "residual": {"activation": "identity", "hidden_gain": 1, "output_gain": 1, "bias_lr": 0.5,
                 "bias_variance": 0.1, "residual": (0.5, 1.0)},
}  # fmt: skip
WANTED = {
    "relu": {
        "infinite": (5.3530015716, 1.99771953959, 20.4441290212),
        "nngp_correction": (0, -2.40019570205, 0),
        "correction": (0, -2.41124482078, 0),
        "first_step": (-258.988978383, -142.746873404, -2205.52790643),
        "covariance": (286.546258256, 170.27376188, 53.7782595082, 247.324192105),
        "V": (26.8637117115, 5.97813211785, 25.8960361856, 65.0555293905),
        "B": (50.1455951947, 2.13035468561, 89.1292711162, 16.4279266553),
    },
    "tanh": {
        "infinite": (5.06713764712, 2.44034586313, 5.06806197386),
        "nngp_correction": (-0.0901713997619, 0.054497093042, -0.091550360044),
        "first_step": (33.0950531126, 15.606636925, 32.6290833901),
        "covariance": (60.349281381, 33.8536423825, 10.5440073991, 18.9726064465),
        "D": (-1.20230925222, -0.0105804406376, 0.957136025874, 0.0148926820321),
        "P": (-10.5698449603, -0.163890259745, -0.163890259745, -0.0647299107184),
        "Q": (-4.93852608674, -0.0785979702011, 4.14185880746, 0.636772315663),
        "F": (0.959248765091, 0.0250258949833, 2.83954386798, 0.0571444027659),
    },
    "identity": {
        "infinite": (4.52, 1.17333333333, 4.25333333333),
        "nngp_correction": (0, 0, 0),
        "correction": (0, 0, 0),
        "first_step": (-39.9948888889, -5.96844444444, -36.146),
        "covariance": (46.8664, 34.8397777778, 7.9758, 5.47368888889),
    },
    "residual": {
        "infinite": (4.20625, 1.06875, 3.95625),
        "nngp_correction": (0, 0, 0),
        "correction": (0, 0, 0),
        "first_step": (-32.7820555556, -7.52822309028, -29.9033229167),
        "covariance": (25.93093125, 17.2202664931, 4.90916328125, 3.77482517361),
    },
}

MATRIX = ((0, 0), (0, 1), (1, 1))
TENSOR = ((0, 0, 0, 0), (0, 0, 1, 1), (0, 1, 0, 1), (0, 1, 1, 1))


@pytest.mark.parametrize("case", NETS)
def test_values_of_another_program(case: str) -> None:
    X = FIG3 if case == "relu" else TWO
    accuracy = 3e-6 if case == "tanh" else 1e-10
    found = expansion.kernel(fw.MLP(X.shape[1], [N] * 3, **NETS[case]), X)
    for name, numbers in WANTED[case].items():
        if name == "first_step":
            array = N * found.first_step([0.0, 0.0], 1.0)
        elif len(name) == 1:
            array = N * getattr(found.tensors, name)[0]
        else:
            array = getattr(found, name) * (1 if name == "infinite" else N)
        entries = MATRIX if array.ndim == 2 else TENSOR
        got = [array[index] for index in entries]
        assert got == pytest.approx(numbers, rel=accuracy, abs=1e-9), name


@pytest.mark.parametrize(("alpha", "gamma"), [(1.0, 0.0), (0.6, 0.8)])
def test_tanh_by_adaptive_integration(alpha: float, gamma: float) -> None:
    """Θ of one input by scipy's adaptive quadrature, to 1e-11; plain and residual."""
    from scipy.integrate import quad

    def average(f, variance: float) -> float:
        def weighted(t: float) -> float:
            return f(np.sqrt(variance) * t) * np.exp(-t * t / 2) / np.sqrt(2 * np.pi)

        return quad(weighted, -14, 14, epsabs=1e-14, epsrel=1e-13, limit=500)[0]

    square = float(np.square(TWO[0]).sum()) / 3
    kernel, tangent = 0.1 + 1.6 * square, 0.5 + 1.6 * square
    for layer in range(3):
        a, g = (alpha, gamma) if layer < 2 else (1.0, 0.0)
        value = average(lambda z: np.tanh(z) ** 2, kernel)
        slope = average(lambda z: (1 - np.tanh(z) ** 2) ** 2, kernel)
        new = 0.1 + 1.6 * value, 0.5 + 1.6 * value + 1.6 * tangent * slope
        kernel, tangent = (
            g**2 * old + a**2 * one for old, one in zip((kernel, tangent), new, strict=True)
        )
    residual = None if gamma == 0 else (alpha, gamma)
    net = fw.MLP(3, [9] * 3, "tanh", hidden_gain=1.6, output_gain=1.6, bias_variance=0.1,
                 bias_lr=0.5, residual=residual)  # fmt: skip
    assert expansion.kernel(net, TWO[0]).infinite.item() == pytest.approx(tangent, rel=1e-11)


def test_the_limit_of_a_residual_network_of_tanh():
    net = fw.MLP(3, [9] * 4, "tanh", hidden_gain=1.2, output_gain=1.2, bias_variance=0.05,
                 bias_lr=0.4, residual=(0.6, 1.0))  # fmt: skip
    found = expansion.kernel(net, TWO).infinite
    wanted = [2.48609405554, 0.538034389351, 2.45509242378]
    assert [found[index] for index in MATRIX] == pytest.approx(wanted, rel=2e-6)


def test_published_off_diagonal_kernel_of_relu():
    """Guillen, Misof & Gerken 2025, Fig. 3: Θ_01 = .998865 in the limit, .9347 ± .0013 at n = 20.

    First order gives .93858: .060 of the shift of .064. The rest is of order 1/n².
    """
    net = fw.MLP(2, [20] * 3, "relu", bias=False)
    found = expansion.kernel(net, FIG3)
    assert found.infinite[0, 0] == pytest.approx(2.67651, abs=2e-5)
    assert found.infinite[0, 1] == pytest.approx(0.998865, abs=1e-5)
    assert found.mean[0, 1] == pytest.approx(0.93858, abs=1e-5)
    assert abs(found.mean[0, 1] - 0.9347) < 2 / 20**2
    assert found.correction[0, 0] == pytest.approx(0, abs=1e-15)


# The relative variance n Var Θ/Θ² of one input over L, frozen biases, critical gain.
SLOPES = {
    "relu": {1: 3, 2: 29 / 9, 5: 31 / 9, 60: 11 / 3 - 4 / (3 * 61)},
    "identity": {1: 1, 2: 10 / 9, 5: 11 / 9, 60: 4 / 3 - 2 / (3 * 61)},
    "tanh": {1: 0.93612, 5: 0.73865, 20: 0.68813, 100: 0.67340, 400: 0.66905},
    "sin": {1: 0.88542, 5: 0.73746, 20: 0.68847, 100: 0.67330, 400: 0.66901},
}


@pytest.mark.parametrize("name", SLOPES)
def test_relative_variance_of_one_input(name: str) -> None:
    found = expansion.relative_variance(name, max(SLOPES[name]))
    for depth, wanted in SLOPES[name].items():
        assert found[depth - 1] / depth == pytest.approx(wanted, abs=6e-6)


def test_trainable_biases_change_the_slope_of_relu():
    net = fw.MLP.equal_width(3, 1, 200, output_gain=2.0)
    found = expansion.kernel(net, np.ones(3))
    assert found.covariance.item() / found.infinite.item() ** 2 / 200 == pytest.approx(
        2.6247, abs=1e-4
    )


def test_covariances_have_the_symmetries_of_a_kernel():
    net = fw.MLP(3, [20, 40], "gelu")
    covariance = expansion.kernel(net, np.random.default_rng(0).standard_normal((3, 3))).covariance
    for a, b, c, d in product(range(3), repeat=4):
        same = [covariance[k] for k in ((b, a, c, d), (a, b, d, c), (c, d, a, b))]
        assert same == pytest.approx([covariance[a, b, c, d]] * 3, rel=1e-9)
    matrix = covariance.reshape(9, 9)
    assert np.linalg.eigvalsh(matrix)[0] > -1e-9 * np.trace(matrix)
