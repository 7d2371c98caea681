"""scikit-learn's handwritten digits: 1,797 images of 8 × 8 pixels."""

import numpy as np

from finitewidth._extras import needed_for
from finitewidth._shapes import Float, Int

IN_WORDS = "scikit-learn's digits, pixels scaled to [0, 1]"


def digits() -> tuple[Float[np.ndarray, "images 64"], Int[np.ndarray, " images"]]:
    """Images with pixels scaled to [0, 1], and their classes 0 … 9.

    Raises
    ------
    RuntimeError
        If scikit-learn is not installed.
    """
    with needed_for("the digits", "demo"):
        from sklearn.datasets import load_digits

    pixels, classes = load_digits(return_X_y=True)
    return np.asarray(pixels, dtype=np.float64) / 16.0, np.asarray(classes)


def digit(spec: str, name: str) -> Float[np.ndarray, " n_in"]:
    """Image I of ``digits:I``; `name` is what the sentence of an error calls it."""
    images, text = digits()[0], spec.removeprefix("digits:")
    if not text.isdigit() or int(text) >= len(images):
        raise ValueError(
            f"{name} is {spec!r}, expected digits:I with I from 0 to {len(images) - 1}."
        )
    return images[int(text)]
