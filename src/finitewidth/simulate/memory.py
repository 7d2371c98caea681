"""How many networks fit into memory at once, and the sentence for when not even one does."""

import os
from pathlib import Path
from typing import SupportsIndex

from finitewidth.network import MLP
from finitewidth.simulate.inputs import whole

FALLBACK = 2 * 2**30  # bytes, where the system does not say how much is free
NUMBER = 8  # bytes of a float64
LAYER = 4096  # bytes of Python objects that a layer takes, however narrow it is


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


def parameter_counts(net: MLP) -> tuple[int, int]:
    """Number of weights, and of neurons behind the input."""
    fan_in, weights, neurons = net.n_in, 0, 0
    for width, count in (*net.runs, (net.n_out, 1)):
        weights += fan_in * width + (count - 1) * width * width
        neurons += count * width
        fan_in = width
    return weights, neurons


def _readable(number: int) -> str:
    count = float(number)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.3g} {unit}"
        count /= 1024
    return f"{count:.3g} TiB"


def networks_at_once(
    net: MLP,
    batch: int,
    size: int,
    result_numbers: int,
    budget: SupportsIndex | None,
    *,
    step: bool,
) -> int:
    """How many networks may be held at once.

    Parameters
    ----------
    net : MLP
        The network.
    batch : int
        B, the number of inputs.
    size : int
        Number of networks in all.
    result_numbers : int
        Numbers kept for each network in the result.
    budget : int or None
        Bytes, or None for half of the memory that is free.
    step : bool
        Whether a gradient step is taken: the moved weights and the tangents are held too.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    ValueError
        If results and one network do not fit into the budget.
    """
    most = available() // 2 if budget is None else whole(budget, "memory_budget", 1)
    weights, neurons = parameter_counts(net)
    # Held at the peak, counted generously. Weights: all of them, and for a step their moves.
    # Activations at every input: pre-activation, value, slope, gradient; for a step also the
    # tangents and the old slopes. B × B: the kernel's parts and their products.
    held = weights * (2 if step else 1) + 2 * neurons
    held += batch * (net.n_in + neurons * (10 if step else 5))
    held += 12 * batch * batch
    # Once, however many networks are held: a temporary in the sampler of the weights, and with
    # several networks their fresh draw before it is copied to its place.
    one, draw = NUMBER * held, NUMBER * weights
    once = draw + LAYER * net.depth
    results = NUMBER * size * result_numbers
    if results + once + one > most:
        remedy = (
            "lower size or the number of inputs"
            if results > once + one
            else "lower the widths or the depth"
        )
        raise ValueError(
            f"{size} networks at {batch} input(s) need {_readable(results + once + one)} "
            f"({_readable(results)} of results and {_readable(once + one)} for one network at a "
            f"time), more than the memory budget of {_readable(most)}; {remedy}, or raise "
            "memory_budget."
        )
    return max(1, (most - results - once - draw) // one)
