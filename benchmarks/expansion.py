"""The 1/n expansion: its cost, and Monte Carlo of dense networks to the same accuracy."""

import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

import finitewidth as fw
from benchmarks.table import Line
from benchmarks.timing import median_seconds

Result = TypeVar("Result")

COVARIANCE, SHIFT = 0.02, 0.1
"""Relative errors to which Monte Carlo is asked for the covariance and for the mean's shift."""

GOALS = (1 / 100, 1 / 1000)
"""Of the time over Monte Carlo's, for the two."""


def lines() -> list[Line]:
    """All lines of this benchmark."""
    found = [_deep(name) for name in ("relu", "tanh", "gelu")]
    return [*found, _eight_inputs(), *_against_networks()]


def _deep(name: str) -> Line:
    net, x = _network(name, 1, 100, 100), np.ones(1)
    return Line(
        f"one input, 100 layers, all tensors, {name}",
        median_seconds(lambda: fw.expansion.kernel(net, x).tensors, 7),
        limit=0.1,
    )


def _eight_inputs() -> Line:
    """All tensors and the error of their quadrature, which takes a third of the time."""
    X = np.random.default_rng(0).standard_normal((8, 16))
    found = fw.expansion.kernel(_network("gelu", 16, 128, 10), X)
    seconds, errors = _once(lambda: found.quadrature_error)
    error = errors["covariance"] / float(np.abs(found.covariance).max())
    return Line(f"8 inputs, 10 layers, gelu (quadrature error {error:.0e})", seconds, limit=60.0)


def _against_networks() -> list[Line]:
    """Three inputs, four layers of width 512: the time a network, times the networks needed.

    Of the covariance, first order leaves out about 2 % at this width. The standard deviation of one
    network's product or kernel comes from the same networks; the worst entry on the diagonal
    counts.
    """
    net = _network("gelu", 8, 512, 4)
    X = np.random.default_rng(1).standard_normal((3, 8))
    seconds, found = _once(lambda: _everything(net, X))
    size = 400
    total, run = _once(lambda: fw.simulate.ensemble(net, X, size, seed=0, method="dense"))
    diagonal = np.einsum("saa->sa", run.kernels)
    centred = diagonal - diagonal.mean(axis=0)
    variance = np.einsum("aa->a", found.variance)
    shift = np.abs(np.diagonal(found.correction)).max()
    needed = {
        f"covariance to {COVARIANCE:.0%}": np.max(
            (centred**2).var(axis=0) / (COVARIANCE * variance) ** 2
        ),
        f"shift of the mean to {SHIFT:.0%}": np.max(diagonal.var(axis=0)) / (SHIFT * shift) ** 2,
    }
    return [
        Line(
            f"3 inputs, 4 layers, width 512: {name}",
            seconds,
            seconds / (networks * total / size),
            f"{networks:.2g} dense networks (1/{networks * total / size / seconds:.2g})",
            ratio_at_most=goal,
        )
        for (name, networks), goal in zip(needed.items(), GOALS, strict=True)
    ]


def _everything(net: fw.MLP, X: np.ndarray) -> fw.expansion.Expansion:
    found = fw.expansion.kernel(net, X)
    _ = found.tensors
    return found


def _once(job: Callable[[], Result]) -> tuple[float, Result]:
    start = time.perf_counter()
    result = job()
    return time.perf_counter() - start, result


def _network(name: str, n_in: int, width: int, hidden: int) -> fw.MLP:
    at = fw.expansion.criticality(name)
    assert at.hidden_gain is not None
    assert at.bias_variance is not None
    return fw.MLP.equal_width(
        n_in, width, hidden, activation=name, hidden_gain=at.hidden_gain,
        bias_variance=at.bias_variance,
    )  # fmt: skip
