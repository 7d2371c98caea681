"""The JSON of `finitewidth check`: the shape of all commands, and the verdict beside it."""

from dataclasses import dataclass
from typing import Any

from finitewidth.cli.results import Results
from finitewidth.verdict import Check, Row


@dataclass
class CheckResults(Results):
    """Inputs, named results, and what was concluded from them."""

    def row(self, row: Row, prefix: str = "") -> None:
        """A measured number, and what theory says of it under ``…_exact_law``."""
        self.estimate(prefix + row.name, row.measured)
        if row.theory is None:
            return
        name = f"{prefix}{row.name}_exact_law"
        if isinstance(row.theory, float | int):
            self.exact(name, float(row.theory))
        else:
            self.estimate(name, row.theory)


def concluded(check: Check) -> dict[str, Any]:
    """A verdict as JSON."""
    decision = check.decision
    return {
        "word": check.verdict,
        "sentence": check.sentence,
        "passed": check.passed,
        "limits": list(check.limits),
        "theory": check.theory,
        "notes": list(check.notes),
        "decided_by": decision.about,
        "seeds_needed": decision.seeds_needed,
        "between": list(decision.between),
    }
