"""Reading what --data and MODULE:NAME arguments name."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from finitewidth.cli.inputs import digits


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


def read_data(spec: str, count: int) -> np.ndarray:
    """The first `count` inputs of a data set.

    Parameters
    ----------
    spec : str
        ``digits`` (scikit-learn's, 64 pixels scaled to [0, 1]), ``file.npz`` with an array X, or
        ``module:function`` that returns X or (X, y).
    count : int
        At least 1.

    Raises
    ------
    ValueError
        If the data are missing, hold objects, or are no array of inputs.
    RuntimeError
        If scikit-learn is needed and not installed.
    """
    if spec == "digits":
        data = digits()
    elif spec.endswith(".npz"):
        data = _from_npz(spec)
    else:
        data = imported(spec, "--data")()
        data = data[0] if isinstance(data, tuple | list) else data
    data = np.asarray(data)
    if data.dtype.kind not in "fiub" or data.ndim < 1 or not len(data):
        raise ValueError(
            f"--data {spec!r} gives an array of shape {list(data.shape)} and type {data.dtype}, "
            "expected numbers of shape [inputs, …]."
        )
    return data[:count]


def _from_npz(spec: str) -> np.ndarray:
    if not Path(spec).is_file():
        raise ValueError(f"--data names {spec!r}, but there is no such file.")
    try:
        with np.load(spec, allow_pickle=False) as archive:
            if "X" not in archive:
                raise ValueError(
                    f"--data names {spec!r}, which holds {', '.join(archive.files) or 'nothing'}; "
                    "expected an array X."
                )
            return archive["X"]
    except (OSError, EOFError) as error:
        raise ValueError(f"--data names {spec!r}, which is no .npz file: {error}.") from None
    except ValueError as error:
        if "pickle" in str(error):
            raise ValueError(
                f"--data names {spec!r}, which holds Python objects; save plain numbers."
            ) from None
        raise
