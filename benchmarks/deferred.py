"""Training at great widths: deferred matrices against stored ones in PyTorch."""

import math
import subprocess
import sys
import time
from itertools import pairwise

import numpy as np
import torch

import finitewidth as fw
from benchmarks.table import Line
from benchmarks.timing import median_seconds

HIDDEN, BATCH, STEPS, INPUTS = 3, 8, 4, 64
RATE = 0.01


def _data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((BATCH, INPUTS)).astype(np.float32)
    return X, np.sign(rng.standard_normal(BATCH)).astype(np.float32)


def deferred(width: int, method: str = "deferred") -> None:
    """Build and train one network, float32; outputs and loss recorded."""
    X, y = _data()
    fw.simulate.train(
        fw.MLP.equal_width(INPUTS, width, HIDDEN), X, y, RATE, STEPS, method=method, record=()
    )


def initialised(width: int) -> None:
    """The outputs at one input, before any step."""
    X, y = _data()
    net = fw.MLP.equal_width(INPUTS, width, HIDDEN)
    fw.simulate.train(net, X[:1], y[:1], RATE, 0, method="deferred", record=())


def activations(width: int) -> None:
    """What they need at least: one row of normal numbers a layer, scaled, through the ReLU."""
    rng = np.random.Generator(np.random.SFC64(0))
    norm = torch.tensor(1.0)
    for _ in range(HIDDEN):
        row = torch.empty(width)
        rng.standard_normal(dtype=np.float32, out=row.numpy())
        row.mul_(norm * math.sqrt(2)).relu_()
        norm = torch.linalg.vector_norm(row) / math.sqrt(width)


def dense(width: int) -> None:
    """What a user would write: the same network in plain PyTorch."""
    X, y = (torch.from_numpy(array) for array in _data())
    sizes = [INPUTS, *[width] * HIDDEN, 1]
    layers: list[torch.nn.Module] = []
    for fan_in, fan_out in pairwise(sizes):
        linear = torch.nn.Linear(fan_in, fan_out, device="meta").to_empty(device="cpu")
        torch.nn.init.normal_(linear.weight, std=math.sqrt(2 / fan_in))
        torch.nn.init.zeros_(linear.bias)
        layers += [linear, torch.nn.ReLU()]
    net = torch.nn.Sequential(*layers[:-1])
    descent = torch.optim.SGD(net.parameters(), lr=RATE / width)
    for _ in range(STEPS):
        descent.zero_grad()
        (0.5 * (net(X)[:, 0] - y).square().sum()).backward()
        descent.step()
    with torch.no_grad():
        net(X)


def floor(width: int) -> None:
    """The same count of normal numbers, and of multiply-adds on them.

    A step asks every n × n matrix for BATCH rows from both sides: as many fresh rows of n numbers.
    Each row is multiplied with all rows before it, about five times: two projections onto its
    side, two onto the answers of the other, and one combination.
    """
    rng = np.random.Generator(np.random.SFC64(0))
    for _ in range(HIDDEN - 1):
        for side in (STEPS + 1, STEPS):
            rows = torch.empty(side * BATCH, width)
            rng.standard_normal(dtype=np.float32, out=rows.numpy())
            for block in range(side):
                new = rows[block * BATCH : (block + 1) * BATCH]
                for _ in range(5):
                    torch.mm(new, rows[: (block + 1) * BATCH].T)


def _once(job, width: int) -> float:
    start = time.perf_counter()
    job(width)
    return time.perf_counter() - start


def _peak(width: int) -> tuple[float, float]:
    """Seconds and peak memory in GB of a run in a process of its own."""
    # Not ru_maxrss, which a process takes over from the one that started it.
    code = (
        "import re, time; from benchmarks import deferred as d; d.deferred(64);"
        f"t = time.perf_counter(); d.deferred({width}); t = time.perf_counter() - t;"
        "found = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read());"
        "print(t, int(found[1]) / 2**20)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    seconds, peak = map(float, done.stdout.split())
    return seconds, peak


def lines() -> list[Line]:
    """All lines of this benchmark."""
    found = []
    for width, repeats, goal in ((512, 5, 1.0), (1024, 5, None), (4096, 3, None)):
        fast = median_seconds(lambda width=width: deferred(width), repeats)
        slow = median_seconds(lambda width=width: dense(width), repeats)
        found.append(
            Line(f"{STEPS} steps, width {width:,}", fast, fast / slow, "dense PyTorch",
                 ratio_at_most=goal)
        )  # fmt: skip
        if goal:
            taken = median_seconds(lambda width=width: deferred(width, "auto"), repeats)
            found.append(Line(f'the same, method="auto", width {width:,}', taken, taken / slow,
                              "dense PyTorch", ratio_at_most=goal))  # fmt: skip
    fast = median_seconds(lambda: deferred(16384), 5)
    found.append(
        Line(f"{STEPS} steps, width 16,384", fast, fast / _once(dense, 16384), "dense PyTorch",
             ratio_at_most=1 / 150)
    )  # fmt: skip
    found.append(
        Line("the same, against the floor", fast, fast / median_seconds(lambda: floor(16384), 5),
             "drawing and multiply-adds")
    )  # fmt: skip
    begun = median_seconds(lambda: initialised(2**20), 5)
    drawn = median_seconds(lambda: activations(2**20), 5)
    found.append(
        Line("one input, no step, width 2^20", begun, begun / drawn, "drawing activations")
    )
    seconds, peak = _peak(2**20)
    found.append(Line(f"{STEPS} steps, width 2^20, peak {peak:.2f} GB", seconds, limit=10.0))
    exponent = math.log2(seconds / fast) / 6
    found.append(
        Line("time ∝ width^a from 2^14 to 2^20: a", seconds, exponent, "1 (linear)",
             ratio_at_most=1.2)
    )  # fmt: skip
    found.append(
        Line("width 2^20, against the floor", seconds, seconds / _once(floor, 2**20),
             "drawing and multiply-adds")
    )  # fmt: skip
    return found
