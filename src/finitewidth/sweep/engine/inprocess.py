"""The engine that needs nothing: this process, one task at a time."""

from finitewidth.sweep.engine.jobs import compute
from finitewidth.sweep.engine.schedule import Engine, Outcome, Task


class InProcess(Engine):
    """Computes a task when its result is waited for."""

    def __init__(self) -> None:
        self._tasks: list[Task] = []

    def capacity(self) -> int:
        """One task at a time."""
        return 1

    def submit(self, task: Task) -> None:
        """Keep it."""
        self._tasks.append(task)

    def wait(self) -> list[Outcome]:
        """Compute it."""
        task = self._tasks.pop(0)
        return [Outcome(task, compute(task.jobs))]

    def close(self) -> None:
        """Nothing is held."""
