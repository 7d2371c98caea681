"""`Outcome`: what a run of a grid did."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """What a run of a sweep did.

    Attributes
    ----------
    store : Path
    cells : int
        Cells of the grid.
    finished : int
        Of these, finished now.
    computed : int
        Chunks that this run computed.
    failures : list of (dict, str)
        Inputs and cause of every cell that failed.
    messages : list of str
        What was found damaged in the store and computed again.
    """

    store: Path
    cells: int
    finished: int
    computed: int
    failures: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every cell is finished."""
        return self.finished == self.cells
