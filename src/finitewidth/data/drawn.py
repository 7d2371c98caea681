"""Which rows of a data set are used, where not all are; and a batch whose targets are all one."""

from hashlib import blake2b
from typing import Any

import numpy as np

from finitewidth._shapes import Int


def drawn_rows(
    X: np.ndarray, y: np.ndarray | None, count: int, seed: int = 0
) -> Int[np.ndarray, " count"]:
    """Rows drawn without replacement; where y are classes, a share of each, and at least one.

    The order of the draw is that of a keyed hash of each row's numbers: the same rows come out
    however the file is sorted.

    Parameters
    ----------
    X : array [N, …]
    y : array [N, …] or None
    count : int
        At most N.
    seed : int
        The key.
    """
    key = seed.to_bytes(8, "little")
    hashes = np.array(
        [
            int.from_bytes(blake2b(_bytes(X, y, row), digest_size=8, key=key).digest(), "little")
            for row in range(len(X))
        ],
        dtype=np.uint64,
    )
    order = np.argsort(hashes, kind="stable")
    classes = _classes(y, count)
    if classes is None:
        return order[:count]
    place = np.empty(len(X))  # of a row within its class, from 0 to 1
    for one in range(int(classes.max()) + 1):
        of_class = order[classes[order] == one]
        place[of_class] = np.arange(len(of_class)) / len(of_class)
    return order[np.argsort(place[order], kind="stable")][:count]


def _bytes(X: np.ndarray, y: np.ndarray | None, row: int) -> bytes:
    return X[row].tobytes() + (b"" if y is None else y[row].tobytes())


def _classes(y: np.ndarray | None, count: int) -> np.ndarray | None:
    """Numbers of the classes, where y are whole numbers or one-hot rows of at most `count`."""
    if y is None:
        return None
    rows = y.reshape(len(y), -1)
    whole = rows.dtype.kind in "iub" or bool((rows == np.round(rows)).all())
    one_hot = rows.shape[1] == 1 or bool(
        ((rows == 0) | (rows == 1)).all() and (rows.sum(axis=1) == 1).all()
    )
    if not (whole and one_hot):
        return None
    values, classes = np.unique(rows, axis=0, return_inverse=True)
    return classes.reshape(-1) if len(values) <= count else None


def one_target(y: Any) -> str:
    """A sentence where all targets of a batch are the same; empty where they are not."""
    rows = np.asarray(y.detach().cpu() if hasattr(y, "detach") else y)
    if len(rows) < 2 or not (rows == rows[:1]).all():
        return ""
    shown = np.array2string(rows[0], precision=4, threshold=8)
    return (
        f"All {len(rows)} targets of this batch are {shown}: training fits a constant, which says "
        "little about data whose targets differ; use other inputs."
    )
