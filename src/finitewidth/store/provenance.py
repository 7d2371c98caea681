"""Who writes, where, when and with which version; whether a process still runs."""

import os
import socket
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from finitewidth._version import __version__


def provenance() -> dict[str, Any]:
    """Version, host and time."""
    return {
        "finitewidth": __version__,
        "host": socket.gethostname(),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def source_commit() -> str:
    """The commit of the package's source, where it is run from a checkout; empty elsewhere."""
    folder = Path(__file__).resolve().parents[3]
    if not (folder / ".git").exists():
        return ""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


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
