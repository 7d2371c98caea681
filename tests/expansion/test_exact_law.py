"""One input, 1-homogeneous activations: the exact law's derivative in 1/n.

n Var K and n E ΔK are series in 1/n; extrapolating their exact values at five widths removes four
orders, and what is left is the expansion's coefficient to about 1e-11.
"""

import numpy as np
import pytest

import finitewidth as fw
from finitewidth import expansion

X = np.array([0.7, -1.1, 0.4])
SHAPES = ([1], [1, 1, 1], [1, 2, 0.5], [1] * 6)
ACTIVATIONS = {
    "relu": {"activation": "relu"},
    "leaky": {"activation": "leaky_relu", "negative_slope": 0.3, "hidden_gain": 1.7},
    "identity": {"activation": "identity", "hidden_gain": 1.0},
    "abs": {"activation": "abs", "hidden_gain": 0.9, "bias_lr": 0.4},
    "frozen": {"activation": "relu", "bias": False},
}


def extrapolated(coefficient) -> float:
    """The value at 1/n = 0 of a polynomial in 1/n, from widths 2000, 4000, … 32000."""
    widths = [2000 * 2**k for k in range(5)]
    x = 1 / np.array(widths)
    values = [coefficient(n) for n in widths]
    terms = [
        value * np.prod([-other / (one - other) for other in x if other != one])
        for one, value in zip(x, values, strict=True)
    ]
    return float(np.sum(terms))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("options", ACTIVATIONS.values(), ids=ACTIVATIONS.keys())
def test_slopes_are_the_derivatives_of_the_exact_law(options: dict, shape: list) -> None:
    def net(n: int) -> fw.MLP:
        return fw.MLP(3, [int(part * n) for part in shape], **options)

    found = expansion.kernel(net(1000), X)
    variance = extrapolated(lambda n: n * fw.KernelLaw(net(n), X).variance())
    assert 1000 * found.covariance.item() == pytest.approx(variance, rel=1e-8)
    step = extrapolated(lambda n: n * fw.KernelLaw(net(n), X).update_mean(1.0))
    assert 1000 * found.first_step([0.0], 1.0).item() == pytest.approx(step, rel=1e-8)
    assert found.infinite.item() == pytest.approx(fw.KernelLaw(net(2000), X).mean(), rel=1e-12)


def test_known_coefficients():
    """Var K and E ΔK of ReLU with trainable biases, from the exact law by hand."""
    wanted = ((9.5828, -5.5552), (128.604, -55.552), (171.9748, -61.1072), (823.4268, -311.0912))
    for shape, (variance, step) in zip(SHAPES, wanted, strict=True):
        found = expansion.kernel(fw.MLP(3, [int(1000 * part) for part in shape]), X)
        assert 1000 * found.covariance.item() == pytest.approx(variance, rel=1e-10)
        assert 1000 * found.first_step([0.0], 1.0).item() == pytest.approx(step, rel=1e-10)


@pytest.mark.parametrize("parametrization", ["standard", "mup", "mean_field"])
def test_other_parametrizations_at_large_width(parametrization: str) -> None:
    """Their layers weigh differently at each width: the relative error itself falls like 1/n."""

    def errors(n: int) -> tuple[float, float]:
        net = fw.MLP(3, [n, 2 * n, n], parametrization=parametrization)
        found, law = expansion.kernel(net, X), fw.KernelLaw(net, X)
        assert found.infinite.item() == pytest.approx(law.mean(), rel=1e-12)
        return (
            law.variance() / found.covariance.item() - 1,
            law.update_mean(1.0) / found.first_step([0.0], 1.0).item() - 1,
        )

    for one, two in zip(errors(1000), errors(2000), strict=True):
        assert abs(one) < 0.02
        assert two == pytest.approx(one / 2, rel=0.02, abs=1e-11)


def test_the_error_of_first_order_grows_with_beta():
    """Relative error of Var K: doubling the width halves it, four times the layers triples it."""

    def error(n: int, layers: int) -> float:
        net = fw.MLP.equal_width(3, n, layers)
        exact = fw.KernelLaw(net, X).variance()
        return exact / expansion.kernel(net, X).covariance.item() - 1

    for layers in (2, 8):
        at = [error(n, layers) for n in (100, 200, 400)]
        assert at[0] > at[1] > at[2] > 0
        assert at[1] / at[2] == pytest.approx(2, rel=0.1)
    assert error(400, 8) > 3 * error(400, 2)
