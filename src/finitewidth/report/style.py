"""The look of every figure: readable on a phone, in print and without colours."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from finitewidth._extras import needed_for

SIZE = (4.8, 3.7)
"""Inches. Narrow, so that text keeps its size on a phone, whose screen is about as wide."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#AA4499", "#000000", "#E69F00")
"""Okabe and Ito's palette for all kinds of colour vision, without its yellow and palest tones
(and Tol's purple), which are too faint on white.
"""

MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", (0, (5, 2)), (0, (1.2, 1.6)), (0, (6, 2, 1.5, 2)), (0, (3, 1.5)), (0, (8, 2)))

SETTINGS: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#444444",
    "axes.grid": True,
    "axes.labelsize": 11.5,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "errorbar.capsize": 3.0,
    "figure.constrained_layout.use": True,
    "figure.figsize": SIZE,
    "font.family": ["DejaVu Sans"],  # comes with matplotlib, so a file is the same everywhere
    "font.size": 11.0,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.fontsize": 11.0,
    "legend.frameon": False,
    "legend.columnspacing": 1.4,
    "legend.handlelength": 2.3,
    "legend.handletextpad": 0.6,
    "legend.labelspacing": 0.35,
    "lines.linewidth": 1.8,
    "lines.markersize": 6.0,
    "savefig.dpi": 200,
    "svg.fonttype": "path",  # glyphs travel along: no font is needed where it is read
    "svg.hashsalt": "finitewidth",  # the same ids in every run
}


@contextmanager
def style() -> Iterator[None]:
    """Matplotlib's defaults with `SETTINGS`; the caller's settings are back afterwards.

    Raises
    ------
    RuntimeError
        If matplotlib is not installed.
    """
    with needed_for("figures", "report"):
        import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        yield
