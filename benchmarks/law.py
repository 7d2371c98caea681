"""The exact law: its own times, and against the dense Monte Carlo to the same digits."""

import numpy as np

import finitewidth as fw
from benchmarks.table import Line
from benchmarks.timing import fresh_process_seconds, median_seconds, paired_fresh_process_ratio


def lines() -> list[Line]:
    """All lines of this benchmark."""
    return [*_recursion(), *_start_up(), _against_dense()]


def _both(law: fw.KernelLaw) -> tuple[float, float]:
    return law.log_moment(2), law.log_update_mean()


def _recursion() -> list[Line]:
    rng = np.random.default_rng(0)
    deep = fw.KernelLaw(fw.MLP.equal_width(784, 1_000_000, 999_999))
    unequal = fw.KernelLaw(fw.MLP(784, rng.integers(50, 300, 10_000).tolist()))
    hundred = fw.KernelLaw(fw.MLP(784, rng.integers(50, 300, 99).tolist()))
    return [
        Line("E K² and E ΔK, 10⁶ equal layers", median_seconds(lambda: _both(deep)), limit=5e-3),
        Line(
            "E K² and E ΔK, 10⁴ unequal layers", median_seconds(lambda: _both(unequal)), limit=0.5
        ),
        Line(
            "E K⁴, 100 unequal layers, tables built",
            median_seconds(lambda: hundred.log_moment(4)),
            limit=10e-3,
        ),
        Line(
            "Var ΔK, 100 unequal layers, tables built",
            median_seconds(lambda: hundred.log_update_variance()),
            limit=10e-3,
        ),
    ]


_FRESH = """
import numpy as np, finitewidth as fw
law = fw.KernelLaw(fw.MLP(784, np.random.default_rng(0).integers(50, 300, 99).tolist()))
law.log_moment(4), law.log_update_variance()
"""


def _start_up() -> list[Line]:
    seconds, ratio = paired_fresh_process_ratio("import finitewidth", "import numpy, scipy")
    command = (
        "import sys; sys.argv = ['finitewidth', 'law', '--n-in', '784', '--width', '256', "
        "'--depth', '10', '--json']; sys.stdout = open('/dev/null', 'w'); "
        "from finitewidth.cli import main; main()"
    )
    return [
        Line(
            "E K⁴ and Var ΔK, 100 unequal layers, fresh process",
            fresh_process_seconds(_FRESH),
            limit=0.7,
        ),
        Line("import finitewidth", seconds, ratio, "import numpy, scipy", ratio_at_most=1.2),
        Line("finitewidth law, start-up included", fresh_process_seconds(command), limit=1.0),
    ]


def _against_dense() -> Line:
    """Time for E K² at width 128, 8 hidden layers, against dense networks to a 1 % error."""
    net = fw.MLP.equal_width(64, 128, 8)
    law = fw.KernelLaw(net)
    exact = median_seconds(lambda: law.moment(2))
    size = 512
    dense = median_seconds(lambda: fw.simulate.ensemble(net, np.ones(64), size, seed=0), 3)
    spread = np.sqrt(law.moment(4) / law.moment(2) ** 2 - 1.0)
    needed = (spread / 0.01) ** 2
    return Line(
        "E K², width 128, 8 hidden layers",
        exact,
        exact / (dense * needed / size),
        "dense Monte Carlo to 1 %",
        ratio_at_most=1e-3,
    )
