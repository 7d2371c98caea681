"""Large arrays beside the store: whole files, named by their content.

They lie in the folder ``results.sqlite.files`` as ``.npy``, which numpy.load reads. A file is there
whole or not at all, and the database, which names it in a checked row, is told of it last.
"""

import os
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import numpy as np


def content_of(array: np.ndarray) -> bytes:
    """An array as the bytes of a ``.npy`` file."""
    file = BytesIO()
    np.save(file, np.ascontiguousarray(array), allow_pickle=False)
    return file.getvalue()


def digest_of(content: bytes) -> str:
    """The name of a content: its SHA-256, in hexadecimal."""
    return sha256(content).hexdigest()


def folder_of(store: Path) -> Path:
    """Where a store's arrays lie."""
    return store.with_name(store.name + ".files")


def write(store: Path, content: bytes) -> None:
    """Put a file in place, unless it is there; when this returns it outlives a power failure.

    The temporary file lies in the same folder, so that putting it in place never copies between
    file systems.

    Raises
    ------
    RuntimeError
        If it cannot be written, e.g. because the disk is full.
    """
    folder = folder_of(store)
    path = folder / f"{digest_of(content)}.npy"
    temporary = folder / f".{uuid4().hex}.tmp"
    try:
        folder.mkdir(exist_ok=True)
        if is_sound(store, path.stem):
            return
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _flush(folder)
    except OSError as error:
        raise RuntimeError(
            f"{path} cannot be written: {error}; what was stored before is intact."
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _flush(folder: Path) -> None:
    """Make the folder's entries durable, where the system lets folders be opened."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def is_sound(store: Path, digest: str) -> bool:
    """Whether a file is there and holds what its name says."""
    try:
        path = folder_of(store) / f"{digest}.npy"
        return path.is_file() and digest_of(path.read_bytes()) == digest
    except OSError:
        return False


def read(store: Path, digest: str) -> np.ndarray:
    """The array of a file.

    Raises
    ------
    RuntimeError
        If it is missing or damaged.
    """
    if not is_sound(store, digest):
        raise RuntimeError(
            f"{folder_of(store) / digest}.npy is missing or damaged; running the sweep again "
            "computes it anew."
        )
    return np.load(folder_of(store) / f"{digest}.npy", allow_pickle=False)
