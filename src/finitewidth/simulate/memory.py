"""How many networks fit into memory at once, and the sentence for when not even one does."""

from typing import SupportsIndex

from finitewidth._large import check_cost
from finitewidth._memory import available, readable
from finitewidth._whole_number import whole_number
from finitewidth.network import MLP

NUMBER = 8  # bytes of a float64
LAYER = 4096  # bytes of Python objects that a layer takes, however narrow it is


def parameter_counts(net: MLP) -> tuple[int, int]:
    """Number of weights, and of neurons behind the input."""
    fan_in, weights, neurons = net.n_in, 0, 0
    for width, count in (*net.runs, (net.n_out, 1)):
        weights += fan_in * width + (count - 1) * width * width
        neurons += count * width
        fan_in = width
    return weights, neurons


def check_layers(net: MLP, size: int, passes: int, batch: int) -> None:
    """Refuse networks that take longer than was asked for, however they are stored.

    Parameters
    ----------
    net : MLP
    size : int
        Networks.
    passes : int
        Forward and backward ones of each, at least.
    batch : int
        Inputs.
    """
    neurons = sum(width * count for width, count in net.runs)
    check_cost(
        f"simulating {size} network(s) of {net.depth} layers",
        size * passes * (1e-4 * net.depth / min(size, 64) + 1e-9 * neurons * batch),
        float(LAYER * net.depth),
        "lower the depth, the widths or the size",
    )


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
    weights, neurons = parameter_counts(net)
    check_layers(net, size, 2 if step else 1, batch)
    most = available() // 2 if budget is None else whole_number(budget, "memory_budget", 1)
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
            f"{size} networks at {batch} input(s) need {readable(results + once + one)} "
            f"({readable(results)} of results and {readable(once + one)} for one network at a "
            f"time), more than the memory budget of {readable(most)}; {remedy}, or raise "
            "memory_budget."
        )
    return max(1, (most - results - once - draw) // one)
