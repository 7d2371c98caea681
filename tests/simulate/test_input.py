"""Bad input: one sentence that says what was given, what was expected and how to mend it."""

import numpy as np
import pytest

import finitewidth as fw
from finitewidth import simulate
from finitewidth.network import GivenMoments
from tests.simulate import cases

NET = cases.NETS["relu"]


BAD = {
    "no network": (TypeError, {"net": 3}, "net is a int, expected a finitewidth.MLP"),
    "outputs": (ValueError, {"net": fw.MLP(n_in=3, n_out=2)}, "n_out is 2.*use n_out=1"),
    "residual widths": (
        ValueError,
        {"net": fw.MLP(n_in=3, widths=[4, 5], residual=(1.0, 1.0))},
        "residual connections need equal hidden widths.*equal_width",
    ),
    "law without sampler": (
        ValueError,
        {"net": fw.MLP(n_in=3, widths=[4], weight_law=GivenMoments({4: 2.0}))},
        "cannot be drawn from; simulate with",
    ),
    "no derivative": (
        ValueError,
        {"net": fw.MLP(n_in=3, widths=[4], activation=cases.softplus)},
        "without its derivative; add activation_derivatives",
    ),
    "not elementwise": (
        ValueError,
        {"net": fw.MLP(n_in=3, widths=[4], activation=np.ravel, activation_derivatives=(np.cos,))},
        r"turned a float64 array of shape \(1, 3\) into float64 of shape \(3,\).*elementwise",
    ),
    "X length": (ValueError, {"X": np.ones((2, 4))}, r"X has shape \(2, 4\), expected \[B, 3\]"),
    "X dimensions": (ValueError, {"X": np.ones((1, 2, 3))}, r"X has shape \(1, 2, 3\)"),
    "X empty": (ValueError, {"X": np.ones((0, 3))}, r"X has shape \(0, 3\)"),
    "X nan": (ValueError, {"X": np.array([1, np.nan, 0])}, "X contains nan or inf"),
    "X inf": (ValueError, {"X": np.array([1, np.inf, 0])}, "X contains nan or inf"),
    "X text": (TypeError, {"X": ["a", "b", "c"]}, "X holds <U1, expected real numbers"),
    "X complex": (TypeError, {"X": np.ones(3) * 1j}, "X holds complex128"),
    "size 0": (ValueError, {"size": 0}, "size is 0, expected a whole number of at least 1"),
    "size float": (TypeError, {"size": 10.0}, "size is 10.0, expected a whole number"),
    "seed": (ValueError, {"seed": -1}, "seed is -1, expected a whole number of at least 0"),
    "budget": (ValueError, {"memory_budget": 0}, "memory_budget is 0, expected a whole number"),
    "progress": (TypeError, {"progress": "yes"}, "progress is 'yes', expected True, False or"),
}
FOR_ENSEMBLE = {
    "deferred": (
        ValueError,
        {"net": cases.NETS["relu, uniform weights"], "method": "deferred"},
        "only Gaussian weights need not be drawn in full",
    ),
    "method": (ValueError, {"method": "torch"}, "method is 'torch', expected one of auto, dense"),
}
FOR_STEP = {
    "rate 0": (ValueError, {"learning_rate": 0}, "learning_rate is 0, expected a finite number"),
    "rate below 0": (ValueError, {"learning_rate": -1.0}, "learning_rate is -1"),
    "rate nan": (ValueError, {"learning_rate": np.nan}, "learning_rate is nan"),
    "rate text": (TypeError, {"learning_rate": "1"}, "learning_rate is '1', expected a number"),
    "y length": (ValueError, {"y": np.ones(3)}, r"y has shape \(3,\), expected \[2\]: one target"),
    "y column": (ValueError, {"y": np.ones((2, 1))}, r"y has shape \(2, 1\), expected \[2\]"),
    "y number": (ValueError, {"y": 1.0}, r"y has shape \(\), expected \[2\]"),
    "y nan": (ValueError, {"y": np.array([0, np.nan])}, "y contains nan or inf"),
    "pattern": (ValueError, {"pattern": "both"}, "pattern is 'both', expected 'real' or 'frozen'"),
    "smooth and frozen": (
        ValueError,
        {"net": cases.NETS["tanh"], "pattern": "frozen"},
        "only piecewise-linear activations have a pattern to freeze; use pattern='real'",
    ),
    "one derivative": (
        ValueError,
        {"net": fw.MLP(n_in=3, widths=[4], activation=np.sin, activation_derivatives=(np.cos,))},
        "needs the second derivative of activation 'sin'; add activation_derivatives",
    ),
}


def check(function, arguments, case):
    error, change, sentence = case
    with pytest.raises(error, match=sentence) as caught:
        function(**{**arguments, **change})
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith((".", '"dense".'))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", [*BAD, *FOR_ENSEMBLE])
def test_ensemble_refuses(name):
    arguments = {"net": NET, "X": cases.X, "size": 2, "seed": 0}
    check(simulate.ensemble, arguments, {**BAD, **FOR_ENSEMBLE}[name])


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", [*BAD, *FOR_STEP])
def test_first_step_refuses(name):
    arguments = {"net": NET, "X": cases.X, "y": cases.Y, "learning_rate": 0.1, "size": 2}
    check(simulate.first_step, arguments, {**BAD, **FOR_STEP}[name])


def test_what_is_close_to_bad_input_is_accepted():
    simulate.ensemble(NET, [1, 2, 3], np.int64(2), seed=0, method="auto")
    simulate.first_step(NET, np.ones(3, dtype=np.float32), 1, 1, 2, seed=0)
    simulate.ensemble(
        fw.MLP(n_in=3, widths=[4, 4], residual=(1.0, 1.0)), cases.X, 2, seed=0, method="dense"
    )
    only_value = fw.MLP(n_in=3, activation=cases.softplus, activation_derivatives=(np.cos,))
    simulate.first_step(only_value, cases.X, cases.Y, 0.1, 2, seed=0)
