"""`Schedule`: the chunks of all cells as tasks of the runner, and their way into the store."""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from finitewidth.store import runner
from finitewidth.store.runner import Result, Task, Work
from finitewidth.sweep.engine.course import Course
from finitewidth.sweep.store import Writer
from finitewidth.sweep.store.schema import NewChunk
from finitewidth.sweep.summary import Summary


class Progress(runner.Progress):
    """Where a sweep stands; what is counted are cells."""

    @property
    def cells(self) -> int:
        """All of them."""
        return self.count


class Schedule(Work):
    """Gives out what is needed, largest cells first, and commits what comes back."""

    def __init__(self, courses: Sequence[Course], writer: Writer) -> None:
        self._writer = writer
        self._order = [(-course.total, number) for number, course in enumerate(courses)]
        self._list = list(courses)
        self._waiting: set[int] = set()
        heapify(self._order)
        self._number = {course.cell.text: number for number, course in enumerate(courses)}
        self._finished = sum(course.used is not None for course in courses)
        self._failed = 0
        self._total = sum(course.total for course in courses)
        self._done = sum(course.done for course in courses)
        self.computed = 0

    def take(self) -> Task | None:
        """The next chunk of the largest cell that needs one."""
        while self._order:
            number = self._order[0][1]
            task = self._list[number].take()
            if task is not None:
                return task
            heappop(self._order)
            self._waiting.add(number)
        return None

    def receive(self, results: Sequence[tuple[Task, Result[NewChunk]]]) -> None:
        """Commit them, with the cells that they finish."""
        rows, finished = [], {}
        for task, result in results:
            cell, number = task.arguments
            course = self._list[self._number[cell]]
            rows.append((course.row, number, result))
            if self._completes(course, number, result):
                finished[course.row] = course.used
        self._writer.commit(rows, finished)
        self.computed += sum(not result.cause for _, result in results)

    def _completes(self, course: Course, chunk: int, result: Result[NewChunk]) -> bool:
        """Tell the cell; whether it is finished by this."""
        before, done = course.used, course.done
        if result.value is None:
            self._failed += not course.cause
            course.cause = course.cause or result.cause
        else:
            course.add(chunk, Summary.unpacked(result.value.text, result.value.rows))
        self._done += course.done - done
        number = self._number[course.cell.text]
        if number in self._waiting and course.used is None:
            self._waiting.discard(number)
            heappush(self._order, (-course.total, number))
        completed = before is None and course.used is not None
        self._finished += completed
        return completed

    def progress(self) -> Progress:
        """Counts of cells."""
        return Progress(self._finished, self._failed, len(self._list), self._done, self._total)
