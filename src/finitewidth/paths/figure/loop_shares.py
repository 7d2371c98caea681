"""How much of a sum each number of loops carries, drawn."""

from collections.abc import Mapping

import numpy as np

from finitewidth.paths.loops import Loops
from finitewidth.report import Curve, Plot


def loop_shares(sums: Mapping[str, Loops], sentence: str) -> Plot:
    """One curve for each of the named sums; the sentence says of which network."""
    most = 1 + max(int(np.flatnonzero(one.share > 1e-4).max()) for one in sums.values())
    return Plot(
        title="What each number of loops carries",
        sentence=sentence,
        x_label="number of loops",
        y_label="share of the sum",
        series=[
            Curve(name, np.arange(len(one.share[:most])), one.share[:most], marked=True)
            for name, one in sums.items()
        ],
        from_zero=True,
        x_ticks=[float(n) for n in range(0, most, max(1, most // 8))],
    )
