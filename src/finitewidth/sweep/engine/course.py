"""`Course`: where one cell stands, and when it is finished."""

from dataclasses import dataclass, field
from math import ceil

from finitewidth.store.runner import Task
from finitewidth.sweep.cells import Cell
from finitewidth.sweep.engine.chunks import chunk_task, plan_of
from finitewidth.sweep.estimates import estimates
from finitewidth.sweep.grid import Precision
from finitewidth.sweep.methods import method_of, sampled_by
from finitewidth.sweep.summary import Summary

CAUTION = 0.8
"""Share of the networks that a target error seems to need that is computed ahead of the rule."""


@dataclass
class Course:
    """One cell on its way.

    The rule that ends it looks at its finished prefix of chunks alone, never at a chunk that
    happened to finish early: which chunks its numbers are made of depends on the cell and on what
    is wanted, not on who computes.

    Attributes
    ----------
    row : int
        Of the store.
    cell : Cell
    wanted : Precision
        How exactly.
    least : int
        Chunks that it was made of before: it never gets worse.
    """

    row: int
    cell: Cell
    wanted: Precision
    least: int = 0
    prefix: int = 0
    used: int | None = None
    cause: str = ""
    _summary: Summary | None = None
    _early: dict[int, Summary] = field(default_factory=dict)
    _issued: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        inputs = self.cell.inputs
        self._method = inputs["method"]
        self._plan = plan_of(inputs)
        self._seconds = method_of(inputs["method"]).cost(inputs)  # a network's, or the formula's
        self._budget, self._ahead = 1, 1
        self._of: list[str] = []
        if self._plan is not None:
            networks = float(self.wanted.max_networks)
            if self.wanted.max_seconds is not None:
                networks = min(networks, self.wanted.max_seconds / self._seconds)
            self._budget = self._plan.chunks(networks)
            given = sampled_by(inputs)
            self._of = [name for name in self.wanted.of if name in given]
            if self.wanted.relative_error is None or not self._of:
                self._ahead = self._budget
        self._budget = max(self._budget, self.least)
        self._ahead = max(self._ahead, self.least)

    def cost(self, number: int) -> float:
        """Estimated seconds of a chunk."""
        if self._plan is None:
            return self._seconds
        return self._seconds * self._plan.block * len(self._plan.blocks(number))

    @property
    def total(self) -> float:
        """Estimated seconds of everything that may be needed."""
        networks = 1 if self._plan is None else self._plan.networks(self._budget)
        return self._seconds * networks

    @property
    def done(self) -> float:
        """Estimated seconds of what is done; all of them when the cell is finished or failed."""
        if self.used is not None or self.cause:
            return self.total
        if self._plan is None:
            return 0.0
        return self._seconds * self._plan.networks(self.prefix)

    def add(self, number: int, summary: Summary) -> None:
        """A finished chunk, in whatever order they come."""
        self._issued.add(number)
        if self.used is not None:
            return
        self._early[number] = summary
        while self.used is None and self.prefix in self._early:
            one = self._early.pop(self.prefix)
            self._summary = one if self._summary is None else self._summary + one
            self.prefix += 1
            self._look()
        if self.used is not None:  # its numbers are in the store
            self._summary = None
            self._early.clear()

    def take(self) -> Task | None:
        """The next chunk that is surely or very likely needed, if one is."""
        if self.used is not None or self.cause:
            return None
        for number in range(self.prefix, min(max(self._ahead, self.prefix + 1), self._budget)):
            if number not in self._issued:
                self._issued.add(number)
                return chunk_task(self.cell.text, number, self._method, self.cost(number))
        return None

    def _look(self) -> None:
        assert self._summary is not None
        if self.prefix < self.least:
            return
        if self.prefix >= self._budget:
            self.used = self.prefix
            return
        if self.wanted.relative_error is None or not self._of:
            return
        assert self._plan is not None
        distance = self._distance(self._summary, self.wanted.relative_error)
        if distance is not None and distance <= 1.0:
            self.used = self.prefix
            return
        needed = self._summary.networks * (distance or 1.0) ** 2 * CAUTION
        self._ahead = min(self._plan.chunks(ceil(min(needed, 1e15))), self._budget)

    def _distance(self, summary: Summary, target: float) -> float | None:
        """The largest standard error over its target; None if one is missing or not trusted."""
        found, worst = estimates(summary, self._method, self._of), 0.0
        for name in self._of:
            one = found.get(name)
            if one is None or not one.trusted or one.value == 0.0:
                return None
            worst = max(worst, one.std_error / (target * abs(one.value)))
        return worst
