"""Smooth activations have no crossing term; a smoothed ReLU has it when the step is the larger.

GELU: the excess of a finite step over its derivative is of second order in the rate. Smoothed
ReLU: by steps of 100,000 networks against an integral over the smoothed corner.
"""

import numpy as np
import pytest

import finitewidth as fw
from tests.confront.smoothed import predicted, simulate

X = np.ones(10)


def excess(activation: str, rate: float, size: int) -> tuple[float, float]:
    """Mean and standard error of (ΔK − first order)/λ: 10-100-1, target 0, the same networks."""
    net = fw.MLP(10, [100], activation)
    step = fw.simulate.first_step(net, X, 0.0, rate, size=size, seed=11)
    values = np.ravel(step.after - step.before - step.first_order) / rate
    return float(values.mean()), float(values.std()) / size**0.5


def test_gelu_has_no_crossing_term():
    """At rates .02 and .005 the excess falls with the rate and stays below a fiftieth of ReLU's.

    One comparison with 4.9 errors each; ReLU's own excess on the same draws is the sabotage.
    """
    term = -fw.KernelLaw(fw.MLP(10, [100])).crossing_mean().value
    rates, found = (0.02, 0.005), {}
    for activation in ("gelu", "relu"):
        found[activation] = [excess(activation, rate, 20_000) for rate in rates]
    (large, large_error), (small, small_error) = found["gelu"]
    assert abs(large) + 4.9 * large_error < term / 10
    assert abs(small) + 4.9 * small_error < term / 50
    assert small == pytest.approx(large / 4, rel=0.1)  # the next order is λ relative
    for value, error in found["relu"]:
        assert abs(value + term) < 4.9 * error + 0.03 * term  # its own next order, λ²
        assert abs(value) - 4.9 * error > term / 10


@pytest.mark.parametrize("epsilon", [0.01, 0.03, 0.1])
def test_a_sharpened_relu(epsilon):
    """9 comparisons at 5.3 errors, false alarm 1e-6; the ReLU's term and 0 are both rejected.

    The derivative at rate 0 is the ReLU's frozen one to O(ε).
    """
    law, rates = fw.KernelLaw(fw.MLP(10, [100])), (0.03, 0.1, 0.3)
    seen = simulate(epsilon, rates, 100, 60_000, 4)
    want = [predicted(epsilon, rate, 100) for rate in rates]
    assert np.all(np.abs(seen.excess - want) < 5.3 * seen.excess_error)
    assert abs(seen.excess[0] - law.crossing_mean().value) > 9.6 * seen.excess_error[0]
    assert abs(seen.excess[0]) > 9.6 * seen.excess_error[0]
    slack = 5.3 * seen.derivative_error + epsilon * abs(law.update_mean())
    assert abs(seen.derivative - law.update_mean()) < slack


def test_relu_itself_in_the_same_simulation():
    law, rates = fw.KernelLaw(fw.MLP(10, [100])), (0.03, 0.1)
    seen = simulate(0.0, rates, 100, 60_000, 4)
    assert np.all(np.abs(seen.excess - law.crossing_mean().value) < 5.3 * seen.excess_error)
    assert abs(seen.derivative - law.update_mean()) < 5.3 * seen.derivative_error


def test_the_order_of_the_limits():
    """Small steps first: nothing. Small ε first: the ReLU's term."""
    term = fw.KernelLaw(fw.MLP(10, [100])).crossing_mean().value
    assert abs(predicted(0.1, 1e-4, 100)) < 1e-3 * abs(term)
    assert predicted(1e-3, 0.3, 100) == pytest.approx(term, rel=0.03)  # O(ε/λ) is left
