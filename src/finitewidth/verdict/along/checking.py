"""`check_along`: the verdict at several widths or depths."""

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic
from typing import Any

from finitewidth._whole_number import whole_number
from finitewidth.statistics.blocks import Progress
from finitewidth.verdict.along.result import ChecksAlong
from finitewidth.verdict.checking import check
from finitewidth.verdict.setting import named


def check_along(
    make_model: Callable[..., Any],
    argument: str,
    values: Sequence[int],
    X: Any,
    y: Any = None,
    *,
    progress: Progress | None = None,
    **arguments: Any,
) -> ChecksAlong:
    """`check` at several values of an argument of the factory, at the same seeds.

    Parameters
    ----------
    make_model : callable
        As in `check`; takes `argument` by name.
    argument : str
        ``"width"``, ``"depth"`` or another one.
    values : sequence of int
        At least two, each at least 1; they are measured in increasing order.
    X, y, **arguments
        As in `check`.
    progress : callable, optional
        Called with (done, total) over all values.

    Returns
    -------
    ChecksAlong

    Raises
    ------
    ValueError, TypeError
        As `check`; if the factory does not take the argument; for fewer than two values, repeated
        ones, or any that is no whole number of at least 1.
    """
    chosen = _checked_values(argument, values)
    refuse_missing(make_model, argument)
    arguments["name"] = arguments.get("name") or named(make_model)
    checks, seconds = [], []
    for place, value in enumerate(chosen):
        told = None if progress is None else partial(_tell, progress, place, len(chosen))
        one = partial(make_model, **{argument: value})
        began = monotonic()
        checks.append(check(one, X, y, progress=told, **arguments))
        seconds.append(monotonic() - began)
    return ChecksAlong(argument, chosen, checks, seconds)


def refuse_missing(make_model: Callable[..., Any], argument: str) -> None:
    """Refuse a factory that does not take the argument.

    Raises
    ------
    ValueError
        If it has no parameter of that name.
    """
    try:
        parameters = inspect.signature(make_model).parameters
    except (TypeError, ValueError):  # a builtin: the call will tell
        return
    kinds = [one.kind for one in parameters.values()]
    known = argument in parameters and parameters[argument].kind is not (
        inspect.Parameter.POSITIONAL_ONLY
    )
    if not known and inspect.Parameter.VAR_KEYWORD not in kinds:
        raise ValueError(
            f"make_model takes {', '.join(parameters) or 'no arguments'}, so {argument!r} cannot "
            f"be varied; give it an argument {argument}."
        )


def _checked_values(argument: str, values: Sequence[int]) -> list[int]:
    values = [whole_number(value, argument, 1) for value in values]
    if len(set(values)) < len(values):
        raise ValueError(f"{argument} holds a value twice; every value is measured once.")
    if len(values) < 2:
        raise ValueError(
            f"{argument} has {len(values)} value{'s' * (len(values) != 1)}, expected at least 2."
        )
    return sorted(values)


def _tell(progress: Progress, place: int, count: int, done: int, total: int) -> None:
    """Progress of one value as a part of all."""
    progress(place * total + done, count * total)
