"""What a figure draws and the files it becomes."""

import re
import subprocess
import sys
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import StepPatch

import finitewidth as fw
from finitewidth.report import Curve, Plot, Points, Steps, style
from finitewidth.report.drawing import plain

X = [1, 2, 4, 8]


def plot(**changes) -> Plot:
    fields = {
        "title": "Randomness",
        "sentence": "It grows.",
        "x_label": "hidden layers",
        "y_label": "dispersion",
        "series": [
            Curve("theory", X, [1.1, 1.2, 1.5, 2.5]),
            Curve("limit", X, [1.2, 1.3, 1.6, 2.7]),
            Points("networks", X, [1.1, 1.25, 1.4, 2.0], [0.01, 0.02, 0.1, 0.5]),
        ],
        **changes,
    }
    return Plot(**fields)


def bars(axes):
    """Value and half height of every error bar."""
    found = []
    for container in axes.containers:
        for (x, low), (_, high) in container[2][0].get_segments():
            found.append((x, (low + high) / 2, (high - low) / 2))
    return np.array(found)


def boxes(figure):
    """Boxes of the axes' labels, of the legend and of the drawing area."""
    figure.draw_without_rendering()
    (axes,) = figure.axes
    return {
        "x": axes.xaxis.label.get_window_extent(),
        "y": axes.yaxis.label.get_window_extent(),
        "legend": figure.legends[0].get_window_extent(),
        "axes": axes.get_window_extent(),
    }


def test_points_carry_their_error_bars_and_curves_their_numbers():
    (axes,) = plot().figure().axes
    np.testing.assert_allclose(
        bars(axes), [[1, 1.1, 0.01], [2, 1.25, 0.02], [4, 1.4, 0.1], [8, 2.0, 0.5]], rtol=1e-12
    )
    lines = {line.get_label(): line for line in axes.get_lines()}
    np.testing.assert_array_equal(lines["theory"].get_ydata(), [1.1, 1.2, 1.5, 2.5])


def test_axes_and_legend_are_labelled():
    figure = plot().figure()
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("hidden layers", "dispersion")
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["theory", "limit", "networks"]


def test_series_differ_without_colour():
    series = [Curve(f"c{k}", X, X, marked=True) for k in range(6)]
    (axes,) = plot(series=series).figure().axes
    lines = axes.get_lines()
    assert len({str(line.get_marker()) for line in lines}) == 6
    assert len({str(dashes) for dashes in style.DASHES}) == 6
    svgs = {plot(series=[Curve("c", X, X)] * k + [Curve("d", X, X)]).svg() for k in range(6)}
    strokes = [sorted(set(re.findall(r"stroke-dasharray: ([\d., ]+)", svg))) for svg in svgs]
    assert len({str(found) for found in strokes}) == 6


def test_colours_can_be_read_on_white():
    """Contrast of 3 to 1 with white, as WCAG 2.2 asks for graphics, but for the last."""

    def linear(c):
        return c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4

    for colour in style.COLOURS[:5]:
        r, g, b = (linear(c) for c in to_rgb(colour))
        assert 1.05 / (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05) >= 3.0, colour


def test_untrusted_points_are_hollow_and_said_to_be():
    estimates = [
        fw.Estimate(1.1, 0.1, 9, "dense"),
        fw.Estimate(np.array([2.0]), np.array([0.3]), 9, "dense", trusted=False, note="tails."),
    ]
    figure = plot(series=[Points.of("networks", [1, 2], estimates)]).figure()
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["networks", "networks (not trusted)"]
    full, hollow = (container[0] for container in figure.axes[0].containers)
    assert full.get_markerfacecolor() == full.get_color()
    assert hollow.get_markerfacecolor() == "white"
    np.testing.assert_array_equal(hollow.get_xdata(), [2])


def test_a_histogram_keeps_its_bins():
    steps = Steps("K", [0.1, 1.0, 10.0], [30.0, 70.0])
    (axes,) = plot(series=[steps], log_x=True, from_zero=True).figure().axes
    (patch,) = axes.patches
    assert isinstance(patch, StepPatch)
    heights, edges, _ = patch.get_data()
    np.testing.assert_array_equal(heights, [30.0, 70.0])
    np.testing.assert_array_equal(edges, [0.1, 1.0, 10.0])
    assert axes.get_ylim()[0] == 0.0


def test_long_labels_break_and_nothing_overlaps():
    long = "relative change of the kernel over the first step, activation pattern frozen"
    series = [Curve(f"a rather long name of a series, {k}", X, X) for k in range(4)]
    figure = plot(series=series, x_label=f"{long}, {long}", y_label=long).figure()
    found = boxes(figure)
    assert found["y"].height <= found["axes"].height
    assert found["x"].width <= found["axes"].width
    assert found["legend"].width <= figure.bbox.width
    assert found["legend"].y0 >= max(found["axes"].y1, found["y"].y1) - 1  # one pixel: rounding
    assert "\n" in figure.axes[0].get_ylabel()


def test_short_labels_stay_whole():
    figure = plot(y_label="E K²/(E K)²").figure()
    assert figure.axes[0].get_ylabel() == "E K²/(E K)²"


