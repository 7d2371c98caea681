"""Which value of the argument would keep a limit, and what it costs to know."""

from collections.abc import Iterator
from math import ceil, floor

from finitewidth.verdict.along.powers import crossing
from finitewidth.verdict.along.values import Along
from finitewidth.verdict.regimes import SIGMAS, more_seeds

NAMES = {"dispersion": "the dispersion", "kernel_change": "the kernel's change in one step"}


def reach(along: Along) -> Iterator[str]:
    """A sentence for every limit, and one for every value at which the seeds do not tell."""
    setting = along.checks[0].setting
    limits = {"dispersion": setting.max_dispersion, "kernel_change": setting.max_kernel_change}
    for quantity, limit in limits.items():
        if limit is not None:
            yield from _of_limit(along, quantity, limit)


def _of_limit(along: Along, quantity: str, limit: float) -> Iterator[str]:
    values, estimates = along.series(quantity)
    less = limit - 1.0 if quantity == "dispersion" else limit
    found = crossing(values, estimates, less)
    if found is not None:
        where = _where(along, quantity, found)
        yield f"By the fitted power {NAMES[quantity]} keeps the limit {limit:g} {where}."
    spent = dict(zip(along.values, along.seconds, strict=False))
    for value, estimate in zip(values, estimates, strict=True):
        apart = abs(float(estimate.value) - less)
        if estimate.trusted and apart <= SIGMAS * float(estimate.std_error):
            needed = more_seeds(estimate, less, estimate.size)
            cost = ""
            if value in spent:
                cost = (
                    f", {_duration(spent[value] / estimate.size * needed)} at the pace of this run"
                )
            yield (
                f"{along.argument} {value}: to know whether {NAMES[quantity]} keeps the limit "
                f"{limit:g} takes about {needed:,} seeds{cost}."
            )


def _where(along: Along, quantity: str, found: tuple[float, float, float]) -> str:
    """``from width 310 on (280 to 340 …)``, whole on the side where the limit is kept."""
    power = along.power(quantity)
    falls = power is not None and float(power.value) < 0
    whole = ceil if falls else floor
    at, low, high = (f"{whole(one):,}" for one in found)
    beyond = f"from {along.argument} {at} on" if falls else f"up to {along.argument} {at}"
    measured = min(along.values) <= found[0] <= max(along.values)
    outside = "" if measured else ", beyond what was measured"
    return f"{beyond} ({low} to {high} within two standard errors{outside})"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{ceil(seconds)} s"
    return f"{seconds / 60:,.0f} minutes" if seconds < 7200 else f"{seconds / 3600:,.1f} hours"
