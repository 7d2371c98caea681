"""How far training moves the kernel: the fits by hand, the order in the width by training."""

from math import log, sqrt

import numpy as np
import pytest

from finitewidth.estimate import Estimate
from finitewidth.reproduce import kernel_drift
from tests.reproduce.checking import FAR


def drift(a: float, b: float, error: float = 1e-3) -> kernel_drift.Drift:
    widths = np.array([16.0, 64.0, 256.0, 1024.0])
    distances = [Estimate(a / sqrt(n) + b / n, error / n, 10, "x") for n in widths]
    return kernel_drift.Drift("tanh", widths, distances, 0.0)


def test_the_fit_finds_both_powers() -> None:
    a, b, chi = drift(0.5, -2.0).fit()
    assert a.value == pytest.approx(0.5)
    assert b.value == pytest.approx(-2.0)
    assert chi == pytest.approx(0.0, abs=1e-9)
    assert a.size == 40
    # Errors by the textbook: the inverse of the normal matrix, with equal relative errors.
    widths = np.array([16.0, 64.0, 256.0, 1024.0])
    design = np.stack([np.sqrt(widths), np.ones(4)], axis=1) / 1e-3
    expected = np.sqrt(np.diag(np.linalg.inv(design.T @ design)))
    assert [a.std_error, b.std_error] == pytest.approx(list(expected))


def test_the_exponent_is_that_of_the_wider_half() -> None:
    power = drift(0.0, 3.0).exponent()
    assert power.value == pytest.approx(-1.0)
    assert power.std_error == pytest.approx(1e-3 / 3.0 * sqrt(2) / log(4))
    mixed = drift(1.0, 3.0).exponent().value
    wide = (1 / 32 + 3 / 1024) / (1 / 16 + 3 / 256)
    assert mixed == pytest.approx(log(wide) / log(4))


def test_the_task_is_the_same_in_every_run() -> None:
    inputs, targets = kernel_drift.task()
    assert (inputs**2).sum(axis=1) == pytest.approx(kernel_drift.N_IN)
    assert set(targets) == {-1.0, 1.0}
    assert (kernel_drift.task()[0] == inputs).all()


@pytest.mark.slow
def test_smooth_activations_move_as_one_over_the_width() -> None:
    """Exponent −1 within 6 errors of 0.08, found from 40 networks; −½ is rejected."""
    pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")
    found = [kernel_drift.distance("tanh", width, 40, 1) for width in (32, 128)]
    relative = [float(pair[0].std_error) / float(pair[0].value) for pair in found]
    slope = log(float(found[1][0].value) / float(found[0][0].value)) / log(4)
    error = sqrt(relative[0] ** 2 + relative[1] ** 2) / log(4)
    assert abs(slope + 1.0) < FAR * error
    assert slope + 0.5 < -4.9 * error
    assert max(pair[1] for pair in found) < 0.2  # trained: most of the loss is gone


def test_quick_run() -> None:
    pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")
    found = kernel_drift.reproduce(quick=True, seed=1, progress=None)
    for activation in kernel_drift.GAINS:
        one = found.numbers[f"{activation}, n = 32, distance"]
        other = found.numbers[f"{activation}, n = 128, distance"]
        assert isinstance(one, Estimate)
        assert isinstance(other, Estimate)
        assert one.size == 10
        assert 0 < other.value < one.value
    assert len(found.plots) == 1