@pytest.mark.parametrize(
    ("top", "expected"),
    [
        (30.0, ["1", "2", "5", "10", "20"]),
        (3e4, ["1", "10", "100", "1000", "10000"]),
        (2.0, ["1.2", "1.4", "1.6", "1.8", "2"]),
    ],
)
def test_logarithmic_axes_show_plain_numbers(top, expected):
    series = [Curve("c", X, [1.1, 1.2, 1.5, top])]
    figure = plot(series=series, log_x=True, log_y=True, x_ticks=X).figure()
    figure.draw_without_rendering()
    (axes,) = figure.axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert [text.get_text() for text in axes.get_xticklabels()] == ["1", "2", "4", "8"]
    low, high = axes.get_ylim()
    labels = axes.get_yticklabels()
    assert [t.get_text() for t in labels if low <= t.get_position()[1] <= high] == expected


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (0.02, "0.02"), (-5.0, "−5"), (1e5, "10⁵"), (2e-6, "2×10⁻⁶"), (-1e7, "−10⁷")],
)
def test_ticks_are_plain_text(value, shown):
    assert plain(value) == shown


def test_the_callers_settings_are_left_alone_and_do_not_reach_the_figure():
    expected = plot().svg()
    mine: Any = {"font.size": 31.0, "axes.labelsize": 41.0, "xtick.labelsize": 30.0}
    with mpl.rc_context(mine):
        before = dict(mpl.rcParams)
        assert plot().svg() == expected
        assert dict(mpl.rcParams) == before


def test_no_pyplot():
    program = (
        "import sys; from finitewidth.report import Curve, Plot; "
        "Plot('t', 's', 'x', 'y', [Curve('c', [1, 2], [1, 2])]).svg(); "
        "print('matplotlib' in sys.modules, 'matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["True", "False"], done.stderr


def test_importing_the_report_loads_neither_extra():
    program = (
        "import sys, finitewidth.report; "
        "print('matplotlib' in sys.modules, 'jinja2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"], done.stderr


def test_the_same_plot_is_the_same_bytes(tmp_path):
    assert plot().svg("f-") == plot().svg("f-")
    for ending in ("svg", "png"):
        first = plot().save(tmp_path / f"a.{ending}").read_bytes()
        assert first == plot().save(tmp_path / f"b.{ending}").read_bytes()
        assert len(first) > 1000


def test_no_date_and_no_version_in_the_files(tmp_path):
    for ending in ("svg", "png"):
        content = plot().save(tmp_path / f"a.{ending}").read_bytes()
        assert b"<dc:date" not in content
        assert b"Matplotlib" not in content.replace(b"Created with matplotlib", b"")


def test_the_svg_is_one_element_without_rules_for_the_page():
    svg = plot().svg("f-")
    root = ElementTree.fromstring(svg)
    assert root.tag == "svg"
    assert root.get("role") == "img"
    assert root.get("aria-label") == "Randomness"
    assert root.get("width") is None, "the page decides"
    assert not {"style", "metadata", "script", "image"} & {element.tag for element in root.iter()}


def test_ids_are_prefixed_and_every_reference_has_its_target():
    svg = plot().svg("f-")
    ids = re.findall(r'\bid="([^"]+)"', svg)
    assert len(ids) == len(set(ids)) > 10
    assert all(one.startswith("f-") for one in ids)
    used = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', svg))
    targets = {first or second for first, second in used}
    assert len(targets) > 5
    assert targets <= set(ids)


def test_the_label_is_escaped():
    root = ElementTree.fromstring(plot(title='a<b & "c"').svg())
    assert root.get("aria-label") == 'a<b & "c"'


@pytest.mark.parametrize(
    ("make", "kind", "says"),
    [
        (lambda: plot(sentence=" "), ValueError, "sentence of the plot 'Randomness' is empty"),
        (lambda: plot(y_label=""), ValueError, "y_label .* is empty"),
        (lambda: plot(series=[]), ValueError, "has no series"),
        (lambda: plot(series=["x"]), TypeError, "is a str, expected Curve, Points, Band or Steps"),
        (
            lambda: plot(series=[Curve("c", [1], [-1.0])], log_y=True),
            ValueError,
            "'c' holds -1, which a logarithmic axis cannot show",
        ),
        (lambda: plot(log_y=True, from_zero=True), ValueError, "a logarithmic axis has no 0"),
        (lambda: Curve("c", [1, 2], [1]), ValueError, "'c' differ in length"),
        (lambda: Curve("c", [1], [np.inf]), ValueError, r"y\[0\] of 'c' is inf"),
        (lambda: Curve("c", [], []), ValueError, r"x of 'c' has shape \(0,\)"),
        (lambda: Curve("c", ["a"], [1]), TypeError, "x of 'c' holds no numbers"),
        (lambda: Points("p", [1], [1], [-1]), ValueError, "std_error of 'p' holds -1"),
        (lambda: Points("p", [1], [1], [1], [True, False]), ValueError, "trusted has 2"),
        (lambda: Steps("s", [1, 2], [1, 1]), ValueError, "2 heights and 2 edges"),
        (lambda: Steps("s", [2, 1], [1]), ValueError, "in increasing order"),
        (
            lambda: Points.of("p", [1], [fw.Estimate(np.ones(2), np.ones(2), 3, "dense")]),
            ValueError,
            r"an Estimate of 'p' has shape \(2,\)",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_sentence(unchecked, make, kind, says):
    with pytest.raises(kind, match=says):
        make()


def test_other_endings_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"expected a name ending in \.png or \.svg"):
        plot().save(tmp_path / "a.pdf")
