"""The engine on Dask: processes of this machine, or a cluster behind a scheduler's address."""

import logging
import os
import time
import warnings
from contextlib import suppress
from math import inf
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

from distributed import Client, Future, LocalCluster
from distributed.scheduler import KilledWorker

from finitewidth._processes import started
from finitewidth._version import __version__
from finitewidth.store.runner.engine import Engine, Outcome
from finitewidth.store.runner.tasks import Bundle, compute_remotely

AHEAD = 2
"""Bundles in flight for every thread of the workers: one that runs and one that waits there."""

AT_ONCE = 2000
"""Most bundles that are gathered together."""

REFRESH = 2.0
"""Seconds after which the workers are counted again."""

PATIENCE = 30.0
"""Seconds without a worker after which it is said that the run waits for one."""

CONNECT = "20s"

HERE = "127.0.0.1"
"""Where everything of a cluster of our own listens: this machine alone reaches it."""

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}
"""Environment of local workers: there is one for every core."""


class DaskEngine(Engine):
    """Sends bundles to a Dask cluster, see `engine_on`, a bounded number at a time.

    What Dask does when a worker dies is not left to it where the cluster is our own: the bundle
    comes back at once (``allowed-failures`` 0) and `Runner` decides. A scheduler of somebody
    else tries by itself, as often as it was told, before it says so.
    """

    def __init__(self, cluster: Any) -> None:
        self._own: list[Any] = []
        self._client = self._connected(cluster)
        self._quiet = [] if isinstance(cluster, Client) else silenced()
        self._flying: dict[str, tuple[Bundle, Future]] = {}
        self._ready: SimpleQueue[str] = SimpleQueue()
        self._threads, self._counted = 1, -REFRESH
        self._alone: float | None = None

    def _connected(self, cluster: Any) -> Client:
        if isinstance(cluster, Client):
            return cluster
        if isinstance(cluster, bool) or not isinstance(cluster, int | str):
            raise TypeError(
                f"cluster is {cluster!r}, expected None, a number of processes, 'processes', the "
                "address of a Dask scheduler such as 'tcp://host:8786', or a distributed.Client."
            )
        if isinstance(cluster, int) or cluster == "processes":
            count = (os.cpu_count() or 1) if cluster == "processes" else int(cluster)
            if count < 1:
                raise ValueError(f"cluster is {cluster}, expected 1 process or more.")
            with started():
                cluster = LocalCluster(
                    n_workers=count,
                    threads_per_worker=1,
                    processes=True,
                    host=HERE,
                    dashboard_address=f"{HERE}:0",  # without a host it listens on all of them
                    silence_logs=50,
                    scheduler_kwargs={"allowed_failures": 0, "dashboard": False},
                    env=ONE_THREAD,
                )
            self._own.append(cluster)
        elif "://" not in cluster:
            raise ValueError(
                f"cluster is {cluster!r}, expected the address of a Dask scheduler such as "
                "'tcp://host:8786', or 'processes'."
            )
        try:
            client = Client(cluster, set_as_default=False, timeout=CONNECT)
        except (OSError, TimeoutError, ValueError) as error:
            raise RuntimeError(f"the Dask scheduler {cluster} cannot be reached: {error}") from None
        self._own.insert(0, client)
        return client

    def capacity(self) -> int:
        """Two bundles for every thread that there is now."""
        now = time.monotonic()
        if now - self._counted > REFRESH:
            self._count()
        return AHEAD * max(self._threads, 1)

    def _count(self) -> None:
        """Count the workers' threads; say so, once, when there has been none for a while."""
        self._counted = now = time.monotonic()
        with suppress(OSError):
            threads: Any = self._client.nthreads()
            self._threads = sum(threads.values())
        if self._threads:
            self._alone = None
        elif self._alone is None:
            self._alone = now
        elif now - self._alone > PATIENCE:
            self._alone = inf
            warnings.warn(
                "the Dask scheduler has no worker; the run waits for one. What is finished is "
                "kept: after Ctrl-C, running again continues.",
                RuntimeWarning,
                stacklevel=2,
            )

    def submit(self, bundle: Bundle) -> None:
        """Send a bundle."""
        key = f"bundle-{uuid4().hex}"
        future = self._client.submit(
            compute_remotely, bundle.tasks, __version__, key=key, pure=False, retries=0
        )
        self._flying[key] = bundle, future
        future.add_done_callback(lambda _: self._ready.put(key))

    def wait(self) -> list[Outcome]:
        """What has finished since.

        Raises
        ------
        RuntimeError
            If the scheduler is lost, or a worker runs another version of the package.
        """
        keys = [self._first()]
        while len(keys) < AT_ONCE and not self._ready.empty():
            keys.append(self._ready.get_nowait())
        outcomes, finished = [], []
        for key in keys:
            bundle, future = self._flying[key]
            if future.status == "finished":
                finished.append(key)
                continue
            if future.status == "error":
                outcomes.append(self._error(bundle, future))
            elif future.status == "lost":  # its worker died before the results were fetched
                outcomes.append(Outcome(bundle, None, 1))
            else:
                raise self._lost()
            del self._flying[key]
        futures = [self._flying[key][1] for key in finished]
        try:
            gathered: Any = self._client.gather(futures)
        except KilledWorker as error:  # the worker that held a result died before it was fetched
            outcomes += [
                Outcome(self._flying.pop(key)[0], None, error.allowed_failures + 1)
                for key in finished
            ]
            return outcomes
        except Exception as error:
            if self._client.status != "running":
                raise self._lost() from error
            raise
        outcomes += [
            Outcome(self._flying.pop(key)[0], results)
            for key, results in zip(finished, gathered, strict=True)
        ]
        return outcomes

    def _first(self) -> str:
        while True:
            try:
                return self._ready.get(timeout=1.0)
            except Empty:
                if self._client.status not in ("running", "connecting"):
                    raise self._lost() from None
                self._count()

    def _lost(self) -> RuntimeError:
        return RuntimeError(
            "the Dask scheduler was lost, or it cancelled the work; what was finished is kept, and "
            "running again continues."
        )

    def _error(self, bundle: Bundle, future: Future) -> Outcome:
        error = future.exception()
        if isinstance(error, KilledWorker):
            return Outcome(bundle, None, error.allowed_failures + 1)
        raise RuntimeError(f"the workers cannot compute: {type(error).__name__}: {error}")

    def close(self) -> None:
        """Give back what this engine started, and take back what it sent."""
        with suppress(Exception):
            self._client.cancel([future for _, future in self._flying.values()], force=True)
        self._flying.clear()
        for one in self._own:
            with suppress(Exception):
                one.close(timeout=10)
        for logger, level in self._quiet:
            logger.setLevel(level)


def silenced() -> list[tuple[logging.Logger, int]]:
    """Dask's own complaints are switched off, since they are told in a sentence; what to undo."""
    names = "batched", "client", "core", "comm"
    loggers = [logging.getLogger(f"distributed.{name}") for name in names]
    before = [(logger, logger.level) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    return before
