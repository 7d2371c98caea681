"""Why cells failed, every cause once."""

from collections import Counter
from collections.abc import Sequence

from finitewidth.report import Section

CAUSES = 5
"""Causes that are shown."""


def failures(causes: Sequence[str]) -> list[Section]:
    """A section of the commonest causes, with how many cells each has cost; none without any."""
    counted = Counter(causes).most_common()
    lines = [f"{count} failed: {cause}" for cause, count in counted[:CAUSES]]
    if len(counted) > CAUSES:
        lines.append(f"and {len(counted) - CAUSES} other causes: finitewidth sweep export.")
    return [Section("What failed", lines)] if lines else []
