"""Reading one input vector: a .npy file, or one of scikit-learn's digits."""

from pathlib import Path

import numpy as np

from finitewidth._shapes import Float


def read_input(spec: str) -> Float[np.ndarray, " n_in"]:
    """The input that --input names.

    Parameters
    ----------
    spec : str
        A path ending in ``.npy`` (one vector), or ``digits:I`` for image I of scikit-learn's
        digits, its 64 pixels scaled to [0, 1].

    Raises
    ------
    ValueError
        If the file is missing, is no .npy file, holds objects, or not one vector of numbers.
    RuntimeError
        If scikit-learn is needed and not installed.
    """
    if spec.startswith("digits:"):
        return _digit(spec)
    path = Path(spec)
    if path.suffix != ".npy":
        raise ValueError(f"--input is {spec!r}, expected a .npy file or digits:I, e.g. digits:7.")
    if not path.is_file():
        raise ValueError(f"--input names {spec!r}, but there is no such file.")
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        reason = (
            "holds Python objects" if "pickle" in str(error) and _is_npy(path) else "is not one"
        )
        raise ValueError(
            f"--input names {spec!r}, which {reason}; expected a .npy file of plain numbers "
            "written by numpy.save."
        ) from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub" or array.ndim != 1:
        shape = getattr(array, "shape", ())
        raise ValueError(
            f"--input names {spec!r}, an array of shape {list(shape)} and type "
            f"{getattr(array, 'dtype', type(array).__name__)}; expected one vector of real numbers."
        )
    return array.astype(np.float64)


def _is_npy(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(6) == b"\x93NUMPY"


def digits() -> Float[np.ndarray, "images 64"]:
    """scikit-learn's handwritten digits, pixels scaled to [0, 1].

    Raises
    ------
    RuntimeError
        If scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise RuntimeError(
            "the digits come with scikit-learn, which is not installed; "
            'pip install "finitewidth[demo]".'
        ) from None
    images, _ = load_digits(return_X_y=True)
    return np.asarray(images, dtype=np.float64) / 16.0


def _digit(spec: str) -> Float[np.ndarray, " n_in"]:
    images, text = digits(), spec.removeprefix("digits:")
    if not text.isdigit() or int(text) >= len(images):
        raise ValueError(
            f"--input is {spec!r}, expected digits:I with I from 0 to {len(images) - 1}."
        )
    return images[int(text)]
