"""Small networks that between them use every feature the simulation covers."""

import numpy as np

import finitewidth as fw
from finitewidth.network import activations


def softplus(z: np.ndarray) -> np.ndarray:
    return np.log1p(np.exp(z))


def _logistic(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def _logistic_slope(z: np.ndarray) -> np.ndarray:
    return _logistic(z) * (1 - _logistic(z))


def _net(*widths: int, **fields: object) -> fw.MLP:
    return fw.MLP(n_in=3, widths=widths, **fields)  # type: ignore[arg-type]


NETS = {
    "relu": _net(4, 3, 5),
    "relu without biases": _net(4, 3, bias=False),
    "relu, biases slow": _net(4, 3, bias_lr=0.3),
    "relu, biases frozen": _net(4, 3, bias_lr=0.0),
    "relu, random biases": _net(4, 3, bias_variance=0.4),
    "relu, gains": _net(4, 3, hidden_gain=1.3, output_gain=2.4),
    "relu, uniform weights": _net(4, 3, weight_law="uniform"),
    "relu, heavy weights": _net(4, 3, weight_law="student_t:5"),
    "relu, standard": _net(4, 3, 5, parametrization="standard"),
    "relu, residual": _net(4, 4, 4, residual=(0.6, 0.9), bias_variance=0.2),
    "leaky": _net(4, 3, activation="leaky_relu", negative_slope=0.1),
    "abs": _net(4, 3, activation="abs"),
    "abs, residual, standard": _net(
        3, 3, 3, activation="abs", residual=(-0.7, 1.1), parametrization="standard"
    ),
    "identity": _net(4, 3, activation="identity"),
    "tanh": _net(4, 3, 5, activation="tanh", bias_variance=0.3),
    "tanh, residual, standard": _net(
        4, 4, 4, activation="tanh", residual=(0.5, 0.8), bias_lr=0.7, parametrization="standard"
    ),
    "erf": _net(4, 3, activation="erf"),
    "sin": _net(4, 3, activation="sin"),
    "gelu": _net(4, 3, activation="gelu"),
    "silu": _net(4, 3, activation="silu"),
    "softplus": _net(
        4, 3, activation=softplus, activation_derivatives=(_logistic, _logistic_slope)
    ),
    "one neuron a layer": _net(1, 1, 1),
    "no hidden layer": _net(),
}
# Every activation of the package has a case, one that is added later too.
NETS |= {
    name: _net(4, 3, activation=name, negative_slope=0.1)
    for name in activations.NAMES
    if name not in {net.act.name for net in NETS.values()}
}
X = np.array([[0.7, -1.1, 0.4], [0.3, 1.2, -0.4]])
Y = np.array([0.5, -0.8])
