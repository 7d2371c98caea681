"""`KernelLaw.step`: one object with both parts of the mean, the variance and the figure."""

import json
from typing import Any

import pytest

import finitewidth as fw

LAW = fw.KernelLaw(fw.MLP(10, [32]))


def test_the_first_sentence_and_the_numbers_are_those_of_the_law() -> None:
    step = LAW.step(0.03, 0.5, seed=2)
    change, frozen = LAW.step_mean(0.03, 0.5).value / LAW.mean(), LAW.update_mean(0.03) / LAW.mean()
    assert (
        f"changes K by {change:.6g} E K on average, of which {frozen:.4g} " in step.page().lead[0]
    )
    document = json.loads(step.to_json())
    assert document["results"]["frozen_mean"]["value"] == LAW.update_mean(0.03)
    assert (document["inputs"]["target"], document["inputs"]["seed"]) == (0.5, 2)
    assert document["network"]["n_in"] == 10


def test_a_notebook_shows_the_tables() -> None:
    html = LAW.step(0.03)._repr_html_()
    for part in ("pattern frozen", "Variance of ΔK over seeds", "jumps"):
        assert part in html


def test_the_figure_is_computed_once_and_only_when_it_is_drawn() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib (report extra) is absent")
    asked, seen = [], []

    def simulated(*arguments: Any) -> tuple[fw.Estimate, fw.Estimate]:
        asked.append(arguments)
        return fw.Estimate(-0.3, 0.01, 200, "dense"), fw.Estimate(-0.2, 0.01, 200, "dense")

    step = LAW.step(0.03, simulated=simulated)
    step.markdown()
    assert not asked
    step.against_width(lambda done, widths: seen.append((done, widths)))
    assert seen == [(done, 7) for done in range(1, 8)]
    widths = len(asked)
    step.plot()
    step.html()
    assert len(asked) == widths > 0
    assert asked[0][2:4] == (0.0, 0.03)


def test_a_missing_rate_is_suggested() -> None:
    with pytest.raises(ValueError, match=r"learning rate is missing; give one, e.g. 0.03 "):
        LAW.step()
