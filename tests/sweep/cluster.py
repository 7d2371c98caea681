"""A Dask scheduler and workers in processes of their own, as a cluster would start them."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Started:
    """What was started.

    Attributes
    ----------
    address : str
        The scheduler's.
    processes : list of Popen
        The scheduler, then the workers.
    more : callable
        Starts one more worker.
    """

    address: str
    processes: list[subprocess.Popen]
    more: Callable[[], None]


def dask(folder: Path, *arguments: str) -> subprocess.Popen:
    """A ``dask`` command in the background."""
    return subprocess.Popen(
        [sys.executable, "-m", "dask", *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[Started]:
    """A scheduler and so many workers of one thread."""
    told = folder / f"scheduler-{time.monotonic_ns()}.json"
    file = ("--scheduler-file", str(told), "--no-dashboard")
    processes = [dask(folder, "scheduler", "--port", "0", "--host", "127.0.0.1", *file)]
    try:
        for _ in range(300):
            if told.exists() and told.read_text():
                break
            time.sleep(0.1)
        own = ("--nthreads", "1", "--local-directory", str(folder))

        def more() -> None:
            processes.append(dask(folder, "worker", *file, *own))

        for _ in range(workers):
            more()
        yield Started(json.loads(told.read_text())["address"], processes, more)
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
