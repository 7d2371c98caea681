"""What a Recorder adds to a training loop, at its default steps, and on a step it skips.

The time inside the recorder (making it, every call, closing it) and the time of the rest are taken
in the same run, so that a busy machine slows both; both are wall time, writing to disk included.
"""

import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.table import Line

STEPS, BATCH, PROBE, WIDTH = 3000, 128, 32, 512
ONE_STEP = 1_000_000_000


@dataclass
class Clock:
    """Time spent in some calls."""

    seconds: float = 0.0

    def of(self, call: Callable[[], Any]) -> Any:
        """Call and count."""
        start = perf_counter()
        found = call()
        self.seconds += perf_counter() - start
        return found


def lines() -> list[Line]:
    """All lines of this benchmark."""
    if find_spec("torch") is None or find_spec("sklearn") is None:
        print("the recorder: left out, torch or scikit-learn is not installed")
        return []
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        _train(50)  # warms up
        runs = [_train(STEPS) for _ in range(3)]
        return [
            Line(
                f"digits, {STEPS} steps of SGD, with a Recorder",
                statistics.median(whole for whole, _ in runs),
                statistics.median(whole / (whole - inside) for whole, inside in runs),
                "the same loop without",
                ratio_at_most=1.05,
            ),
            Line("a step that the Recorder skips", _skipped(), limit=5e-6),
        ]
    finally:
        torch.set_num_threads(threads)


def _model() -> Any:
    from torch import nn

    inner = [layer for _ in range(2) for layer in (nn.Linear(WIDTH, WIDTH), nn.ReLU())]
    return nn.Sequential(nn.Linear(64, WIDTH), nn.ReLU(), *inner, nn.Linear(WIDTH, 10))


def _train(steps: int) -> tuple[float, float]:
    """Seconds of the whole loop, and of those inside the recorder."""
    import torch
    from sklearn.datasets import load_digits
    from torch.nn.functional import cross_entropy

    from finitewidth.measure import Recorder

    pixels, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(pixels / 16, dtype=torch.float32), torch.tensor(labels)
    torch.manual_seed(0)
    model = _model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        start = perf_counter()
        path = Path(folder) / "run.sqlite"
        recorder = clock.of(lambda: Recorder(model, x[:PROBE], path, y=y[:PROBE]))
        for _ in range(steps):
            chosen = torch.randint(len(x), (BATCH,))
            loss = cross_entropy(model(x[chosen]), y[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            clock.of(lambda loss=loss: recorder.step(loss))
        clock.of(recorder.close)
        return perf_counter() - start, clock.seconds


def _skipped(count: int = 20_000) -> float:
    """Seconds of one call where no record is due."""
    import torch

    from finitewidth.measure import Recorder

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.sqlite"
        with Recorder(_model(), torch.randn(PROBE, 64), path, every=ONE_STEP) as recorder:
            loss = torch.ones((), requires_grad=True) * 2.0
            start = perf_counter()
            for _ in range(count):
                recorder.step(loss)
            return (perf_counter() - start) / count
