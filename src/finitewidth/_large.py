"""Long work is asked for: its cost is estimated before it starts, and refused beyond a bound.

One bound, one sentence and one way out for everything: ``allow_large=True`` in the functions that
take it, ``--yes`` in the commands.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from finitewidth._memory import available, readable

SECONDS = 300.0
"""Longest work that is begun without being asked for."""

_asked: ContextVar[bool] = ContextVar("allow_large", default=False)


def allow_large(allowed: bool) -> None:
    """Whether long work is begun from here on: what ``--yes`` says of a whole command."""
    _asked.set(allowed)


@contextmanager
def allowing(allowed: bool) -> Iterator[None]:
    """Long work is begun inside, if it is allowed here or around."""
    token = _asked.set(_asked.get() or allowed)
    try:
        yield
    finally:
        _asked.reset(token)


def check_cost(what: str, seconds: float, needed: float, remedy: str) -> None:
    """Refuse work that does not fit into memory, or that takes long and was not asked for.

    Parameters
    ----------
    what : str
        The work, as the sentence's subject: ``"a sample of 10 networks of depth 3"``.
    seconds, needed : float
        Roughly how long it takes, and the bytes it holds.
    remedy : str
        What to do instead: ``"ask for fewer layers"``.

    Raises
    ------
    ValueError
        With the estimate and the way out.
    """
    free = available()
    if needed > 0.9 * free:
        raise ValueError(
            f"{what} takes {readable(needed)}, and {readable(free)} are free; {remedy}."
        )
    if seconds > SECONDS and not _asked.get():
        raise ValueError(
            f"{what} takes about {duration(seconds)}; {remedy}, or allow it with "
            "allow_large=True (--yes)."
        )


def duration(seconds: float) -> str:
    """A time in its unit."""
    for unit, size in (("seconds", 60.0), ("minutes", 60.0), ("hours", 24.0), ("days", 365.0)):
        if seconds < 2 * size:
            return f"{seconds:.2g} {unit}"
        seconds /= size
    return f"{seconds:.2g} years"
