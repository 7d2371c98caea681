"""Inputs for training: their scale, and the digits' targets."""

import numpy as np
import pytest

from finitewidth.data import training_set, unit_inputs


def test_the_digits_are_scaled_and_even_or_odd() -> None:
    data = training_set("digits", 4)
    assert data.y is not None
    assert np.mean((data.X**2).sum(axis=1)) == pytest.approx(64)
    assert data.y.tolist() == [1, -1, 1, -1]  # the digits 0, 1, 2, 3


def test_one_factor_for_all_inputs() -> None:
    X = np.arange(1.0, 13.0).reshape(2, 3, 2)
    scaled = unit_inputs(X)
    assert scaled.shape == (2, 6)
    assert np.mean((scaled**2).sum(axis=1)) == pytest.approx(6)
    np.testing.assert_allclose(scaled / X.reshape(2, 6), scaled[0, 0])
    with pytest.raises(ValueError, match=r"mean \|x\|² = 0"):
        unit_inputs(np.zeros((2, 3)))


def test_targets_are_needed(tmp_path) -> None:
    np.savez(tmp_path / "no.npz", X=np.ones((2, 3)))
    with pytest.raises(ValueError, match="no targets y"):
        training_set(str(tmp_path / "no.npz"), 2)
