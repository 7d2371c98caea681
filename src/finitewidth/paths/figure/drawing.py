"""From `Strands` to a matplotlib figure.

Each path is a strand with a place of its own across every edge, so that paths on one edge run side
by side, in the same order everywhere.
"""

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from finitewidth._shapes import Float
from finitewidth.paths.figure.strands import Strands
from finitewidth.report import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BETWEEN = 1.9
"""Distance of layers, in units of the distance of neurons."""

RADIUS = 0.2
INCHES = 0.62
"""Inches from one neuron to the next."""

APART = 0.095
"""Distance of strands on one edge."""

SHOWN = 7
"""Neurons drawn of a wide layer, besides the ones that are visited."""

DASHES = ("-", (0, (4, 1.4)), (0, (1.1, 1.1)), (0, (5, 1.4, 1.1, 1.4)))
LOOP, MARKED, FAINT = "#e8f1f8", "#f7d774", "#9a9a9a"


def draw(drawn: Strands) -> "Figure":
    """The figure; to be called within `style.style`, which also imports matplotlib."""
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    rcParams["path.simplify"] = False  # every bend of a strand, also where it runs straight on
    assert drawn.layers is not None
    first, last = drawn.layers
    layers = range(first, last + 1)
    heights = [_heights(drawn, layer) for layer in layers]
    high = max(max(column.values()) for column in heights)
    size = (BETWEEN * (last - first) + 2.4, 2 * high + 3.6)
    figure = Figure(figsize=(size[0] * INCHES, size[1] * INCHES))
    figure.set_layout_engine("none")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(-1.2, BETWEEN * (last - first) + 1.2)
    axes.set_ylim(-high - 2.1, high + 1.5)
    _loops(axes, drawn, first, last, high)
    _layers(axes, drawn, heights, first, high)
    _marks(axes, drawn, heights, first, last)
    for path in range(len(drawn.neurons)):
        _strand(axes, drawn, heights, path, first, last)
    _ends(axes, drawn, heights, first, last)
    if drawn.title:
        axes.text(
            BETWEEN * (last - first) / 2,
            high + 1.25,
            drawn.title,
            ha="center",
            va="center",
            fontsize=11.5,
        )
    return figure


def _heights(drawn: Strands, layer: int) -> dict[int, float]:
    """The neurons of a layer that are drawn, with their heights; the first one is on top."""
    n, visited = drawn.sizes[layer], sorted({*drawn.neurons[:, layer].tolist()} - {-1})
    shown = list(range(n))
    if n > SHOWN + 1:
        spread = np.linspace(0, n - 1, SHOWN - 2).round().astype(int).tolist()
        shown = sorted({*visited, *spread})
    middle = (len(shown) - 1) / 2
    return {neuron: middle - place for place, neuron in enumerate(shown)}


def _loops(axes: "Axes", drawn: Strands, first: int, last: int, high: float) -> None:
    from matplotlib.patches import FancyBboxPatch

    for a, b in drawn.loops:
        left, right = max(a, first), min(b, last)
        if right <= left:
            continue
        x, width = BETWEEN * (left - first), BETWEEN * (right - left)
        axes.add_patch(
            FancyBboxPatch(
                (x, -high - 0.45),
                width,
                2 * high + 0.9,
                boxstyle="round,pad=0,rounding_size=0.3",
                facecolor=LOOP,
                edgecolor="none",
                zorder=0,
                gid=f"loop-{a}-{b}",
            )
        )
        axes.text(
            x + width / 2,
            high + 0.62,
            "loop",
            ha="center",
            va="center",
            fontsize=10,
            color="#2d5f8a",
        )


def _layers(
    axes: "Axes", drawn: Strands, heights: list[dict[int, float]], first: int, high: float
) -> None:
    from matplotlib.patches import Circle

    depth = len(drawn.sizes) - 1
    for place, column in enumerate(heights):
        layer, x = first + place, BETWEEN * place
        visited = {*drawn.neurons[:, layer].tolist()}
        met = layer in drawn.collisions
        numbers = sorted(column)
        for neuron, y in column.items():
            colour = "#444444" if neuron in visited else "#c4c4c4"
            axes.add_patch(
                Circle((x, y), RADIUS, facecolor="white", edgecolor=colour, linewidth=1.0, zorder=2)
            )
            if met and neuron in visited:
                axes.add_patch(
                    Circle(
                        (x, y),
                        RADIUS + 0.12,
                        facecolor="none",
                        edgecolor="black",
                        linewidth=1.6,
                        zorder=6,
                        gid=f"collision-{layer}",
                    )
                )
        for above, below in pairwise(numbers):
            if below - above > 1:  # neurons left out
                axes.text(
                    x,
                    (column[above] + column[below]) / 2,
                    "⋮",
                    ha="center",
                    va="center",
                    fontsize=9,
                    color=FAINT,
                )
        name = "input" if layer == 0 else "output" if layer == depth else f"layer {layer}"
        axes.text(x, -high - 0.85, name, ha="center", va="center", fontsize=9.5)
        axes.text(
            x,
            -high - 1.27,
            f"n = {drawn.sizes[layer]}",
            ha="center",
            va="center",
            fontsize=8.5,
            color="#555555",
        )
        if met:
            axes.text(
                x,
                -high - 1.69,
                "collision",
                ha="center",
                va="center",
                fontsize=8.5,
                fontweight="bold",
            )


