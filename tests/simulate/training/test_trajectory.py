"""What follows from a run's record, and what its page shows where something was not recorded."""

import json

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.data import training_set


def test_networks_without_features_have_not_moved() -> None:
    data = training_set("digits", 2)
    assert data.y is not None
    trained = fw.simulate.train(fw.MLP(64, [1, 1]), data.X, data.y, 0.01, 2, 40, 0, "dense")
    dead = trained.features[:, 0, -1].sum(axis=(1, 2)) == 0
    assert 0 < dead.sum() < 40
    assert (trained.features_moved[dead] == 0).all()
    last = trained.features[~dead, :, -1]
    moved = np.sqrt(((last[:, 1] - last[:, 0]) ** 2).sum(axis=(1, 2)))
    start = np.sqrt((last[:, 0] ** 2).sum(axis=(1, 2)))
    np.testing.assert_allclose(trained.features_moved[~dead, 1], moved / start)


def test_a_page_shows_what_was_recorded() -> None:
    X, y = np.random.default_rng(0).standard_normal((3, 4)), [1.0, -1.0, 0.5]
    whole = fw.simulate.train(fw.MLP(4, [6]), X, y, 0.01, 2, size=3, seed=5)
    found = json.loads(whole.to_json())
    assert set(found["results"]) == {"loss", "kernel_moved", "features_moved", "alignment"}
    np.testing.assert_array_equal(found["results"]["loss"]["value"], whole.loss)
    assert found["inputs"]["seed"] == 5
    assert "features of the last hidden layer have moved by" in whole.page().title
    loss = fw.simulate.train(fw.MLP(4, [6]), X, y, 0.01, 2, record=())
    assert list(loss.curves) == ["loss"]
    assert f"from {loss.loss[0, 0]:.4g} to {loss.loss[0, 2]:.4g}" in loss.page().title
    with pytest.raises(ValueError, match="features were not recorded"):
        _ = loss.features_moved
