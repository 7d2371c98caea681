"""Processes that are started: a script without a main guard, and warnings that are told here."""

import os
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import current_process, get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

Result = TypeVar("Result")

Told = tuple[str, type[Warning], str, int]
"""Text, category, file and line of a warning."""

_NOTE = "FINITEWIDTH_UNGUARDED"
"""Names, in the environment, the file by which a started process says that it would start more."""

UNGUARDED = (
    "the script has no main guard: each process that is started runs it again from its first line "
    'and would start more; put the call under `if __name__ == "__main__":`, or use one process '
    "(workers=1, of a sweep cluster=None)."
)


@contextmanager
def started() -> Iterator[None]:
    """Inside, processes may be started.

    One that is still being started, and comes here because the user's script has no main guard,
    ends without a word; the process that started it says so.

    Raises
    ------
    RuntimeError
        If the script has no main guard, or a process ended before its work was done.
    """
    if getattr(current_process(), "_inheriting", False):  # running the user's script a second time
        if _NOTE not in os.environ:  # somebody else's pool
            raise RuntimeError(UNGUARDED)
        Path(os.environ[_NOTE]).touch()
        raise SystemExit(1)
    with TemporaryDirectory() as folder:
        note = Path(folder) / "unguarded"
        os.environ[_NOTE] = str(note)
        try:
            yield
        except Exception as error:
            if note.exists():
                raise RuntimeError(UNGUARDED) from None
            if isinstance(error, BrokenExecutor):
                raise RuntimeError(
                    "a process ended before its work was done; most likely the memory does not "
                    "suffice. Use fewer workers."
                ) from None
            raise
        finally:
            os.environ.pop(_NOTE, None)


@contextmanager
def pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """So many processes; raises as `started`."""
    with started(), ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as made:
        yield made


def with_warnings(
    function: Callable[..., Result], *arguments: Any
) -> tuple[Result | Exception, list[Told]]:
    """What a function gives or raises, and its warnings, each once, for `tell` to show."""
    found: Result | Exception
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = function(*arguments)
        except Exception as error:  # noqa: BLE001  (handed on, after the warnings)
            found = error
    told = [(str(one.message), one.category, one.filename, one.lineno) for one in caught]
    return found, list(dict.fromkeys(told))


def tell(told: list[Told], seen: set[Told]) -> None:
    """Show the warnings that were not shown before."""
    for one in told:
        if one not in seen:
            seen.add(one)
            warnings.warn_explicit(*one)
