"""The figure of a step: its curves are the library's numbers, and simulated steps lie on them."""

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.law.step.against_width import against_width
from finitewidth.report import Curve, Points


def test_the_plot_shows_both_slopes_and_points_on_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most 14 points within 5.5 errors (1e-6) of curves, which are the library's numbers."""
    monkeypatch.setattr("finitewidth.law.step.against_width.WORK", 1e7)
    law = fw.KernelLaw(fw.MLP(10, [32]))
    plot = against_width(law, 0.03, 0.0, 1, fw.simulate.step_means)
    assert plot is not None
    crossing, frozen, half, one = (each for each in plot.series if isinstance(each, Curve))
    assert np.diff(np.log(half.y)) / np.diff(np.log(half.x)) == pytest.approx(-0.5)
    assert np.diff(np.log(one.y)) / np.diff(np.log(one.x)) == pytest.approx(-1.0)
    assert 32 in crossing.x
    place = list(crossing.x).index(32)
    assert crossing.y[place] == pytest.approx(-law.crossing_mean(1.0).value, rel=1e-12)
    assert frozen.y[place] == pytest.approx(-law.update_mean(1.0), rel=1e-12)
    points = [one for one in plot.series if isinstance(one, Points)]
    assert len(points) == 2
    for seen, curve in zip(points, (crossing, frozen), strict=True):
        assert len(seen.x) >= 4
        for x, y, error, inside in zip(seen.x, seen.y, seen.std_error, seen.trusted, strict=True):
            want = curve.y[list(curve.x).index(x)]
            if inside:
                assert abs(y - want) < 5.5 * error, (seen.label, x)
    largest = points[0]
    wrong = np.array([frozen.y[list(frozen.x).index(x)] for x in largest.x])
    assert (np.abs(largest.y - wrong) > 9.6 * largest.std_error).any()


def test_without_a_simulation_there_are_curves_alone() -> None:
    plot = against_width(fw.KernelLaw(fw.MLP(10, [32])), 0.03, 0.0, 1)
    assert plot is not None
    assert {type(one) for one in plot.series} == {Curve}
    assert "Points" not in plot.sentence


def test_widths_too_narrow_for_a_target_are_left_out() -> None:
    plot = against_width(fw.KernelLaw(fw.MLP(10, [20, 20])), 0.03, 1.0, 1)
    assert plot is not None
    crossing = plot.series[0]
    assert isinstance(crossing, Curve)
    assert list(crossing.x) == [20, 40, 80, 160, 320]  # and neither 8 nor 10


def test_no_figure_where_no_crossing_changes_the_kernel() -> None:
    law = fw.KernelLaw(fw.MLP(10, [16], "identity"))
    assert against_width(law, 0.03, 0.0, 1) is None
    with pytest.raises(ValueError, match="no figure"):
        law.step(0.03).plot()
