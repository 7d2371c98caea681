"""What the results of measurements show: a table, a figure, and the numbers of every seed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from finitewidth._shapes import Float
from finitewidth.estimate import Estimate
from finitewidth.report import Curve, Page, Plot, Points, Provenance, Record, Section, Table
from finitewidth.report.axes import whole_ticks

KERNEL = "sum of squared gradients, traced over outputs"

Row = tuple[str, str, Estimate | float | None]
"""Name in JSON, name for people, and the number; rows without one are left out."""


def page(
    title: str,
    lead: Sequence[str],
    rows: Sequence[Row],
    figure: Plot | None = None,
    *,
    seeds: Sequence[int] = (),
    samples: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    details: Mapping[str, Sequence[Row]] | None = None,
) -> Page:
    """One table, one figure.

    Parameters
    ----------
    title : str
    lead : sequence of str
        Opening sentences.
    rows : sequence of (str, str, Estimate or float or None)
    figure : Plot, optional
    seeds, samples
        As of `report.Record`.
    inputs : mapping, optional
        What was asked.
    details : mapping of str to rows, optional
        Further tables, by their titles.
    """
    import torch

    further = {heading: _there(each) for heading, each in (details or {}).items()}
    found = Record({**(inputs or {}), "kernel": KERNEL}, seeds=seeds, samples=samples or {})
    for name, _, value in (*_there(rows), *(row for each in further.values() for row in each)):
        if isinstance(value, Estimate):
            found.estimate(name, value)
        elif value is not None:
            found.exact(name, float(value), "measured")
    return Page(
        title,
        lead,
        [
            Section(
                "The numbers", [_table("Measured", _there(rows)), *([figure] if figure else [])]
            ),
            *(Section(head, [_table(head, each)], True) for head, each in further.items() if each),
        ],
        Provenance.now(None, PyTorch=torch.__version__),
        found,
    )


def _there(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row[2] is not None]


def _table(title: str, rows: Sequence[Row]) -> Table:
    return Table(title, ["quantity", "measured"], [row[1:] for row in rows])


def by_seed(
    title: str,
    sentence: str,
    label: str,
    seeds: Sequence[int],
    **series: Float[np.ndarray, " S"],
) -> Plot:
    """One point a seed; on a logarithmic axis where all are above 0.

    Parameters
    ----------
    title, sentence : str
        Of the figure.
    label : str
        Of the vertical axis.
    seeds : sequence of int
    **series : array [S]
        By their labels, in which ``_`` stands for a blank.
    """
    points = [
        Points(name.replace("_", " "), seeds, values, np.zeros(len(values)))
        for name, values in series.items()
    ]
    positive = all(bool((values > 0).all()) for values in series.values())
    ticks = whole_ticks(min(seeds), max(seeds))
    return Plot(title, sentence, "seed", label, points, log_y=positive, x_ticks=ticks)


def falls(losses: Sequence[np.ndarray], diverged: Sequence[bool]) -> Plot | None:
    """The loss of the fastest, the middle and the slowest seed.

    Parameters
    ----------
    losses : sequence of array [T]
        Of every seed.
    diverged : sequence of bool
        Whose do not fall.
    """
    fallen = [one for one, away in zip(losses, diverged, strict=True) if not away]
    others = [one for one, away in zip(losses, diverged, strict=True) if away and len(one) > 1]
    # the fewest steps; of equal ones, the deepest fall
    ranked = sorted(fallen, key=lambda one: (len(one), one[-1] / one[0]))
    chosen = [("the fastest seed", ranked[0])] if ranked else []
    if len(ranked) > 2:
        chosen.append(("the middle one", ranked[len(ranked) // 2]))
    if len(ranked) > 1:
        chosen.append(("the slowest that falls", ranked[-1]))
    if others:
        chosen.append(("one that does not fall", others[0]))
    if not chosen:
        return None
    longest = max(len(one) for _, one in chosen) - 1
    target = np.exp(-1.0)
    reached = sum(bool(one[-1] * np.e <= one[0]) for one in fallen)
    count = len(losses)
    away = count - len(fallen)
    rest = "it falls for every seed."
    if away:
        rest = f"that of {away} does not fall, {'' if 2 * away > count else 'not '}most of them."
    # a logarithmic axis has no place for a loss of 0
    positive = [(label, np.flatnonzero(one > 0), one[one > 0]) for label, one in chosen]
    return Plot(
        "The descent: loss on the batch",
        f"Full-batch gradient descent at the given rate: the loss of {reached} of {count} seeds "
        f"falls to 1/e within {max(map(len, losses)) - 1} steps; {rest}",
        "step",
        "loss over loss at the start",
        [
            *(Curve(label, at, one / one[0], marked=True) for label, at, one in positive),
            Curve("1/e, where a descent ends", [0, max(longest, 1)], [target, target]),
        ],
        log_y=True,
        x_ticks=whole_ticks(0, longest),
    )
