"""The narrowest network that meets a target, by bisection on the exact law."""

from collections.abc import Callable
from math import exp, isfinite, log

from finitewidth.law import KernelLaw
from finitewidth.network.exact import double

MAX_WIDTH = 10**12

_SMALL = 64
"""From here on dispersion and update fall with the width; below, dead layers can reverse that."""


def check_targets(max_dispersion: float | None, max_relative_update: float | None) -> None:
    """Whether there is a target, and each is in range."""
    if max_dispersion is None and max_relative_update is None:
        raise ValueError("no target was given; set max_dispersion or max_relative_update.")
    for name, target, low in (
        ("max_dispersion", max_dispersion, 1.0),
        ("max_relative_update", max_relative_update, 0.0),
    ):
        if target is not None and not (isfinite(double(target, name)) and target > low):
            why = ", which only infinite width reaches" if target == low else ""
            raise ValueError(f"{name} is {target}{why}; expected a finite number above {low:g}.")


def narrowest(
    law: Callable[[int], KernelLaw],
    max_dispersion: float | None,
    max_relative_update: float | None,
    learning_rate: float,
) -> int:
    """The smallest width from which on the targets hold, `law` giving the network of a width.

    Raises
    ------
    ValueError
        If no width up to 10¹² meets them.
    """

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
        size = _log_relative_update(law, learning_rate)
        shown = f"{exp(size):.3g}" if abs(size) < 700 else f"e^{size:.4g}"
        reached.append(f"|E ΔK|/E K = {shown}")
    return (
        f"no width up to {MAX_WIDTH:.0e} meets the target; there {' and '.join(reached)}: "
        "use fewer layers, a looser target, or a smaller learning rate."
    )
