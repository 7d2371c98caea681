"""Inputs of the size that the theory's formulas are simplest for: a mean |x|² of n_in."""

import numpy as np
from numpy.typing import ArrayLike

from finitewidth._shapes import Float


def unit_inputs(X: ArrayLike) -> Float[np.ndarray, "B n_in"]:
    """The inputs [B, …] as rows, all scaled by one factor, such that the mean of |x|² is n_in.

    Raises
    ------
    ValueError
        If all inputs are 0, or |x|² leaves the range of float64.
    """
    rows = np.asarray(X, dtype=np.float64)
    rows = rows.reshape(len(rows), -1)
    mean = float((rows**2).sum(axis=1).mean())
    if not 0 < mean < np.inf:
        raise ValueError(
            f"the inputs have mean |x|² = {mean}, which no factor scales; give others."
        )
    return rows * np.sqrt(rows.shape[1] / mean)
