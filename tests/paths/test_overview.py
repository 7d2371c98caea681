"""The sums over paths show themselves."""

import json

import pytest

import finitewidth as fw
from finitewidth.paths.figure import PathFigure

NET = fw.MLP(2, [2, 3, 2])


def test_the_page_has_the_figure_that_was_asked_for() -> None:
    (shares,) = fw.paths.Overview(NET).page().drawings()
    assert isinstance(shares, fw.report.Plot)
    assert [one.label for one in shares.series] == ["E K²", "E ΔK"]
    for asked, title in (
        (fw.paths.Overview(NET, figure=1), "No loop"),
        (fw.paths.Overview(NET, figure=2), "One loop"),
        (fw.paths.Overview(NET, sample="cross", seed=3), "Four paths of E K_b K_w"),
    ):
        (figure,) = asked.page().drawings()
        assert isinstance(figure, PathFigure)
        assert figure.title.startswith(title)
    with pytest.raises(ValueError, match="figure is 1 with sample cross, expected 1 or 2 alone"):
        fw.paths.Overview(NET, figure=1, sample="cross")


def test_loops_are_shown_when_they_are_asked_for() -> None:
    without, shown = fw.paths.Overview(NET), fw.paths.Overview(NET, show_loops=True)
    assert "of E K² at depth 4 is carried by" in shown.markdown()
    assert "loops" not in without.markdown()
    kernel = fw.paths.loops(NET, quantity="kernel_squared")
    results = json.loads(shown.to_json())["results"]
    assert results["kernel_squared_mean_loops"]["value"] == kernel.mean_loops
    assert "kernel_squared_mean_loops" not in without.to_json()


def test_another_input_is_taken() -> None:
    x = [0.5, -2.0]
    results = json.loads(fw.paths.Overview(NET, x).to_json())["results"]
    exact = fw.KernelLaw(NET, x).moment(2, "weights")
    assert results["weights_squared"]["value"] == pytest.approx(exact, rel=1e-12)
    assert results["weights_squared_enumerated"]["value"] == pytest.approx(exact, rel=1e-12)
