"""Sums over multisets against the exact law, which goes over partitions and shares no code."""

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.paths.expectation import expectation
from finitewidth.paths.scheme import SCHEMES

X = np.array([1.0, -0.5, 0.7, 0.2])

NETWORKS = {
    "a million quadruples": {"widths": [4, 4]},
    "four hidden layers": {"widths": [2, 1, 2, 2]},
    "input of zeros but one": {"widths": [3, 2], "x": [0.0, 1.5]},
    "width 1": {"widths": [1, 3, 1]},
    "one hidden layer": {"widths": [7]},
    "no hidden layer": {"widths": []},
    "uniform": {"widths": [3, 3], "weight_law": "uniform"},
    "laplace, standard": {"widths": [2, 4], "weight_law": "laplace", "parametrization": "standard"},
    "leaky": {"widths": [3, 2, 2], "activation": "leaky_relu", "negative_slope": 0.3},
    "absolute value": {"widths": [2, 3], "activation": "abs", "hidden_gain": 1.0},
    "identity": {"widths": [3, 2], "activation": "identity", "hidden_gain": 1.0},
    "slow biases": {"widths": [3, 2], "bias_lr": 0.25, "output_gain": 2.0},
    "no biases": {"widths": [3, 2], "bias": False},
}


def of_the_law(net: fw.MLP, x: np.ndarray) -> dict[str, float]:
    law = fw.KernelLaw(net, x)
    parts = law.update_parts()
    return {
        "weights": law.mean("weights"),
        "biases": law.mean("biases"),
        "weights_squared": law.moment(2, "weights"),
        "cross": law.cross_moment(),
        "biases_squared": law.moment(2, "biases"),
        "update_ww": parts["ww"],
        "update_wb": parts["wb"],
    }


@pytest.mark.parametrize("name", NETWORKS)
def test_the_enumeration_is_the_exact_law(name: str) -> None:
    fields = dict(NETWORKS[name])
    x = np.array(fields.pop("x", X[:2]))
    net = fw.MLP(n_in=len(x), **fields)
    wanted = of_the_law(net, x)
    for quantity in SCHEMES:
        assert expectation(net, x, quantity) == pytest.approx(wanted[quantity], rel=1e-10, abs=0.0)


def test_values_derived_by_hand() -> None:
    """[2, 1, 1], x = (1, 0): K_w = c₂ r₁ + c₁ δ² with r₁ = δ² x² (no more than one path)."""
    net = fw.MLP(n_in=2, widths=[1])
    x = [1.0, 0.0]
    # Ŵ₁ = w₁, Ŵ₂ = w₂ (gains 2/2 and 1/1); open with probability ½: K_w = (w₁² + w₂²)·1{open}
    assert expectation(net, x, "weights_squared") == pytest.approx(0.5 * (3 + 2 + 3))
    # K_b = 1 + w₂²·1{open}
    assert expectation(net, x, "biases_squared") == pytest.approx(1 + 0.5 * (2 + 3))
    assert expectation(net, x, "cross") == pytest.approx(0.5 * (1 + 1 + 1 + 3))
    # N = w₁w₂: N ∂₁N ∂₁∂₂N ∂₂N = w₁² w₂², in both orders
    assert expectation(net, x, "update_ww") == pytest.approx(0.5 * 2)
    # N ∂_wN ∂_w∂_bN ∂_bN with w = w₂: w₁w₂ · w₁ · 1 · w₂
    assert expectation(net, x, "update_wb") == pytest.approx(0.5)


def test_too_large_says_so_before_it_starts() -> None:
    net = fw.MLP(n_in=10, widths=[50] * 20)
    with pytest.raises(ValueError, match=r"8\.3e\+139 quadruples of paths.*paths\.loops"):
        expectation(net, np.ones(10), "weights_squared")
    with pytest.raises(ValueError, match=r"20736 quadruples .* more than limit = 10;"):
        expectation(fw.MLP(n_in=2, widths=[3, 2]), X[:2], "cross", limit=10)


def test_outside_the_field() -> None:
    for fields, words in [
        ({"activation": "tanh"}, "activation is 'tanh'"),
        ({"n_out": 2}, "n_out is 2"),
        ({"bias_variance": 0.1}, "bias_variance is 0.1"),
        ({"residual": (1.0, 1.0)}, "residual connections"),
    ]:
        with pytest.raises(ValueError, match=words):
            expectation(fw.MLP(n_in=2, widths=[3], **fields), X[:2], "cross")
    net = fw.MLP(n_in=2, widths=[3])
    for x, words in [(X, "x has shape"), ([0.0, 0.0], "x is zero"), ([1.0, np.nan], "not finite")]:
        with pytest.raises(ValueError, match=words):
            expectation(net, x, "cross")
    with pytest.raises(ValueError, match="quantity is 'kernel', expected one of weights,"):
        expectation(net, X[:2], "kernel")


@pytest.mark.usefixtures("unchecked")
def test_something_else_than_a_network() -> None:
    with pytest.raises(TypeError, match=r"expected a finitewidth\.MLP"):
        expectation((2, 3, 1), X[:2], "cross")  # pyright: ignore[reportArgumentType]
