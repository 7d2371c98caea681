"""How many numbers carry an average: all n of them where they are equal, few if a few dominate."""

import numpy as np

from finitewidth._shapes import Float


def effective_number(terms: Float[np.ndarray, "size ..."]) -> Float[np.ndarray, "..."]:
    """(Σ|q|)²/Σq² over the first axis; its length where all q are 0."""
    magnitude = np.abs(terms)
    scale = magnitude.max(axis=0, keepdims=True)
    magnitude = np.divide(magnitude, scale, out=np.ones_like(magnitude), where=scale > 0)
    return np.asarray(magnitude.sum(axis=0) ** 2 / (magnitude**2).sum(axis=0))


def deviating(samples: Float[np.ndarray, "size ..."]) -> Float[np.ndarray, "..."]:
    """The effective number by deviations from the median."""
    return effective_number(samples - np.median(samples, axis=0))


def from_sums(second: float, fourth: float, size: int) -> float:
    """(Σq²)²/Σq⁴, how many of `size` numbers carry Σq²; all of them where every q is 0."""
    return second**2 / fourth if fourth > 0 else float(size)
