"""Reading one input vector: a .npy file, or one of scikit-learn's digits."""

from pathlib import Path

import numpy as np

from finitewidth._files import to_read
from finitewidth._memory import available
from finitewidth._shapes import Float
from finitewidth.data.digits import digit


def vector(spec: str, name: str = "input") -> Float[np.ndarray, " n_in"]:
    """The input vector that a text names.

    Parameters
    ----------
    spec : str
        A path ending in ``.npy`` (one vector), or ``digits:I`` for image I of scikit-learn's
        digits, its 64 pixels scaled to [0, 1].
    name : str
        What the sentence of an error calls it.

    Raises
    ------
    ValueError
        If the file is missing, is no .npy file, holds objects, or not one vector of numbers.
    RuntimeError
        If scikit-learn is needed and not installed.
    """
    if spec.startswith("digits:"):
        return digit(spec, name)
    path = Path(spec)
    if path.suffix != ".npy":
        raise ValueError(f"{name} is {spec!r}, expected a .npy file or digits:I, e.g. digits:7.")
    to_read(path, f"{name} names {spec!r}, but there is no such file.", available(), name)
    try:
        array = np.load(path, allow_pickle=False)
    except (MemoryError, OverflowError):  # of a shape that the file does not hold
        raise ValueError(f"{name} names {spec!r}, which does not fit into the memory.") from None
    except (ValueError, EOFError, OSError) as error:
        reason = (
            "holds Python objects" if "pickle" in str(error) and _is_npy(path) else "is not one"
        )
        raise ValueError(
            f"{name} names {spec!r}, which {reason}; expected a .npy file of plain numbers "
            "written by numpy.save."
        ) from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub" or array.ndim != 1:
        shape = getattr(array, "shape", ())
        raise ValueError(
            f"{name} names {spec!r}, an array of shape {list(shape)} and type "
            f"{getattr(array, 'dtype', type(array).__name__)}; expected one vector of real numbers."
        )
    return array.astype(np.float64)


def _is_npy(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(6) == b"\x93NUMPY"
