"""Progress of long runs: nothing, a callable, or a bar in the terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Report = Callable[[int, int], object]


@contextmanager
def reporting(progress: object, label: str) -> Iterator[Report]:
    """A callable for (networks done, networks in all).

    Parameters
    ----------
    progress : bool or callable
        False: silence. True: a progress bar on standard error. A callable is passed through.
    label : str
        Text before the bar.

    Raises
    ------
    TypeError
        For anything else.
    """
    if callable(progress):
        yield progress
    elif progress is False or progress is None:
        yield lambda done, total: None
    elif progress is True:
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True)) as bar:
            task = bar.add_task(label, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
    else:
        raise TypeError(
            f"progress is {progress!r}, expected True, False or a callable of "
            "(networks done, networks in all)."
        )
