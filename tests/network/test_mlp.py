"""The description of a network: scales of its layers, and one sentence for every bad field."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.network import GivenMoments, Layer
from finitewidth.network.parametrizations import scaling

NAN, INF = float("nan"), float("inf")


# -- layers ---------------------------------------------------------------------------------------


def test_layers_with_unit_variance_weights():
    """c_j = C/n_{j−1} and λ_j = c_j."""
    net = fw.MLP(n_in=4, widths=[5, 8], hidden_gain=2.0, output_gain=3.0)
    assert list(net.layers()) == [
        Layer(1, 4, 5, 2 / 4, 2 / 4, False),
        Layer(2, 5, 8, 2 / 5, 2 / 5, False),
        Layer(3, 8, 1, 3 / 8, 3 / 8, True),
    ]


def test_layers_in_pytorchs_own_parametrization():
    """c_j as before, λ_j = 1."""
    net = fw.MLP(n_in=4, widths=[5], output_gain=3.0, parametrization="standard", n_out=6)
    assert list(net.layers()) == [
        Layer(1, 4, 5, 2 / 4, 1.0, False),
        Layer(2, 5, 6, 3 / 5, 1.0, True),
    ]


def test_a_network_without_hidden_layer():
    net = fw.MLP(n_in=4, widths=[])
    assert list(net.layers()) == [Layer(1, 4, 1, 1 / 4, 1 / 4, True)]
    assert net.depth == 1
    assert net.beta == 0.0
    assert net.runs == ()
    assert fw.MLP(n_in=4) == net == fw.MLP.equal_width(4, 10, 0)


@pytest.mark.parametrize("name", ["ntk", "standard"])
def test_scalings_are_exact_in_fractions(name):
    variance, rate = scaling(name).scale(7, 4, Fraction(5, 3), is_first=False, is_output=False)
    assert variance == Fraction(5, 21)
    assert rate == (variance if name == "ntk" else 1)


def test_weights_drawn_with_their_scale_keep_the_signal():
    """Var of y^(1) is C |x|²/n_in: the layer's variance means what it says.

    20,000 sums of 4 products: 9.6 standard errors of the variance are 0.1 of it; false alarm 1e-6.
    """
    net = fw.MLP(n_in=4, widths=[20_000], hidden_gain=1.5)
    layer = next(net.layers())
    x = np.array([1.0, -2.0, 0.5, 3.0])
    weights = net.law.sample(np.random.default_rng(0), (20_000, 4)) * np.sqrt(layer.weight_variance)
    squares = (weights @ x) ** 2
    z = (squares.mean() - 1.5 * x @ x / 4) / (squares.std() / np.sqrt(20_000))
    assert abs(z) < 4.9
    wrong = (squares.mean() - 1.5 * x @ x / 4 * 1.1) / (squares.std() / np.sqrt(20_000))
    assert abs(wrong) > 4.9


# -- derived numbers -------------------------------------------------------------------------------


def test_depth_and_beta():
    net = fw.MLP(n_in=9, widths=[4, 4, 10])
    assert net.depth == 4
    assert net.beta == 0.6  # hidden layers only: neither n_in nor the output
    assert fw.MLP.equal_width(9, 4, 2) == fw.MLP(n_in=9, widths=[4, 4])


def test_trained_biases():
    assert fw.MLP(n_in=2).trains_biases
    assert not fw.MLP(n_in=2, bias=False).trains_biases
    assert not fw.MLP(n_in=2, bias_lr=0.0).trains_biases


def test_networks_are_values():
    one, same = fw.MLP(n_in=2, widths=[3, 3]), fw.MLP(n_in=2, widths=(3, 3))
    assert one == same
    assert hash(one) == hash(same)
    assert one != fw.MLP(n_in=2, widths=[3, 3], bias_lr=0.5)
    assert one != fw.MLP(n_in=2, widths=[3])
    hash(fw.MLP(n_in=2, widths=[3], weight_law=GivenMoments({4: 2})))
    with pytest.raises(AttributeError):
        one.n_in = 5  # type: ignore[misc]


def test_numbers_of_other_kinds_become_floats(unchecked):
    numbers: dict[str, Any] = {"hidden_gain": Fraction(3, 2), "output_gain": np.float32(0.5)}
    net = fw.MLP(n_in=2, widths=[3], bias_lr=1, **numbers)
    assert (net.hidden_gain, net.output_gain, net.bias_lr) == (1.5, 0.5, 1.0)
    assert all(type(v) is float for v in (net.hidden_gain, net.output_gain, net.bias_lr))
    assert type(fw.MLP(n_in=np.int64(2)).n_in) is int  # type: ignore[arg-type]


def test_residual_branches_are_kept(unchecked):
    assert fw.MLP(n_in=2, widths=[3, 3], residual=(1, 0.5)).residual == (1.0, 0.5)
    listed = fw.MLP(n_in=2, widths=[3, 3], residual=[1, 0.5])  # type: ignore[arg-type]
    assert listed.residual == (1.0, 0.5)


# -- bad input: one sentence each ---------------------------------------------------------------

WHOLE = "expected a whole number of at least 1"
BAD = [
    # fields, what is named and given, what was expected
    ({"n_in": 0}, "n_in is 0", WHOLE),
    ({"n_in": -3}, "n_in is -3", WHOLE),
    ({"n_in": 2.5}, "n_in is 2.5", WHOLE),
    ({"n_in": 2.0}, "n_in is 2.0", WHOLE),
    ({"n_in": "ab"}, "n_in is 'ab'", WHOLE),
    ({"n_in": True}, "n_in is True", WHOLE),
    ({"n_in": None}, "n_in is None", WHOLE),
    ({"widths": [0]}, "width of hidden layer 1 is 0", WHOLE),
    ({"widths": [4, -2]}, "width of hidden layer 2 is -2", WHOLE),
    ({"widths": [4, 2.5]}, "width of hidden layer 2 is 2.5", WHOLE),
    ({"widths": [4, "ab"]}, "width of hidden layer 2 is 'ab'", WHOLE),
    ({"widths": [True]}, "width of hidden layer 1 is True", WHOLE),
    ({"widths": [None]}, "width of hidden layer 1 is None", WHOLE),
    ({"widths": [NAN]}, "width of hidden layer 1 is nan", WHOLE),
    ({"widths": [[4, 5]]}, "width of hidden layer 1 is [4, 5]", WHOLE),
    ({"widths": np.array([4.0])}, "width of hidden layer 1 is ", WHOLE),
    ({"widths": "ab"}, "widths is 'ab'", "expected a list of hidden widths"),
    ({"widths": 64}, "widths is 64", "for equal widths use MLP.equal_width"),
    ({"widths": None}, "widths is None", "expected a list of hidden widths"),
    ({"n_out": 0}, "n_out is 0", WHOLE),
    ({"n_out": 1.5}, "n_out is 1.5", WHOLE),
    ({"activation": "tanhh"}, "activation is 'tanhh'", "expected one of relu, leaky_relu,"),
    ({"activation": "ReLU"}, "activation is 'ReLU'", "expected one of relu,"),
    ({"activation": 3}, "activation is 3", "expected a name or an elementwise callable"),
    ({"activation": None}, "activation is None", "expected a name or an elementwise callable"),
    (
        {"activation": "relu", "activation_derivatives": (np.cos,)},
        "activation_derivatives was given with the name 'relu'",
        "pass the function itself",
    ),
    (
        {"activation": np.sin, "activation_derivatives": 3},
        "activation_derivatives is 3",
        "expected",
    ),
    (
        {"activation": np.sin, "activation_derivatives": (3,)},
        "activation_derivatives",
        "expected",
    ),
    (
        {"activation": "leaky_relu", "negative_slope": NAN},
        "negative_slope is nan",
        "expected a finite number",
    ),
    (
        {"activation": "leaky_relu", "negative_slope": "a"},
        "negative_slope is 'a'",
        "expected a",
    ),
    (
        {"activation": "leaky_relu", "negative_slope": None},
        "negative_slope is None",
        "expected a",
    ),
    ({"weight_law": "gauss"}, "weight_law is 'gauss'", "expected one of gaussian, uniform,"),
    ({"weight_law": 3}, "weight_law is 3", "expected a name or a WeightLaw"),
    ({"weight_law": "student_t"}, "weight_law is 'student_t'", "student_t:DF with DF > 2"),
    ({"weight_law": "student_t:"}, "weight_law is 'student_t:'", "student_t:DF with DF > 2"),
    ({"weight_law": "student_t:2"}, "weight_law 'student_t:2'", "give df > 2"),
    ({"weight_law": "student_t:-1"}, "weight_law 'student_t:-1'", "give df > 2"),
    ({"weight_law": "student_t:ab"}, "'student_t:ab'", "> 2"),
    ({"hidden_gain": 0}, "hidden_gain is 0", "expected a finite number above 0"),
    ({"hidden_gain": -2.0}, "hidden_gain is -2.0", "expected a finite number above 0"),
    ({"hidden_gain": NAN}, "hidden_gain is nan", "expected a finite number above 0"),
    ({"hidden_gain": INF}, "hidden_gain is inf", "expected a finite number above 0"),
    ({"hidden_gain": "a"}, "hidden_gain is 'a'", "expected a number"),
    ({"hidden_gain": True}, "hidden_gain is True", "expected a number"),
    ({"hidden_gain": 1j}, "hidden_gain is 1j", "expected a number"),
    ({"output_gain": 0.0}, "output_gain is 0.0", "expected a finite number above 0"),
    ({"output_gain": None}, "output_gain is None", "expected a number"),
    ({"bias": 1}, "bias is 1", "expected True or False"),
    ({"bias": "no"}, "bias is 'no'", "expected True or False"),
    ({"bias_variance": -1}, "bias_variance is -1", "expected a finite number of at least 0"),
    ({"bias_variance": "a"}, "bias_variance is 'a'", "expected a number"),
    (
        {"bias": False, "bias_variance": 1.0},
        "bias_variance is 1 in a network with bias=False",
        "set bias=True",
    ),
    ({"bias_lr": -0.5}, "bias_lr is -0.5", "expected a finite number of at least 0"),
    ({"bias_lr": INF}, "bias_lr is inf", "expected a finite number of at least 0"),
    ({"residual": 1}, "residual is 1", "expected None or a pair (alpha, gamma)"),
    ({"residual": (1, 2, 3)}, "residual is (1, 2, 3)", "a pair (alpha, gamma)"),
    ({"residual": (1, "a")}, "residual gamma is 'a'", "expected a number"),
    ({"residual": (NAN, 1)}, "residual alpha is nan", "expected a finite number"),
    ({"parametrization": "foo"}, "parametrization is 'foo'", "expected one of ntk, standard"),
    ({"parametrization": 3}, "parametrization is 3", "expected one of ntk, standard"),
    ({"parametrization": ["ntk"]}, "parametrization is ['ntk']", "expected one of ntk, standard"),
]


def assert_one_sentence(message: str, *pieces: str) -> None:
    for piece in pieces:
        assert piece in message, message
    assert message.endswith(".")
    assert "\n" not in message
    assert "Error" not in message


@pytest.mark.parametrize(("fields", "given", "expected"), BAD, ids=[str(row[0]) for row in BAD])
def test_bad_fields_get_one_sentence(fields, given, expected, unchecked):
    with pytest.raises((ValueError, TypeError)) as caught:
        fw.MLP(**({"n_in": 3, "widths": [4]} | fields))
    assert_one_sentence(str(caught.value), given, expected)


BAD_EQUAL = [
    ((3, 0, 2), "width is 0", WHOLE),
    ((3, 2.5, 2), "width is 2.5", WHOLE),
    ((3, "a", 0), "width is 'a'", WHOLE),
    ((3, -4, 0), "width is -4", WHOLE),
    ((3, 4, -1), "hidden_layers is -1", "expected"),
    ((3, 4, 2.5), "hidden_layers is 2.5", "expected a whole number"),
    ((3, 4, 0.0), "hidden_layers is 0.0", "expected a whole number"),
    ((3, 4, False), "hidden_layers is False", "expected a whole number"),
    ((3, 4, True), "hidden_layers is True", "expected a whole number"),
    ((0, 4, 2), "n_in is 0", WHOLE),
]


@pytest.mark.parametrize(("arguments", "given", "expected"), BAD_EQUAL, ids=str)
def test_bad_equal_widths_get_one_sentence(arguments, given, expected, unchecked):
    with pytest.raises((ValueError, TypeError)) as caught:
        fw.MLP.equal_width(*arguments)
    assert_one_sentence(str(caught.value), given, expected)
