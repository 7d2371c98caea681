"""What is sent to a worker, and what comes back."""

import socket
import sys
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Generic, TypeVar

from finitewidth._extras import needed_for
from finitewidth._version import __version__

Value = TypeVar("Value")


@dataclass(frozen=True)
class Task:
    """One call of a function.

    Attributes
    ----------
    key : hashable
        Tells it from all others.
    function : callable
        Importable by name. What it gives travels to this process; a checksum that is to hold from
        end to end is made by the function and is part of it.
    arguments : tuple
    seconds : float
        Estimated, of one core.
    label : str
        What it is called in sentences, e.g. ``"chunk 3"``.
    modules : tuple of str
        Loaded before the function runs, so that the threads of their libraries are limited too.
    """

    key: Hashable
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    seconds: float
    label: str
    modules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result(Generic[Value]):
    """What a task gave, or why it gave nothing.

    Attributes
    ----------
    value : any
        None where it failed.
    cause : str
        Why it failed, or empty.
    seconds : float
        That it took.
    host : str
        Where.
    """

    value: Value | None
    cause: str
    seconds: float
    host: str

    @classmethod
    def failed(cls, cause: str) -> "Result[Any]":
        """No value, but a cause."""
        return Result(None, cause, 0.0, socket.gethostname())


@dataclass(frozen=True)
class Bundle:
    """Tasks that are computed together; `alone`: while nothing else runs."""

    tasks: tuple[Task, ...]
    alone: bool = False


def compute(tasks: Sequence[Task]) -> list[Result[Any]]:
    """Run tasks one after the other; the error of one does not end the others."""
    for name in {name for task in tasks for name in task.modules}:
        with suppress(ImportError):  # told by the task itself
            import_module(name)
    with one_thread():
        return [_computed(task) for task in tasks]


def compute_remotely(tasks: Sequence[Task], version: str) -> list[Result[Any]]:
    """As `compute`, for a worker elsewhere.

    Raises
    ------
    RuntimeError
        If it runs another version of the package, whose numbers might be others.
    """
    if version != __version__:
        raise RuntimeError(
            f"the worker on {socket.gethostname()} runs finitewidth {__version__} and this process "
            f"{version}; install the same everywhere."
        )
    return compute(tasks)


def _computed(task: Task) -> Result[Any]:
    began = time.perf_counter()
    try:
        value = task.function(*task.arguments)
    except MemoryError:
        return Result.failed("the memory of the worker does not suffice.")
    except ModuleNotFoundError as error:
        return Result.failed(f"{error.name} is needed and not installed on {socket.gethostname()}.")
    except Exception as error:  # noqa: BLE001  (whatever it is, it is this task's result)
        sentence = " ".join(str(error).split()) or "no message"
        plain = isinstance(error, ValueError | TypeError | RuntimeError)
        return Result.failed(sentence if plain else f"{type(error).__name__}: {sentence}")
    return Result(value, "", time.perf_counter() - began, socket.gethostname())


@contextmanager
def one_thread() -> Iterator[None]:
    """Linear algebra on one thread: every core has its own worker, and one number of threads
    everywhere gives the same last digits everywhere.
    """  # noqa: D205
    with needed_for("parallel runs", "sweep"):
        from threadpoolctl import threadpool_limits

    torch = sys.modules.get("torch")
    before = None if torch is None else torch.get_num_threads()
    try:
        if torch is not None:
            torch.set_num_threads(1)
        with threadpool_limits(limits=1):
            yield
    finally:
        if torch is not None:
            torch.set_num_threads(before)
