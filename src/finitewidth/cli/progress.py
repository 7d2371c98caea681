"""Progress with the time left, on standard error, for work that takes a while: bar or lines."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

SOON = 10.0
"""Seconds until which nothing is written where standard error is no terminal."""

LONG = 2e7
"""From so many layers times networks on (a few seconds) a bar is shown."""


@contextmanager
def progress_bar(what: str, work: float = LONG) -> Iterator[Callable[[int, int], None] | None]:
    """A callable (done, total) that moves a bar, or None where the work is short.

    Parameters
    ----------
    what : str
        What is counted, e.g. ``"networks"``.
    work : float
        Networks times layers.
    """
    if work < LONG:
        yield None
        return
    with _bar() as show:
        yield lambda done, total: show(f"{done} of {total} {what}", done, total)


@contextmanager
def sweep_bar() -> Iterator[Callable[[Any], None]]:
    """A callable that moves a bar by the `Progress` of a sweep: cells, and the estimated work."""
    with _bar() as show:

        def move(at: Any) -> None:
            failed = f", {at.failed} failed" if at.failed else ""
            show(f"{at.finished} of {at.cells} cells{failed}", at.done, at.total)

        yield move


@contextmanager
def _bar() -> Iterator[Callable[[str, float, float], None]]:
    """A callable (what is said, done, total) that moves a bar, or writes lines into a file."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines()
        return
    bar = Progress(*columns, console=console, transient=True)
    task = bar.add_task("", total=None)

    def move(said: str, done: float, total: float) -> None:
        bar.start()  # only now: what is refused before anything is done shows no bar
        bar.update(task, description=said, completed=done, total=total)

    try:
        yield move
    finally:
        if bar.live.is_started:
            bar.stop()


def _lines() -> Callable[[str, float, float], None]:
    """A callable (what is said, done, total) that writes a line at every tenth of the work."""
    began, last = monotonic(), 0

    def move(said: str, done: float, total: float) -> None:
        nonlocal last
        passed, tenth = monotonic() - began, int(10 * done / total) if total else 0
        if tenth > last and passed >= SOON:
            left = f", {passed * (total - done) / done:.0f} s left" if 0 < done < total else ""
            sys.stderr.write(f"finitewidth: {10 * tenth} %: {said}{left}\n")
            sys.stderr.flush()
        last = tenth

    return move
