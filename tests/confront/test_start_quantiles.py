"""Quantiles of the kernel at initialisation: the exact law's against those of stored networks."""

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.data import training_set
from finitewidth.law.sampler.quantile import from_sorted

pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")


def test_exact_quantiles_are_those_of_stored_networks() -> None:
    """4,000 networks of width 8: quantiles within 5.5 standard errors of the exact law's.

    False-alarm rate 2e-7 over three quantiles; a law of another width (12) is off by 12.
    """
    data = training_set("digits", 1)
    assert data.y is not None
    line = fw.simulate.along_line(
        [fw.MLP(64, [8, 8])], data.X, data.y, 0, 4000, 5, "dense",
        learning_rate=0.1, start=fw.law.start_quantiles,
    )  # fmt: skip
    exact, errors = line.at_start(line.runs[0])
    start = np.sort(line.runs[0].trajectory.kernels[:, 0, 0, 0])
    seen = [from_sorted(start, np.array(q)) for q in (0.1, 0.5, 0.9)]
    for which in (0, 2):
        ratio = float(seen[which].value) / float(seen[1].value)
        error = ratio * np.hypot(
            float(seen[which].std_error) / float(seen[which].value),
            float(seen[1].std_error) / float(seen[1].value),
        )
        assert abs(ratio - exact[which]) < 5.5 * np.hypot(error, errors[which])
