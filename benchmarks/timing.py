"""Timing: medians over repeats, in this process or in fresh ones."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def median_seconds(job: Callable[[], object], repeats: int = 7) -> float:
    """Median wall time of `job` after one call to warm up."""
    job()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        job()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def fresh_process_seconds(code: str, repeats: int = 7) -> float:
    """Median wall time of ``python -c code`` in a fresh process, start-up included."""
    environment = os.environ | ONE_THREAD
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env=environment)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def paired_fresh_process_ratio(code: str, other: str, repeats: int = 15) -> tuple[float, float]:
    """Median time of `code`, and its median ratio to `other`, run in turn."""
    pairs = [
        (fresh_process_seconds(code, 1), fresh_process_seconds(other, 1)) for _ in range(repeats)
    ]
    return (
        statistics.median(first for first, _ in pairs),
        statistics.median(first for first, _ in pairs) / statistics.median(s for _, s in pairs),
    )
