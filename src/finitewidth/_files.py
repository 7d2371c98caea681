"""Files that are to be read or written, looked at before anything is computed."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from finitewidth._memory import readable

_KINDS = {
    stat.S_IFDIR: "a folder", stat.S_IFIFO: "a named pipe", stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device", stat.S_IFSOCK: "a socket",
}  # fmt: skip

_SHOWN = 200
"""Characters of a name that a sentence repeats."""


def to_write(path: str | Path, *endings: str, name: str = "path") -> Path:
    """The absolute path of a file that can be written.

    Parameters
    ----------
    path : str or path
    *endings : str
        Allowed endings, such as ``".html"``; any without them.
    name : str
        What the sentence of an error calls it.

    Raises
    ------
    ValueError
        For another ending, a folder that does not exist, or what is there and is no regular file
        that can be written.
    """
    found, said = Path(path).absolute(), f"{name} is {_short(str(path))!r}"
    if endings and found.suffix not in endings:
        raise ValueError(f"{said}, expected a name ending in {' or '.join(endings)}.")
    folder = _looked_at(found.parent, said)
    if folder is None or not stat.S_ISDIR(folder.st_mode):
        raise ValueError(f"{said}, but there is no folder {_short(str(found.parent))}.")
    there = _looked_at(found, said)
    _refuse_irregular(there, said)
    if not os.access(found if there else found.parent, os.W_OK):
        raise ValueError(f"{said}, which may not be written; change its permissions, or the name.")
    return found


def to_read(path: str | Path, absent: str, most: int | None = None, name: str = "the file") -> Path:
    """The path of a regular file that can be read: no pipe and no device, which have no end.

    Parameters
    ----------
    path : str or path
    absent : str
        The sentence where there is no such file.
    most : int, optional
        Bytes that it may have.
    name : str
        What other sentences call it.

    Raises
    ------
    ValueError
    """
    found, said = Path(path), f"{name} is {_short(str(path))!r}"
    there = _looked_at(found, said)
    if there is None:
        raise ValueError(absent)
    _refuse_irregular(there, said)
    if not os.access(found, os.R_OK):
        raise ValueError(f"{said}, which may not be read; change its permissions.")
    if most is not None and there.st_size > most:
        raise ValueError(
            f"{said}, of {readable(there.st_size)}; expected {readable(most)} or less."
        )
    return found


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """What goes wrong while a file is written, e.g. a full disk, as a RuntimeError."""
    try:
        yield
    except OSError as error:
        said = error.strerror or error
        raise RuntimeError(f"{_short(str(path))} cannot be written: {said}.") from None


def _looked_at(path: Path, said: str) -> os.stat_result | None:
    """What the system says of a path; None if there is nothing."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:  # e.g. a name that is too long
        raise ValueError(f"{said}, which cannot be opened: {error.strerror}.") from None
    except ValueError as error:  # a null byte
        raise ValueError(f"{said}, which cannot be opened: {error}.") from None


def _refuse_irregular(there: os.stat_result | None, said: str) -> None:
    if there is not None and not stat.S_ISREG(there.st_mode):
        kind = _KINDS.get(stat.S_IFMT(there.st_mode), "no file")
        raise ValueError(f"{said}, which is {kind}; expected a regular file.")


def _short(name: str) -> str:
    half = _SHOWN // 2
    return name if len(name) <= _SHOWN else f"{name[:half]}…{name[-half:]}"
