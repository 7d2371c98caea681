"""Functions that are named in text: ``package.module:name`` and ``path/to/file.py:name``."""

import importlib
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from finitewidth._files import to_read

LONGEST = 300
"""Characters of what a user's error says, before it is cut."""


def imported(spec: str, name: str) -> Callable[..., Any]:
    """The function that ``package.module:function`` or ``path/to/file.py:function`` names.

    Parameters
    ----------
    spec : str
        Modules are looked for in the current folder too.
    name : str
        What the sentence of an error calls it.

    Raises
    ------
    ValueError
        If the text has another form, the module cannot be imported, or has no such function.
    """
    place, colon, function = spec.rpartition(":")
    if not colon or not place or not function.isidentifier():
        raise ValueError(
            f"{name} is {spec!r}, expected module:function, e.g. mypkg.models:make, or "
            "path/to/file.py:make."
        )
    try:
        module = _from_file(Path(place)) if place.endswith(".py") else _by_name(place)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's module may raise anything
        known = isinstance(error, ImportError | ValueError | OSError)
        reason = str(error).rstrip(".") if known else raised(error)
        raise ValueError(f"{name} is {spec!r}, but importing {place!r} fails: {reason}.") from (
            None if known else error
        )
    found = getattr(module, function, None)
    if not callable(found):
        raise ValueError(f"{name} is {spec!r}, but {place!r} has no function {function!r}.")
    return found


def named(function: Any) -> str:
    """``module:function``, as the command line takes it."""
    while isinstance(function, partial):
        function = function.func
    if isinstance(function, str):
        return function
    name = getattr(function, "__qualname__", type(function).__name__)
    module = getattr(function, "__module__", None)
    return name if module in (None, "__main__") else f"{module}:{name}"


def raised(error: BaseException) -> str:
    """An error of a user's function on one line: its type and what it says."""
    text = " ".join(str(error).split()).rstrip(".")
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _by_name(module: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    return importlib.import_module(module)


def _from_file(path: Path) -> ModuleType:
    """A module of the file's own name, so that what it defines can be sent to other processes."""
    path = to_read(path, "there is no such file").resolve()
    if not path.stem.isidentifier():
        raise OSError("its name is no name of a module; rename the file")
    folder = str(path.parent)  # its neighbours can be imported, as when it is run
    if folder not in sys.path:
        sys.path.insert(0, folder)
    module = importlib.import_module(path.stem)
    if Path(getattr(module, "__file__", None) or "/").resolve() != path:
        raise OSError(f"another module {path.stem!r} is found before it; rename the file")
    return module
