"""Reading what --data and MODULE:NAME arguments name."""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from finitewidth.cli.inputs import digits


@dataclass(frozen=True)
class Data:
    """Inputs, and targets where the data set has any.

    Attributes
    ----------
    X : array [B, …]
    y : array [B, …] or None
    told : str
        What the data set is and what was done to it, as part of a sentence.
    """

    X: np.ndarray
    y: np.ndarray | None
    told: str


def imported(spec: str, what: str) -> Callable[..., Any]:
    """The function that ``package.module:name`` names; the current folder is searched too.

    Raises
    ------
    ValueError
        If the text has another form, the module cannot be imported, or has no such function.
    """
    module_name, colon, name = spec.partition(":")
    if not colon or not module_name or not name.isidentifier():
        raise ValueError(f"{what} is {spec!r}, expected module:function, e.g. mypkg.models:make.")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ValueError(
            f"{what} is {spec!r}, but importing {module_name!r} fails: {error}."
        ) from None
    found = getattr(module, name, None)
    if not callable(found):
        raise ValueError(f"{what} is {spec!r}, but {module_name!r} has no function {name!r}.")
    return found


def read_data(spec: str, count: int, loss: str = "mse") -> Data:
    """The first `count` inputs of a data set, with their targets.

    Parameters
    ----------
    spec : str
        ``digits`` (scikit-learn's, 64 pixels scaled to [0, 1], ten classes), ``file.npz`` with an
        array X and perhaps y, or ``module:function`` that returns X or (X, y).
    count : int
        At least 1.
    loss : str
        ``"mse"`` makes the classes of the digits one-hot rows.

    Raises
    ------
    ValueError
        If the data are missing, hold objects, or are no arrays of inputs and targets.
    RuntimeError
        If scikit-learn is needed and not installed.
    """
    told = spec
    if spec == "digits":
        inputs, targets, told = _digits(loss)
    elif spec.endswith(".npz"):
        inputs, targets = _from_npz(spec)
    else:
        found = imported(spec, "--data")()
        both = isinstance(found, tuple)
        if both and len(found) != 2:
            raise ValueError(
                f"--data {spec!r} returns {len(found)} things, expected X or the pair (X, y)."
            )
        inputs, targets = found if both else (found, None)
    inputs = _numbers(inputs, spec, "X")
    if targets is None:
        return Data(inputs[:count], None, told)
    targets = _numbers(targets, spec, "y")
    if len(targets) != len(inputs):
        raise ValueError(
            f"--data {spec!r} gives {len(inputs)} inputs and {len(targets)} targets, expected one "
            "target for every input."
        )
    return Data(inputs[:count], targets[:count], told)


def _numbers(values: Any, spec: str, name: str) -> np.ndarray:
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"the {name} of --data {spec!r} is no array: {str(error).rstrip('.')}."
        ) from None
    if array.dtype.kind not in "fiub" or array.ndim < 1 or not len(array):
        raise ValueError(
            f"--data {spec!r} gives an array {name} of shape {list(array.shape)} and type "
            f"{array.dtype}, expected numbers of shape [inputs, …]."
        )
    return array


def _digits(loss: str) -> tuple[np.ndarray, np.ndarray, str]:
    images = digits()
    from sklearn.datasets import load_digits

    _, classes = load_digits(return_X_y=True)
    classes = np.asarray(classes)
    told = "scikit-learn's digits, pixels scaled to [0, 1]"
    if loss == "mse":
        return images, np.eye(10)[classes], f"{told}, the ten classes as one-hot targets"
    return images, classes, f"{told}, targets the class numbers 0 … 9"


def _from_npz(spec: str) -> tuple[np.ndarray, np.ndarray | None]:
    if not Path(spec).is_file():
        raise ValueError(f"--data names {spec!r}, but there is no such file.")
    try:
        with np.load(spec, allow_pickle=False) as archive:
            if "X" not in archive:
                raise ValueError(
                    f"--data names {spec!r}, which holds {', '.join(archive.files) or 'nothing'}; "
                    "expected an array X."
                )
            return archive["X"], archive.get("y")
    except (OSError, EOFError) as error:
        raise ValueError(f"--data names {spec!r}, which is no .npz file: {error}.") from None
    except (AttributeError, TypeError):  # a plain array under this name
        raise ValueError(
            f"--data names {spec!r}, which is a single array; expected an .npz file with an array "
            "X, written by numpy.savez."
        ) from None
    except ValueError as error:
        if "pickle" in str(error):
            raise ValueError(
                f"--data names {spec!r}, which holds Python objects; save plain numbers."
            ) from None
        raise
