"""Every argument that cannot be used gets one sentence that names it."""

import sys

import numpy as np
import pytest

import finitewidth as fw

X = np.ones((3, 4))
Y = np.ones(3)
NET = fw.MLP(4, [5], activation="tanh")


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def centred(z):
    return z - z.mean()


def by_place(z):
    return z * (1 + np.arange(z.shape[-1]) % 2)


def own(function):
    return fw.MLP(4, [5], activation=function, activation_derivatives=(np.cos,))


BAD = {
    "no net": ({"net": 3}, TypeError, "expected a finitewidth.MLP"),
    "X": ({"X": np.ones((3, 5))}, ValueError, r"X has shape \(3, 5\), expected \[B, 4\]"),
    "X nan": ({"X": X * np.nan}, ValueError, "X contains nan"),
    "probe": ({"probe": np.ones((3, 5))}, ValueError, r"probe has shape \(3, 5\)"),
    "y": ({"y": np.ones(4)}, ValueError, r"y has shape \[4\], expected \[3, 1\] or \[3\]"),
    "y of several outputs": (
        {"net": fw.MLP(4, [5], n_out=2)}, ValueError, r"y has shape \[3\], expected \[3, 2\]: 2",
    ),
    "rate": ({"learning_rate": 0.0}, ValueError, "learning_rate is 0, expected a finite number"),
    "steps": ({"steps": -1}, ValueError, "steps is -1, expected a whole number of at least 0"),
    "size": ({"size": 1.5}, TypeError, "size is 1.5, expected a whole number"),
    "momentum": ({"momentum": 1.0}, ValueError, "momentum is 1, expected .* and below 1"),
    "decay": ({"weight_decay": -1.0}, ValueError, "weight_decay is -1, expected .* at least 0"),
    "batch": ({"batch_size": 0}, ValueError, "batch_size is 0"),
    "record": ({"record": ("kernel",)}, ValueError, "record contains 'kernel', expected names"),
    "record word": ({"record": "kernels"}, TypeError, "expected a tuple of names"),
    "method": ({"method": "sparse"}, ValueError, "method is 'sparse', expected one of auto"),
    "weights": (
        {"net": fw.MLP(4, [5], weight_law="laplace"), "method": "deferred"}, ValueError,
        "only Gaussian weights need not be drawn in full",
    ),
    "softmax": ({"net": own(softmax)}, ValueError, "activation 'softmax' is not elementwise"),
    "centred": ({"net": own(centred)}, ValueError, "activation 'centred' is not elementwise"),
    "by place": ({"net": own(by_place)}, ValueError, "activation 'by_place' is not elementwise"),
    "derivative": (
        {"net": fw.MLP(4, [5], activation=np.sin, activation_derivatives=(softmax,))}, ValueError,
        "derivative of 'sin' is not elementwise",
    ),
    "no derivative": (
        {"net": fw.MLP(4, [5], activation=np.sin)}, ValueError, "without its derivative",
    ),
    "parametrization": ({"parametrization": "sp"}, ValueError, "expected one of ntk, standard"),
    "residual": (
        {"net": fw.MLP(4, [5, 6], residual=(1.0, 1.0))}, ValueError, "equal hidden widths",
    ),
    "device": ({"device": "abacus"}, RuntimeError, 'use device="cpu"'),
    "budget": ({"memory_budget": 0}, ValueError, "memory_budget is 0"),
    "folder": ({"store": "/nowhere/run"}, ValueError, "there is no folder /nowhere"),
    "progress": ({"progress": 3}, TypeError, "progress is 3"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used(name, unchecked):
    asked, error, match = BAD[name]
    arguments = {"net": NET, "X": X, "y": Y, "learning_rate": 0.1, "steps": 1} | asked
    with pytest.raises(error, match=match):
        fw.simulate.train(**arguments)


def test_a_function_of_its_own_entry_alone_is_not_refused():
    def bent(z):
        return np.where(z > 1.3, z, 0.2 * z**2)

    def slope(z):
        return np.where(z > 1.3, 1.0, 0.4 * z)

    net = fw.MLP(4, [5], activation=bent, activation_derivatives=(slope,))
    assert fw.simulate.train(net, X, Y, 0.01, 1).steps_done == 1


def test_without_pytorch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(RuntimeError, match=r"install finitewidth\[torch\]"):
        fw.simulate.train(NET, X, Y, 0.1, 1)
