"""Gaussian layers met through products only: forward and backward for a block of networks.

A Gaussian matrix G that has been asked for Y = G X and is then asked for Gᵀ Δ answers
X (XᵀX)⁺ Yᵀ Δ + √c (1 − Π_X) g, with g fresh of covariance ΔᵀΔ between its columns and Π_X the
projection on the columns of X. It is never stored, and the answers have its exact joint law.
"""

import numpy as np

from finitewidth._shapes import Float

_TOLERANCE = 1e-11
"""Directions below this part of the largest are rounding."""


def root(gram: Float[np.ndarray, "m B B"]) -> Float[np.ndarray, "m B B"]:
    """A matrix R with R Rᵀ = gram, also where gram is singular."""
    values, vectors = np.linalg.eigh(gram)
    return vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]


def inverse(gram: Float[np.ndarray, "m B B"]) -> Float[np.ndarray, "m B B"]:
    """The pseudo-inverse of a Gram matrix, on its own scale."""
    size = np.sqrt(np.einsum("mbb->mb", gram))
    size = np.where(size > 0, size, 1.0)
    scaled = gram / size[:, :, None] / size[:, None, :]
    values, vectors = np.linalg.eigh(scaled)
    good = values > _TOLERANCE * values[:, -1:]
    kept = np.divide(1.0, values, out=np.zeros_like(values), where=good)
    found = np.einsum("mij,mj,mkj->mik", vectors, kept, vectors)
    return found / size[:, :, None] / size[:, None, :]


def forward(
    rng: np.random.Generator, gram: Float[np.ndarray, "m B B"], width: int, variance: float
) -> Float[np.ndarray, "m n B"]:
    """G X for a layer of `width` neurons: rows of covariance variance · XᵀX."""
    drawn = rng.standard_normal((len(gram), width, gram.shape[1]))
    return np.sqrt(variance) * drawn @ root(gram).transpose(0, 2, 1)


def backward(
    rng: np.random.Generator,
    inputs: Float[np.ndarray, "m n B"],
    gram: Float[np.ndarray, "m B B"],
    outputs: Float[np.ndarray, "m k B"],
    queries: Float[np.ndarray, "m k Q"],
    variance: float,
) -> Float[np.ndarray, "m n Q"]:
    """Gᵀ Δ given that G X = Y: `inputs` X with their `gram`, `outputs` Y, `queries` Δ."""
    known = inverse(gram)
    between = root(queries.transpose(0, 2, 1) @ queries)
    drawn = rng.standard_normal((*inputs.shape[:2], queries.shape[2]))
    fresh = np.sqrt(variance) * drawn @ between.transpose(0, 2, 1)
    pull = outputs.transpose(0, 2, 1) @ queries - inputs.transpose(0, 2, 1) @ fresh
    return fresh + inputs @ (known @ pull)
