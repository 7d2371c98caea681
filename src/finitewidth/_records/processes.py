"""Whether a process still runs, told apart from a later one with its number."""

import os
from pathlib import Path


def started(process: int) -> int | None:
    """When a process started, in clock ticks of the system; None if it ended or cannot be asked."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
        # The name, in brackets, may hold anything; the state follows it, the start is 19 on.
        fields = text.rpartition(")")[2].split()
        return None if fields[0] in "ZX" else int(fields[19])
    except (OSError, ValueError, IndexError):
        return None


def is_running(process: int, began: int | None) -> bool:
    """Whether a process runs that has this number and, where known, started then."""
    if began is not None:
        return started(process) == began
    if os.name == "nt":  # os.kill would end it there; the newer writer takes over
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
