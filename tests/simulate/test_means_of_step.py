"""`step_means`: the means of two ensembles of steps on the same networks."""

import numpy as np
import pytest

import finitewidth as fw


def test_they_are_the_means_of_first_step() -> None:
    net, x = fw.MLP(3, [8, 8]), np.array([1.0, -0.5, 2.0])
    crossing, frozen = fw.simulate.step_means(net, x, 0.5, 0.1, 300, 4)
    real = fw.simulate.first_step(net, x, [0.5], 0.1, size=300, seed=4)
    kept = fw.simulate.first_step(net, x, [0.5], 0.1, size=300, seed=4, pattern="frozen")
    for found, change in ((crossing, real.after - kept.after), (frozen, real.first_order)):
        values = change.ravel() / 0.1
        assert found.value == pytest.approx(values.mean(), rel=1e-12)
        assert found.std_error == pytest.approx(values.std(ddof=1) / 300**0.5, rel=1e-12)
        assert (found.size, found.method) == (300, "dense")
    assert crossing.value != frozen.value


def test_a_smooth_activation_has_no_frozen_pattern() -> None:
    with pytest.raises(ValueError, match="frozen"):
        fw.simulate.step_means(fw.MLP(3, [8], "tanh"), np.ones(3), 0.0, 0.1, 10)
