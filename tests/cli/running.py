"""What running a command gives back."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import finitewidth as fw

ENVIRONMENT = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb", "PYTHONIOENCODING": "utf-8"}


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]

ENTRIES = {"inputs", "results", "samples", "seeds", "network", "version"}
NUMBER = {"value", "std_error", "method", "exact", "trusted", "note", "size"}


def document(run: Run, *arguments: str, more: Iterable[str] = ()) -> dict[str, Any]:
    """What a command prints with --json: the one shape, and `more` entries."""
    done = run(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found) == ENTRIES | set(more)
    assert found["version"] == fw.__version__
    for entry in found["results"].values():
        assert set(entry) == NUMBER
    return found
