"""Functions that are named in text: ``package.module:name`` and ``path/to/file.py:name``."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from finitewidth._files import to_read


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
    except (ImportError, ValueError, OSError) as error:
        reason = str(error).rstrip(".")
        raise ValueError(f"{name} is {spec!r}, but importing {place!r} fails: {reason}.") from None
    found = getattr(module, function, None)
    if not callable(found):
        raise ValueError(f"{name} is {spec!r}, but {place!r} has no function {function!r}.")
    return found


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
