"""Data sets that are named in text: the digits, an .npz file, a function."""

from dataclasses import dataclass
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np

from finitewidth._files import to_read
from finitewidth._memory import available, readable
from finitewidth.data.digits import IN_WORDS, digits
from finitewidth.data.references import imported


@dataclass(frozen=True)
class Data:
    """Inputs, and targets where the data set has any.

    Attributes
    ----------
    X : array [B, …]
    y : array [B, …] or None
    description : str
        What the data set is and what was done to it, as part of a sentence.
    name : str
        As it was asked for.
    """

    X: np.ndarray
    y: np.ndarray | None
    description: str
    name: str = ""


def load(spec: str, count: int | None = None, loss: str = "mse", name: str = "data") -> Data:
    """A data set, or its first `count` inputs, with their targets.

    Parameters
    ----------
    spec : str
        ``digits`` (scikit-learn's, 64 pixels scaled to [0, 1], ten classes), ``file.npz`` with an
        array X and perhaps y, or ``module:function`` that returns X or (X, y).
    count : int, optional
        How many, at least 1; all of them if not given.
    loss : str
        ``"mse"`` makes the classes of the digits one-hot rows.
    name : str
        What the sentence of an error calls it.

    Raises
    ------
    ValueError
        If the data are missing, hold objects, or are no arrays of inputs and targets, or for a
        count below 1.
    RuntimeError
        If scikit-learn is needed and not installed.
    """
    if count is not None and count < 1:
        raise ValueError(f"{count} inputs of {name} {spec!r} were asked for, expected 1 or more.")
    description = spec
    if spec == "digits":
        inputs, targets, description = _digits(loss)
    elif spec.endswith(".npz"):
        inputs, targets = _from_npz(spec, name)
    else:
        found = imported(spec, name)()
        both = isinstance(found, tuple)
        if both and len(found) != 2:
            raise ValueError(
                f"{name} {spec!r} returns {len(found)} things, expected X or the pair (X, y)."
            )
        inputs, targets = found if both else (found, None)
    inputs = _numbers(inputs, f"{name} {spec!r}", "X")
    if targets is None:
        return Data(inputs[:count], None, description, spec)
    targets = _numbers(targets, f"{name} {spec!r}", "y")
    if len(targets) != len(inputs):
        raise ValueError(
            f"{name} {spec!r} gives {len(inputs)} inputs and {len(targets)} targets, expected one "
            "target for every input."
        )
    return Data(inputs[:count], targets[:count], description, spec)


def _numbers(values: Any, source: str, name: str) -> np.ndarray:
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"the {name} of {source} is no array: {str(error).rstrip('.')}.") from None
    if array.dtype.kind not in "fiub" or array.ndim < 1 or not len(array):
        raise ValueError(
            f"{source} gives an array {name} of shape {list(array.shape)} and type "
            f"{array.dtype}, expected numbers of shape [inputs, …]."
        )
    return array


def _digits(loss: str) -> tuple[np.ndarray, np.ndarray, str]:
    images, classes = digits()
    if loss == "mse":
        return images, np.eye(10)[classes], f"{IN_WORDS}, the ten classes as one-hot targets"
    return images, classes, f"{IN_WORDS}, targets the class numbers 0 … 9"


def _from_npz(spec: str, name: str) -> tuple[np.ndarray, np.ndarray | None]:
    to_read(spec, f"{name} names {spec!r}, but there is no such file.", available(), name)
    try:
        with np.load(spec, allow_pickle=False) as archive:
            _refuse_large(archive.zip, spec, name)
            if "X" not in archive:
                raise ValueError(
                    f"{name} names {spec!r}, which holds {', '.join(archive.files) or 'nothing'}; "
                    "expected an array X."
                )
            return archive["X"], archive.get("y")
    except (MemoryError, OverflowError):  # of a shape that the file does not hold
        raise ValueError(f"{name} names {spec!r}, which does not fit into the memory.") from None
    except (OSError, EOFError, BadZipFile) as error:
        raise ValueError(f"{name} names {spec!r}, which is no .npz file: {error}.") from None
    except (AttributeError, TypeError):  # a plain array under this name
        raise ValueError(
            f"{name} names {spec!r}, which is a single array; expected an .npz file with an array "
            "X, written by numpy.savez."
        ) from None
    except ValueError as error:
        if "pickle" in str(error):
            raise ValueError(
                f"{name} names {spec!r}, which holds Python objects; save plain numbers."
            ) from None
        raise


def _refuse_large(archive: ZipFile, spec: str, name: str) -> None:
    """Refuse arrays that are larger than the memory once they are unpacked."""
    large = max((one.file_size for one in archive.infolist()), default=0)
    if large > available():
        raise ValueError(
            f"{name} names {spec!r}, which holds an array of {readable(large)}; "
            f"{readable(available())} of memory are free."
        )
