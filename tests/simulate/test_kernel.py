"""Outputs and kernels of every network against one complex step for each parameter."""

import numpy as np
import pytest

import finitewidth as fw
from finitewidth import simulate
from tests.simulate import cases, twin

SIZE = 4


@pytest.mark.parametrize("name", cases.NETS)
def test_outputs_and_kernel_equal_the_twin(name):
    net = cases.NETS[name]
    found = simulate.ensemble(net, cases.X, SIZE, seed=3)
    for k, theta in enumerate(twin.draw(net, SIZE, seed=3)):
        np.testing.assert_allclose(
            found.outputs[k], twin.outputs(net, theta, cases.X), rtol=1e-11, atol=1e-13
        )
        np.testing.assert_allclose(
            found.kernels[k], twin.kernel(net, theta, cases.X), rtol=1e-11, atol=1e-12
        )


@pytest.mark.parametrize("name", cases.NETS)
def test_the_parts_are_the_sums_over_weights_and_over_biases(name):
    net = cases.NETS[name]
    found = simulate.ensemble(net, cases.X, SIZE, seed=4)
    rates = twin.rates(net)
    neurons = sum(layer.fan_out for layer in net.layers())
    for k, theta in enumerate(twin.draw(net, SIZE, seed=4)):
        J = twin.jacobian(net, theta, cases.X)
        weights = (J * rates)[:, :-neurons] @ J[:, :-neurons].T
        biases = (J * rates)[:, -neurons:] @ J[:, -neurons:].T
        np.testing.assert_allclose(found.weights[k], weights, rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(found.biases[k], biases, rtol=1e-11, atol=1e-12)
    if not net.trains_biases:
        assert (found.biases == 0).all()


def test_without_hidden_layer_the_weights_part_is_the_same_in_every_draw():
    net = fw.MLP(n_in=1, widths=[])
    found = simulate.ensemble(net, np.array([1.7]), 200, seed=1)
    np.testing.assert_allclose(found.weights[:, 0, 0], 1.7**2, rtol=1e-15)
    assert (found.biases == 1).all()
    assert np.ptp(found.outputs) > 1  # while the networks differ

    wide = simulate.ensemble(fw.MLP(n_in=4, widths=[]), np.arange(4.0), 50, seed=1)
    np.testing.assert_allclose(wide.weights[:, 0, 0], 14 / 4, rtol=1e-15)


@pytest.mark.parametrize("widths", [[1], [1, 1], [2, 1], [2, 2, 2]])
def test_a_dead_layer_leaves_the_output_bias_alone(widths):
    found = simulate.ensemble(fw.MLP(n_in=3, widths=widths), cases.X[0], 400, seed=2)
    dead = found.outputs[:, 0] == 0
    assert 0 < dead.sum() < 400
    assert (found.weights[dead] == 0).all()
    assert (found.biases[dead] == 1).all()
    assert (found.biases[~dead] > 1).all()


def test_an_input_of_zeros_is_allowed():
    net = fw.MLP(n_in=3, widths=[4, 4])
    found = simulate.ensemble(net, np.zeros(3), 5, seed=0)
    assert (found.outputs == 0).all()
    assert (found.weights == 0).all()
    assert (found.biases == 1).all()


def test_one_vector_is_one_input():
    net = cases.NETS["tanh"]
    one = simulate.ensemble(net, cases.X[0], 5, seed=9)
    both = simulate.ensemble(net, cases.X, 5, seed=9)
    assert one.kernels.shape == (5, 1, 1)
    np.testing.assert_allclose(one.kernels[:, 0, 0], both.kernels[:, 0, 0], rtol=1e-12)


def test_kernels_underflow_with_a_sentence_and_not_with_wrong_numbers():
    net = fw.MLP.equal_width(3, 20, 2200, hidden_gain=1.0)
    with pytest.raises(RuntimeError, match=r"pre-activations of layer .* fall below 1e-290"):
        simulate.ensemble(net, cases.X, 2, seed=0)


def test_kernels_overflow_with_a_sentence():
    net = fw.MLP.equal_width(3, 20, 700, hidden_gain=20.0)
    with pytest.raises(RuntimeError, match="network 0 has outputs or kernels beyond the range"):
        simulate.ensemble(net, cases.X, 2, seed=0)
