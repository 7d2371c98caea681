"""`Runner`: which tasks go out next, and what becomes of those that cost their worker."""

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from finitewidth.store.runner.engine import Engine, Outcome
from finitewidth.store.runner.tasks import Bundle, Result, Task

BUNDLE_SECONDS = 1.0
"""Estimated length up to which tasks are sent together: what a bundle costs beside, a few
milliseconds, does not count then, and cheap tasks come back in one transaction."""

BUNDLE_TASKS = 1000
"""Most tasks in a bundle."""

PARTS = 8
"""Bundles that a bundle whose worker ended is divided into."""

TRIES = 3
"""How often a task may end its worker before it is given up."""


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes
    ----------
    finished, failed, count : int
        Of what is counted, such as tasks: finished, failed, all.
    done, total : float
        Estimated seconds of one core: done, and at most needed.
    """

    finished: int
    failed: int
    count: int
    done: float
    total: float


class Work(ABC):
    """Tasks, whose next ones may depend on results."""

    @abstractmethod
    def take(self) -> Task | None:
        """The next task; None if there is none, or none before further results."""

    @abstractmethod
    def receive(self, results: Sequence[tuple[Task, Result[Any]]]) -> None:
        """Keep what came back together; at least one result."""

    @abstractmethod
    def progress(self) -> Progress:
        """Where it stands."""


class TaskList(Work):
    """Tasks that are known beforehand, the longest first.

    Parameters
    ----------
    tasks : iterable of Task
    handle : callable
        Called in this process with the pairs (task, result) that came back together, which one
        transaction may keep; failed tasks are among them.
    kept : collection of keys
        What an earlier run has kept, its checksums verified; it is not computed again.
    """

    def __init__(
        self,
        tasks: Iterable[Task],
        handle: Callable[[Sequence[tuple[Task, Result[Any]]]], object],
        kept: Collection[Hashable] = (),
    ) -> None:
        ordered = sorted(tasks, key=lambda task: -task.seconds)
        self._left = deque(task for task in ordered if task.key not in kept)
        self._handle, self._count = handle, len(ordered)
        self._finished, self._failed = self._count - len(self._left), 0
        self._total = sum(task.seconds for task in ordered)
        self._done = self._total - sum(task.seconds for task in self._left)

    def take(self) -> Task | None:
        """The longest that is left."""
        return self._left.popleft() if self._left else None

    def receive(self, results: Sequence[tuple[Task, Result[Any]]]) -> None:
        """Hand them on."""
        self._handle(results)
        for task, result in results:
            self._failed += bool(result.cause)
            self._finished += not result.cause
            self._done += task.seconds

    def progress(self) -> Progress:
        """Counts of tasks."""
        return Progress(self._finished, self._failed, self._count, self._done, self._total)


class Runner:
    """Sends tasks while there is room, and hands on what comes back.

    Tasks whose worker ended are sent again, in smaller bundles. Those that did so twice are
    suspects, which run at the end, a bundle alone at a time and in ever smaller ones, so that a
    task which kills its worker is told from the neighbours that died with it: its third death or
    a later one, alone, is its failure.
    """

    def __init__(
        self, work: Work, engine: Engine, progress: Callable[[Any], object] | None = None
    ) -> None:
        self._work, self._engine, self._progress = work, engine, progress
        self._deaths: dict[Hashable, int] = {}
        self._again: list[Bundle] = []
        self._suspects: list[Bundle] = []
        self._flying = 0
        self._reported = 0.0

    def run(self) -> None:
        """Until there is no task left."""
        while True:
            self._send()
            if not self._flying:
                break
            self._receive(self._engine.wait())
            self._report()
        self._report(last=True)

    def _send(self) -> None:
        while self._flying < self._engine.capacity():
            bundle = self._next()
            if bundle is None:
                break
            self._submit(bundle)
        if not self._flying and self._suspects:
            self._submit(self._suspects.pop(0))

    def _submit(self, bundle: Bundle) -> None:
        self._flying += 1
        self._engine.submit(bundle)

    def _next(self) -> Bundle | None:
        if self._again:
            return self._again.pop(0)
        tasks: list[Task] = []
        seconds = 0.0
        while len(tasks) < BUNDLE_TASKS:
            task = self._work.take()
            if task is None:
                break
            if tasks and seconds + task.seconds > BUNDLE_SECONDS:
                self._again.append(Bundle((task,)))
                break
            tasks.append(task)
            seconds += task.seconds
        return Bundle(tuple(tasks)) if tasks else None

    def _receive(self, outcomes: Sequence[Outcome]) -> None:
        results: list[tuple[Task, Result[Any]]] = []
        for outcome in outcomes:
            self._flying -= 1
            if outcome.results is None:
                results += self._died(outcome)
            else:
                results += zip(outcome.bundle.tasks, outcome.results, strict=True)
        if results:
            self._work.receive(results)

    def _died(self, outcome: Outcome) -> list[tuple[Task, Result[Any]]]:
        """Send tasks again, or give up one that died alone often enough."""
        tasks, alone = outcome.bundle.tasks, outcome.bundle.alone
        for task in tasks:
            self._deaths[task.key] = self._deaths.get(task.key, 0) + outcome.deaths
        most = max(self._deaths[task.key] for task in tasks)
        if alone and len(tasks) == 1 and most >= TRIES:
            cause = (
                f"{tasks[0].label} ended the process that computed it {most} times, the last time "
                "with nothing beside it; most likely the memory does not suffice."
            )
            return [(tasks[0], Result.failed(cause))]
        alone = alone or most >= TRIES - 1
        where = self._suspects if alone else self._again
        size = -(-len(tasks) // PARTS)
        where += [
            Bundle(tasks[start : start + size], alone) for start in range(0, len(tasks), size)
        ]
        return []

    def _report(self, *, last: bool = False) -> None:
        now = time.monotonic()
        if self._progress is not None and (last or now - self._reported > 0.2):
            self._reported = now
            self._progress(self._work.progress())
