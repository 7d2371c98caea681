"""Data sets for training on a squared loss: scaled inputs, and targets ±1 for the digits."""

from dataclasses import replace

import numpy as np

from finitewidth.data.drawn import one_target
from finitewidth.data.scaled import unit_inputs
from finitewidth.data.sets import Data, load


def training_set(spec: str, count: int, name: str = "data") -> Data:
    """Inputs of a data set, as `load` takes them, scaled to a mean |x|² of n_in, and targets.

    Parameters
    ----------
    spec : str
        As in `load`. The digits' targets are +1 for even and −1 for odd ones.
    count : int
        At least 1.
    name : str
        What the sentence of an error calls it.

    Raises
    ------
    ValueError, RuntimeError
        As `load` and `unit_inputs`, for a count below 1, and for data without targets.
    """
    if count < 1:
        raise ValueError(f"{count} inputs were asked for, expected 1 or more.")
    found = load(spec, count, "cross_entropy" if spec == "digits" else "mse", name)
    if found.y is None:
        raise ValueError(
            f"{name} {spec!r} has no targets y, which training needs; add them to the data."
        )
    y, description = np.asarray(found.y, dtype=np.float64), found.description
    if spec == "digits":
        y = np.where(y % 2 == 0, 1.0, -1.0)
        description = description.split(", targets")[0]
        description += ", targets +1 for even and −1 for odd digits"
    if found.drawn:
        description += f", drawn from {found.total}"
    if one_target(y):
        description += ", all targets the same"
    return replace(found, X=unit_inputs(found.X), y=y, description=description, name="")
