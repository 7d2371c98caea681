"""Which chunk is computed next, and what becomes of its result."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from finitewidth.sweep.engine.course import Course
from finitewidth.sweep.engine.jobs import failed
from finitewidth.sweep.records import Job, Record
from finitewidth.sweep.store import Writer
from finitewidth.sweep.summary import Summary

TASK_SECONDS = 1.0
"""Estimated length up to which chunks are sent together: what a task costs beside, a few
milliseconds, does not count then, and cheap cells come back in one transaction."""

TASK_JOBS = 1000
"""Most chunks in a task."""

PARTS = 8
"""Tasks that a task whose worker ended is divided into."""

TRIES = 3
"""How often a chunk may end its worker before it is given up."""


@dataclass(frozen=True)
class Task:
    """Chunks that are computed together; `alone`: while nothing else runs."""

    jobs: tuple[Job, ...]
    alone: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a task: its records, or the end of its worker.

    Attributes
    ----------
    task : Task
    records : list of Record or None
        None if the worker ended.
    deaths : int
        How many workers it has cost.
    """

    task: Task
    records: list[Record] | None
    deaths: int = 0


class Engine(ABC):
    """Runs tasks."""

    @abstractmethod
    def capacity(self) -> int:
        """How many tasks may be with it at once."""

    @abstractmethod
    def submit(self, task: Task) -> None:
        """Take a task."""

    @abstractmethod
    def wait(self) -> list[Outcome]:
        """What has finished since; waits for at least one."""

    @abstractmethod
    def close(self) -> None:
        """Give back whatever it holds."""


@dataclass(frozen=True)
class Progress:
    """Where a sweep stands.

    Attributes
    ----------
    finished, failed, cells : int
        Cells.
    done, total : float
        Estimated seconds of one core: done, and at most needed.
    """

    finished: int
    failed: int
    cells: int
    done: float
    total: float


class Schedule:
    """Sends what is needed, largest cells first, and commits what comes back.

    Chunks whose worker ended are sent again, in smaller tasks. Those that did so twice are
    suspects, which run at the end, a task alone at a time and in ever smaller ones, so that a
    chunk which kills its worker is told from the neighbours that died with it: its third death or
    a later one, alone, is the cell's failure.
    """

    def __init__(
        self,
        courses: Sequence[Course],
        writer: Writer,
        engine: Engine,
        progress: Callable[[Progress], object] | None = None,
    ) -> None:
        self._courses = {course.cell.text: course for course in courses}
        self._writer, self._engine, self._progress = writer, engine, progress
        self._deaths: dict[Job, int] = {}
        self._again: list[Task] = []
        self._suspects: list[Task] = []
        self._flying = 0
        self._order = [(-course.total, number) for number, course in enumerate(courses)]
        self._list = list(courses)
        self._waiting: set[int] = set()
        heapify(self._order)
        self._number = {course.cell.text: number for number, course in enumerate(courses)}
        self._finished = sum(course.used is not None for course in courses)
        self._failed = 0
        self._total = sum(course.total for course in courses)
        self._done = sum(course.done for course in courses)
        self._told = 0.0
        self.computed = 0

    def run(self) -> None:
        """Until every cell is finished or failed."""
        while True:
            self._send()
            if not self._flying:
                break
            self._receive(self._engine.wait())
            self._tell()
        self._tell(last=True)

    def _send(self) -> None:
        while self._flying < self._engine.capacity():
            task = self._next()
            if task is None:
                break
            self._submit(task)
        if not self._flying and self._suspects:
            self._submit(self._suspects.pop(0))

    def _submit(self, task: Task) -> None:
        self._flying += 1
        self._engine.submit(task)

    def _next(self) -> Task | None:
        if self._again:
            return self._again.pop(0)
        jobs: list[Job] = []
        seconds = 0.0
        while self._order and len(jobs) < TASK_JOBS:
            number = self._order[0][1]
            course = self._list[number]
            job = course.take()
            if job is None:
                heappop(self._order)
                self._waiting.add(number)
                continue
            cost = course.cost(job.number)
            if jobs and seconds + cost > TASK_SECONDS:
                self._again.append(Task((job,)))
                break
            jobs.append(job)
            seconds += cost
        return Task(tuple(jobs)) if jobs else None

    def _receive(self, outcomes: Sequence[Outcome]) -> None:
        records: list[Record] = []
        for outcome in outcomes:
            self._flying -= 1
            if outcome.records is None:
                records += self._died(outcome)
            else:
                records += outcome.records
        rows, finished = [], {}
        for record in records:
            course = self._courses[record.job.cell]
            rows.append((course.row, record))
            if self._taken(course, record):
                finished[course.row] = course.used
        if rows:
            self._writer.commit(rows, finished)
            self.computed += sum(not record.cause for _, record in rows)

    def _taken(self, course: Course, record: Record) -> bool:
        """Tell the cell; whether it is finished by this."""
        before, done = course.used, course.done
        if record.cause:
            if not course.cause:
                self._failed += 1
            course.cause = course.cause or record.cause
        else:
            course.add(record.job.number, Summary.unpacked(record.text, record.rows))
        self._done += course.done - done
        number = self._number[course.cell.text]
        if number in self._waiting and course.used is None:
            self._waiting.discard(number)
            heappush(self._order, (-course.total, number))
        if before is None and course.used is not None:
            self._finished += 1
            return True
        return False

    def _died(self, outcome: Outcome) -> list[Record]:
        """Send jobs again, or give up a chunk that died alone often enough."""
        jobs, alone = outcome.task.jobs, outcome.task.alone
        for job in jobs:
            self._deaths[job] = self._deaths.get(job, 0) + outcome.deaths
        most = max(self._deaths[job] for job in jobs)
        if alone and len(jobs) == 1 and most >= TRIES:
            cause = (
                f"chunk {jobs[0].number} ended the process that computed it {most} times, the last "
                "time with nothing beside it; most likely the memory does not suffice."
            )
            return [failed(jobs[0], cause)]
        alone = alone or most >= TRIES - 1
        where = self._suspects if alone else self._again
        size = -(-len(jobs) // PARTS)
        where += [Task(jobs[start : start + size], alone) for start in range(0, len(jobs), size)]
        return []

    def _tell(self, *, last: bool = False) -> None:
        now = time.monotonic()
        if self._progress is not None and (last or now - self._told > 0.2):
            self._told = now
            self._progress(
                Progress(self._finished, self._failed, len(self._list), self._done, self._total)
            )
