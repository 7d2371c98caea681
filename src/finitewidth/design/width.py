"""The equal width that keeps a kernel steady, by bisection on the exact law."""

from collections.abc import Callable
from math import isfinite, log
from typing import Any

from finitewidth.law import KernelLaw
from finitewidth.network import MLP

MAX_WIDTH = 10**12

_SMALL = 64
"""From here on dispersion and update fall with the width; below, dead layers can reverse that."""


def width_for(
    hidden_layers: int,
    max_dispersion: float | None = None,
    n_in: int = 1,
    *,
    max_relative_update: float | None = None,
    learning_rate: float = 1.0,
    x: object = None,
    power_sums: tuple[float, ...] | None = None,
    **fields: Any,
) -> int:
    """The smallest equal width from which on a target holds.

    Parameters
    ----------
    hidden_layers : int
        Number of hidden layers, d − 1.
    max_dispersion : float, optional
        Largest allowed E K²/(E K)², above 1.
    n_in : int
        Input dimension; |x|² = n_in unless `x` or `power_sums` is given.
    max_relative_update : float, optional
        Largest allowed |E ΔK|/E K of one SGD step, activation pattern frozen.
    learning_rate : float
        λ of that step.
    x, power_sums
        The input, as `KernelLaw` takes it.
    **fields
        Further fields of `MLP`: activation, weight_law, hidden_gain, …

    Returns
    -------
    int
        The width n: every width ≥ n meets the target(s), and n − 1 does not (or n = 1).

    Raises
    ------
    ValueError
        If no target is given, a target is out of range, there is no hidden layer to widen, or no
        width up to 10¹² meets it (the sentence says what the widest reaches).

    Notes
    -----
    Both quantities fall as the width grows, except where layers are so narrow that dead ones matter
    (docs, "Which width?"); widths below 64 are therefore tried one by one.
    """
    if max_dispersion is None and max_relative_update is None:
        raise ValueError("no target was given; set max_dispersion or max_relative_update.")
    for name, target, low in (
        ("max_dispersion", max_dispersion, 1.0),
        ("max_relative_update", max_relative_update, 0.0),
    ):
        if target is not None and not (isfinite(target) and target > low):
            why = ", which only infinite width reaches" if target == low else ""
            raise ValueError(f"{name} is {target}{why}; expected a finite number above {low:g}.")
    if hidden_layers == 0:
        raise ValueError("hidden_layers is 0, so there is no width to choose; give at least 1.")

    def law(width: int) -> KernelLaw:
        net = MLP.equal_width(n_in, width, hidden_layers, **fields)
        return KernelLaw(net, x, power_sums=power_sums)

    def holds(width: int) -> bool:
        here = law(width)
        return (max_dispersion is None or _steady(here, max_dispersion)) and (
            max_relative_update is None
            or _log_relative_update(here, learning_rate) <= log(max_relative_update)
        )

    if holds(_SMALL):
        return next((n + 1 for n in range(_SMALL - 1, 0, -1) if not holds(n)), 1)
    fails, width = _SMALL, 2 * _SMALL
    while not holds(width):
        if width == MAX_WIDTH:
            update = None if max_relative_update is None else learning_rate
            raise ValueError(_out_of_reach(law(width), max_dispersion is not None, update))
        fails, width = width, min(2 * width, MAX_WIDTH)
    return _bisect(holds, fails, width)


def _bisect(holds: Callable[[int], bool], fails: int, width: int) -> int:
    while width - fails > 1:
        middle = (fails + width) // 2
        if holds(middle):
            width = middle
        else:
            fails = middle
    return width


def _steady(law: KernelLaw, max_dispersion: float) -> bool:
    """Whether the dispersion is small enough, compared where it has digits."""
    if law.log_dispersion() > 1e-6:
        return law.log_dispersion() <= log(max_dispersion)
    return law.relative_variance() <= max_dispersion - 1.0


def _log_relative_update(law: KernelLaw, learning_rate: float) -> float:
    return law.log_update_mean(learning_rate) - law.log_moment(1)


def _out_of_reach(law: KernelLaw, dispersion: bool, learning_rate: float | None) -> str:
    reached = []
    if dispersion:
        reached.append(f"E K²/(E K)² − 1 = {law.relative_variance():.3g}")
    if learning_rate is not None:
        reached.append(f"|E ΔK|/E K = {-law.relative_update(learning_rate):.3g}")
    return (
        f"no width up to {MAX_WIDTH:.0e} meets the target; there {' and '.join(reached)}: "
        "use fewer layers, a looser target, or a smaller learning rate."
    )
