"""New directions in a block of vectors: what is orthogonal to a known orthonormal basis."""

import numpy as np
import torch

from finitewidth._shapes import Float
from finitewidth.simulate.deferred.products import add_combination, combine, inner, norms

TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5}
"""A residual below this share of its vector's norm is rounding, and no direction."""

SMALLEST = {torch.float64: 1e-8, torch.float32: 1e-4}
"""Eigenvalues of the Gram matrix of unit vectors from which directions are formed in one round;
what is left of the vectors goes through another round. Directions of smaller ones would consist
of the Gram matrix's rounding errors."""

WELL = 0.25
"""A direction that loses more than half of its norm when projected again is projected once more."""


class UnequalRanks(Exception):
    """The networks of a batch have different numbers of new directions; `ranks` says how many."""

    def __init__(self, ranks: np.ndarray) -> None:
        super().__init__("the networks of a batch have different numbers of new directions")
        self.ranks = ranks


def discover(
    basis: Float[torch.Tensor, "S q n"],
    rows: Float[torch.Tensor, "S B n"],
    sizes: Float[torch.Tensor, "S B"],
) -> tuple[Float[torch.Tensor, "S B q"], list[torch.Tensor]]:
    """Coordinates of the rows in the basis, and orthonormal directions for what is outside of it.

    Block Gram-Schmidt with a second projection: the rows are projected, their residuals
    normalised, combined to directions through the eigenvectors of their small Gram matrix, and
    the directions projected and orthonormalised again (Giraud, Langou & Rozložník 2005: twice is
    enough). Every network counts for itself: its directions do not depend on the others.

    Parameters
    ----------
    basis : tensor of shape [S, q, n]
        Orthonormal rows.
    rows : tensor of shape [S, B, n]
        Any rows: repeated, dependent and zero ones give no direction.
    sizes : tensor of shape [S, B]
        Their norms.

    Returns
    -------
    coordinates : tensor of shape [S, B, q]
        In float64.
    directions : list of tensor of shape [S, r, n]
        At most n − q in all.

    Raises
    ------
    UnequalRanks
        If the number of directions differs between networks.
    """
    kept, room = [basis], basis.shape[2] - basis.shape[1]
    coordinates = inner(rows, basis)
    left, least = rows, TOLERANCE[rows.dtype] * sizes
    while room > 0:
        if len(kept) > 1 or basis.shape[1] > 0:
            left = _without(left, kept)
            lengths = norms(left)
        else:
            lengths = sizes
        alive = lengths > least
        if not bool(alive.any()):
            break
        scale = torch.where(alive, lengths, torch.inf).to(rows.dtype)
        unit = left / scale[:, :, None]
        new = _settle(_combinations(unit, room), kept)
        kept.append(new)
        room -= new.shape[1]
        if bool((alive.sum(dim=1) == new.shape[1]).all()):
            break
        left = torch.where(alive[:, :, None], left, 0.0)
    return coordinates, kept[1:]


def _without(rows: torch.Tensor, bases: list[torch.Tensor]) -> torch.Tensor:
    """The rows less their projections onto every basis."""
    found = rows.clone()
    for basis in bases:
        add_combination(found, inner(rows, basis), basis, -1.0)
    return found


def _combinations(unit: Float[torch.Tensor, "S B n"], room: int) -> Float[torch.Tensor, "S r n"]:
    """Nearly orthonormal combinations of unit (or zero) rows: the well-conditioned ones."""
    gram = inner(unit, unit).cpu().numpy()
    values, vectors = np.linalg.eigh(gram)
    ranks = np.minimum((values > SMALLEST[unit.dtype]).sum(axis=1), room)
    if (ranks != ranks[0]).any():
        raise UnequalRanks(ranks)
    rank = int(ranks[0])
    factors = vectors[:, :, -rank:] / np.sqrt(values[:, None, -rank:])
    return combine(torch.from_numpy(factors).mT.contiguous().to(unit.device), unit)


def _settle(new: torch.Tensor, bases: list[torch.Tensor]) -> Float[torch.Tensor, "S r n"]:
    """The directions, orthonormal and orthogonal to every basis up to rounding."""
    found, well = _again(new, bases)
    while not well.all():
        poor = torch.from_numpy(~well).to(new.device)
        mended, better = _again(found[poor], [basis[poor] for basis in bases])
        found[poor] = mended
        well[~well] = better
    return found


def _again(new: torch.Tensor, bases: list[torch.Tensor]) -> tuple[torch.Tensor, np.ndarray]:
    """Project and orthonormalise; whether that left every direction most of its length."""
    found = _without(new, bases) if sum(b.shape[1] for b in bases) else new
    values, vectors = np.linalg.eigh(inner(found, found).cpu().numpy())
    floor = torch.finfo(new.dtype).eps ** 2
    roots = 1.0 / np.sqrt(np.maximum(values, floor))
    factors = torch.from_numpy((vectors * roots[:, None, :]) @ vectors.transpose(0, 2, 1))
    return combine(factors.to(new.device), found), values[:, 0] > WELL