def _line(
    drawn: Strands, heights: list[dict[int, float]], path: int, layer: int, first: int
) -> Float[np.ndarray, "2 2"]:
    """The strand of a path along its edge of weight layer `layer`, between the two circles."""
    ends = np.array(
        [
            (BETWEEN * (i - first), heights[i - first][int(drawn.neurons[path, i])])
            for i in (layer - 1, layer)
        ]
    )
    along = ends[1] - ends[0]
    along /= np.hypot(*along)
    across = np.array([-along[1], along[0]])
    place = (len(drawn.neurons) - 1) / 2 - path
    return np.array([ends[0] + RADIUS * along, ends[1] - RADIUS * along]) + place * APART * across


def _strand(
    axes: "Axes",
    drawn: Strands,
    heights: list[dict[int, float]],
    path: int,
    first: int,
    last: int,
) -> None:
    start = max(int((drawn.neurons[path] < 0).sum()), first)
    points = [_line(drawn, heights, path, layer, first) for layer in range(start + 1, last + 1)]
    if not points:
        return
    whole: Any = np.concatenate(points)
    axes.plot(
        *whole.T,
        color=style.COLOURS[path],
        linestyle=DASHES[path],
        linewidth=2.0,
        solid_joinstyle="round",
        dash_joinstyle="round",
        zorder=4,
        gid=f"path-{path + 1}",
    )


def _marks(
    axes: "Axes", drawn: Strands, heights: list[dict[int, float]], first: int, last: int
) -> None:
    for number, (layer, paths) in enumerate(drawn.marks, start=1):
        if not first < layer <= last:
            continue
        lines = np.array([_line(drawn, heights, path, layer, first) for path in paths])
        middle = lines.mean(axis=0)
        axes.plot(
            *middle.T,
            color=MARKED,
            linewidth=15.0,
            solid_capstyle="round",
            zorder=1,
            gid=f"mark-{number}",
        )
        along = middle[1] - middle[0]
        across = np.array([-along[1], along[0]]) / np.hypot(*along)
        x, y = middle.mean(axis=0) + (0.42 if number == 1 else -0.42) * across
        axes.text(
            x,
            y,
            f"e{'₁₂'[number - 1]}",
            ha="center",
            va="center",
            fontsize=11,
            fontweight="bold",
            zorder=7,
        )


def _ends(
    axes: "Axes", drawn: Strands, heights: list[dict[int, float]], first: int, last: int
) -> None:
    """γ₁ … γ₄ where each strand starts and ends."""
    for side in ("start", "end"):
        taken: dict[tuple[int, int], int] = {}
        for path in range(len(drawn.neurons)):
            begins = max(int((drawn.neurons[path] < 0).sum()), first)
            layer = begins if side == "start" else last
            if layer > last:
                continue
            neuron = int(drawn.neurons[path, layer])
            number = taken.setdefault((layer, neuron), 0)
            taken[layer, neuron] += 1
            x, y = BETWEEN * (layer - first), heights[layer - first][neuron]
            if side == "end":
                x, y = x + 0.62, y + 0.45 - 0.3 * number
            elif begins == first:
                x, y = x - 0.52, y + 0.15 - 0.3 * number + (0.3 if _four(drawn, layer) else 0.0)
            else:  # starts at a bias inside the network
                x, y = x - 0.46 + 0.32 * number, y + RADIUS + 0.34
            axes.text(
                x,
                y,
                f"γ{'₁₂₃₄'[path]}",
                ha="center",
                va="center",
                fontsize=10.5,
                color=style.COLOURS[path],
                fontweight="bold",
                zorder=7,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.8},
            )


def _four(drawn: Strands, layer: int) -> bool:
    return layer in drawn.collisions
