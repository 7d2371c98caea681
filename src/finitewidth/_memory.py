"""How much memory is free, and sizes in words."""

import os
from pathlib import Path

FALLBACK = 2 * 2**30  # bytes, where the system does not say how much is free


def available() -> int:
    """Bytes that can be allocated now: free memory, less where a control group allows less."""
    limits = []
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                limits.append(int(line.split()[1]) * 1024)
        group = Path("/sys/fs/cgroup")
        limit = (group / "memory.max").read_text().strip()
        if limit != "max":
            limits.append(int(limit) - int((group / "memory.current").read_text()))
    except (OSError, ValueError, IndexError):
        pass
    if not limits and "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
    return max(min(limits), 0) if limits else FALLBACK


def readable(number: float) -> str:
    """A number of bytes with its unit."""
    number = float(min(number, 10**300))  # of a number that is too large, so is this one
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.3g} {unit}"
        number /= 1024
    return f"{number:.3g} TiB"
