"""The benchmark table."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One measurement.

    Attributes
    ----------
    name : str
        What was done.
    seconds : float
        Median wall time.
    ratio : float or None
        Time over the time of `against`, in the same run.
    against : str
        What a user would use instead.
    limit : float or None
        Goal for `seconds`.
    ratio_at_most : float or None
        Goal for `ratio`.
    """

    name: str
    seconds: float
    ratio: float | None = None
    against: str = ""
    limit: float | None = None
    ratio_at_most: float | None = None

    @property
    def verdict(self) -> str:
        """Whether the goals are met."""
        checks = [
            (self.seconds, self.limit),
            (self.ratio, self.ratio_at_most),
        ]
        met = all(found <= goal for found, goal in checks if found is not None and goal is not None)
        return "met" if met else "MISSED"


def _time(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} µs"


def show(lines: Iterable[Line]) -> None:
    """Print the lines as they come."""
    for line in lines:
        goal = f"goal {_time(line.limit)}" if line.limit else ""
        ratio = ""
        if line.ratio is not None:
            ratio = f"{line.ratio:.3g} × {line.against}"
            if line.ratio_at_most:
                goal = f"goal {line.ratio_at_most:g} ×"
        print(
            f"{line.name:52} {_time(line.seconds):>9}  {ratio:38} {goal:14} {line.verdict}",
            flush=True,
        )
