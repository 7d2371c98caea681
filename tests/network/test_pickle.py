"""Networks travel to other processes."""

import pickle

import numpy as np
import pytest

import finitewidth as fw

NETS = [
    fw.MLP(3, [4, 4, 5]),
    fw.MLP.equal_width(3, 7, 10**6, activation="leaky_relu", negative_slope=0.2),
    fw.MLP(3, [4], "tanh", bias_variance=0.2, residual=(0.5, 1.0), weight_law="student_t:9"),
    fw.MLP(3, [4], weight_law=fw.network.GivenMoments({4: 2, 6: 5})),
    fw.MLP(3, [4], np.sin, activation_derivatives=(np.cos,)),
]


@pytest.mark.parametrize("net", NETS, ids=str)
def test_a_network_survives_pickling(net: fw.MLP) -> None:
    again = pickle.loads(pickle.dumps(net))
    assert again == net
    assert again.runs == net.runs
    assert again.law.name == net.law.name
    z = np.array([-1.5, 0.3])
    np.testing.assert_array_equal(again.act(z), net.act(z))
    np.testing.assert_array_equal(again.act.derivative(z), net.act.derivative(z))
