"""`Bars`: a histogram in the characters of a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

EIGHTHS = " ▏▎▍▌▋▊▉"


@dataclass(frozen=True)
class Bars:
    """A histogram that only a terminal shows; elsewhere a figure stands in its place.

    Attributes
    ----------
    title : str
        Its heading.
    rows : sequence of (str, float)
        Label and length (0 or more) of every bar; labels of one length.
    """

    title: str
    rows: Sequence[tuple[str, float]]

    def lines(self, width: int) -> list[str]:
        """The bars, the longest as wide as the terminal."""
        longest = max((length for _, length in self.rows), default=0.0) or 1.0
        lines = []
        for label, length in self.rows:
            eighths = round(8 * max(width - len(label) - 1, 10) * length / longest)
            lines.append(f"{label} {'█' * (eighths // 8)}{EIGHTHS[eighths % 8]}".rstrip())
        return lines
