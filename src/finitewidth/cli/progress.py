"""A progress bar with a time estimate, on standard error, for work that takes a while."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

LONG = 2e7
"""From so many layers times networks on (a few seconds) a bar is shown."""


@contextmanager
def progress_bar(what: str, work: float) -> Iterator[Callable[[int, int], None] | None]:
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
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task(what, total=None)

    def move(done: int, total: int) -> None:
        bar.start()  # only now: what is refused before anything is done shows no bar
        bar.update(task, completed=done, total=total)

    try:
        yield move
    finally:
        if bar.live.is_started:
            bar.stop()
