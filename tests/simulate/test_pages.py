"""Ensembles and first steps show their averages with errors."""

import json

import numpy as np

import finitewidth as fw

NET, X = fw.MLP(3, [8]), np.eye(3)


def test_an_ensemble_shows_its_averages() -> None:
    drawn = fw.simulate.ensemble(NET, X, 200, seed=2)
    mean, second = drawn.mean(), drawn.dispersion()
    found = json.loads(drawn.to_json())
    assert found["results"]["mean_kernel"]["value"] == mean.value.tolist()
    assert found["results"]["dispersion"]["std_error"] == second.std_error.tolist()
    assert found["inputs"] == {"inputs": 3, "seed": 2, "size": 200}
    shown = fw.Estimate(mean.value[1, 1], mean.std_error[1, 1], 200, "dense")
    assert f"| 1 | {shown} |" in drawn.markdown()
    assert drawn.page().title.endswith("at the first input")


def test_a_step_shows_its_change() -> None:
    step = fw.simulate.first_step(NET, X[0], 0.0, 0.1, 300, seed=3)
    found = json.loads(step.to_json())
    assert found["results"]["mean_change"]["value"] == step.mean_change().value.tolist()
    assert found["inputs"]["learning_rate"] == 0.1
    assert step.page().title.startswith("E ΔK = ")
    assert "a real step, η = 0.1" in step.markdown()


def test_one_network_and_two() -> None:
    alone = fw.simulate.ensemble(NET, X, 1)
    assert "no average" in alone.page().title
    assert json.loads(alone.to_json())["results"] == {}
    two = json.loads(fw.simulate.ensemble(NET, X, 2).to_json())["results"]
    assert "mean_kernel" in two  # a variance's error takes three
    assert "variance" not in two
