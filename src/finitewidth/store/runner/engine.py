"""`Engine`: who computes; and the one that needs nothing, this process."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from finitewidth.store.runner.tasks import Bundle, Result, compute


@dataclass(frozen=True)
class Outcome:
    """What became of a bundle: its results, or the end of its worker.

    Attributes
    ----------
    bundle : Bundle
    results : list of Result or None
        One a task, in order; None if the worker ended.
    deaths : int
        How many workers it has cost.
    """

    bundle: Bundle
    results: list[Result[Any]] | None
    deaths: int = 0


class Engine(ABC):
    """Runs bundles of tasks."""

    @abstractmethod
    def capacity(self) -> int:
        """How many bundles may be with it at once."""

    @abstractmethod
    def submit(self, bundle: Bundle) -> None:
        """Take a bundle."""

    @abstractmethod
    def wait(self) -> list[Outcome]:
        """What has finished since; waits for at least one."""

    @abstractmethod
    def close(self) -> None:
        """Give back whatever it holds."""


class InProcess(Engine):
    """Computes a bundle when its results are waited for."""

    def __init__(self) -> None:
        self._bundles: list[Bundle] = []

    def capacity(self) -> int:
        """One."""
        return 1

    def submit(self, bundle: Bundle) -> None:
        """Keep it."""
        self._bundles.append(bundle)

    def wait(self) -> list[Outcome]:
        """Compute it."""
        bundle = self._bundles.pop(0)
        return [Outcome(bundle, compute(bundle.tasks))]

    def close(self) -> None:
        """Nothing is held."""
