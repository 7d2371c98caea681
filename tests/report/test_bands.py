"""Bands of quantiles, and plots below one another that share a legend."""

import numpy as np
import pytest
from matplotlib.collections import PolyCollection

from finitewidth.report import Band, Curve, Page, Panels, Plot, Provenance, Section

X = [0, 1, 2]
LOW, MIDDLE, HIGH = [1.0, 0.8, 0.5], [1.0, 0.9, 0.7], [1.0, 1.1, 1.3]


def band(label: str = "mup, 10–90 %") -> Band:
    return Band(label, X, LOW, MIDDLE, HIGH)


def plot(title: str = "Loss", *series, **changes) -> Plot:
    return Plot(title, "It falls.", "step", title.lower(), series or [band()], **changes)


def test_a_band_draws_its_quantiles() -> None:
    figure = plot("Loss", band(), band("ntk")).figure()
    (axes,) = figure.axes
    lines = {line.get_label(): line for line in axes.get_lines()}
    np.testing.assert_array_equal(lines["mup, 10–90 %"].get_ydata(), MIDDLE)
    filled = [one for one in axes.collections if isinstance(one, PolyCollection)]
    assert len(filled) == 2
    corners = {tuple(corner) for corner in np.asarray(filled[0].get_paths()[0].vertices).tolist()}
    assert {(x, y) for x, y in zip(X, LOW, strict=True)} <= corners
    assert {(x, y) for x, y in zip(X, HIGH, strict=True)} <= corners
    assert lines["mup, 10–90 %"].get_linestyle() != lines["ntk"].get_linestyle()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["mup, 10–90 %", "ntk"]


def test_bands_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match=r"band of 'a' is 0.8, 0.9, 0.7 at place 1"):
        Band("a", X, LOW, MIDDLE, [1.0, 0.7, 1.3])
    with pytest.raises(ValueError, match=r"band of 'a' is 1.2, 1, 1 at place 0"):
        Band("a", X, [1.2, 0.8, 0.5], MIDDLE, HIGH)
    with pytest.raises(ValueError, match="low has 2"):
        Band("a", X, LOW[:2], MIDDLE, HIGH)
    with pytest.raises(ValueError, match="holds -1"):
        plot("Loss", Band("a", X, [-1.0, 0.5, 0.5], MIDDLE, HIGH), log_y=True)


def test_panels_share_one_legend_and_one_file(tmp_path) -> None:
    panels = Panels("Training", "Two quantities.", [plot("Loss"), plot("Kernel", log_y=True)])
    figure = panels.figure()
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "kernel"]
    assert len(figure.legends) == 1
    figure.draw_without_rendering()
    upper, lower = (axes.get_window_extent() for axes in figure.axes)
    assert upper.y0 > lower.y1
    assert figure.legends[0].get_window_extent().y0 >= upper.y1
    assert panels.save(tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    assert panels.save(tmp_path / "a.svg").read_bytes() == panels.save(
        tmp_path / "b.svg"
    ).read_bytes()  # fmt: skip
    with pytest.raises(ValueError, match=r"expected a name ending in .png or .svg"):
        panels.save(tmp_path / "a.pdf")
    page = Page("T", ["Lead."], [Section("S", [panels])], Provenance.now(0))
    assert "Two quantities." in page.html()
    law = Curve("law", X, MIDDLE)
    Panels("T", "A theory above.", [plot("Kernel", band(), law), plot("Loss")])
    assert page.html().count("<svg") == 1


def test_panels_of_different_things_are_refused() -> None:
    other = plot("Kernel", Curve("theory", X, MIDDLE))
    with pytest.raises(ValueError, match="panels share one legend"):
        Panels("Training", "Two quantities.", [plot("Loss"), other])
    with pytest.raises(ValueError, match="plots of the panels 'Training' is empty"):
        Panels("Training", "None.", [])
