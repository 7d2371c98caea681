"""Products of a few long rows, network by network.

NumPy multiplies matrix by matrix, so that on the CPU a network's numbers do not depend on how many
others are in the batch, which PyTorch's batched products do not promise.
"""

import numpy as np
import torch

from finitewidth._shapes import Float

PIECE = 2048
"""Columns summed at a time before the sums are added up in float64. A float32 inner product of 2^20
numbers in one go is wrong by up to 6e-5 of the norms, in pieces by 1e-8; pieces of this length also
stay in the cache."""

COLUMNS = 2**15
"""Columns that a combination of rows is computed for at a time."""


def multiply(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """a b over the last two axes, matrix by matrix; the axes before are those of both."""
    if a.device.type != "cpu":
        return torch.matmul(a, b)
    return torch.from_numpy(np.matmul(a.numpy(), b.numpy()))


def inner(
    a: Float[torch.Tensor, "S k n"], b: Float[torch.Tensor, "S q n"]
) -> Float[torch.Tensor, "S k q"]:
    """Inner products a_i·b_j in float64."""
    n = a.shape[-1]
    pieces = n // PIECE
    if pieces < 2:
        return multiply(a, b.mT).double()
    whole = pieces * PIECE
    left = a[:, :, :whole].unflatten(2, (pieces, PIECE)).transpose(1, 2)
    right = b[:, :, :whole].unflatten(2, (pieces, PIECE)).permute(0, 2, 3, 1)
    found = multiply(left, right).sum(dim=1, dtype=torch.float64)
    if whole < n:
        found += multiply(a[:, :, whole:], b[:, :, whole:].mT)
    return found


def combine(
    coefficients: Float[torch.Tensor, "S k q"], rows: Float[torch.Tensor, "S q n"]
) -> Float[torch.Tensor, "S k n"]:
    """Σ_q coefficients_kq rows_q, in the precision of the rows."""
    return multiply(coefficients.to(rows.dtype), rows)


def add_combination(
    to: Float[torch.Tensor, "S k n"],
    coefficients: Float[torch.Tensor, "S k q"],
    rows: Float[torch.Tensor, "S q n"],
    factor: float = 1.0,
) -> None:
    """to += factor · Σ_q coefficients_kq rows_q, in place."""
    if rows.shape[1] == 0:
        return
    scaled = (factor * coefficients).to(rows.dtype)
    for start in range(0, to.shape[-1], COLUMNS):
        some = slice(start, start + COLUMNS)
        to[:, :, some] += multiply(scaled, rows[:, :, some])


def norms(rows: Float[torch.Tensor, "S k n"]) -> Float[torch.Tensor, "S k"]:
    """Euclidean norms in float64; rows whose squares leave the range of the precision included."""
    found = torch.linalg.vector_norm(rows, dim=2)
    safe = 1e-15 if rows.dtype == torch.float32 else 1e-140
    odd = ~((found > safe) & (found < 1 / safe))
    found = found.double()
    if bool(odd.any()):
        few = rows[odd]
        peaks = few.abs().amax(dim=1).double()
        scaled = few.double() / torch.where(peaks > 0, peaks, 1.0)[:, None]
        found[odd] = peaks * torch.linalg.vector_norm(scaled, dim=1)
    return found
