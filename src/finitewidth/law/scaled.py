"""Block-triangular transfer matrices whose blocks keep scales of their own.

States with more started paths never go back to fewer, so a transfer matrix is block triangular.
The blocks grow at different exponential rates (e^(5β) for four paths against 1 for none), and at
large depth their ratio leaves the range of a double. Each pair of groups therefore has its own
power of two; within a group all states grow alike. Powers of two cost no rounding.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from finitewidth._shapes import Float, Int

Groups = tuple[tuple[int, int], ...]
"""First and last + 1 state of every group, in order."""


@cache
def members(groups: Groups) -> Int[np.ndarray, " S"]:
    """The group of every state."""
    return np.repeat(np.arange(len(groups)), [stop - start for start, stop in groups])


def powers_of_two(
    size: Float[np.ndarray, "*shape"],
) -> tuple[Float[np.ndarray, "*shape"], Float[np.ndarray, "*shape"]]:
    """2^e next above every size, and e; 1 and −inf where the size is 0."""
    exponent = np.frexp(size)[1].astype(float)
    scale = np.ldexp(1.0, exponent.astype(np.int64))
    scale[size <= 0] = 1.0
    exponent[size <= 0] = -np.inf
    return scale, exponent


@dataclass(frozen=True)
class Scaled:
    """A stack of matrices, ``values[l, i, j] * 2**exponents[l, group(i), group(j)]``.

    Attributes
    ----------
    values : array [L, S, S]
        Mantissas; a row vector is a matrix with one row, in group 0.
    exponents : array [L, G, G]
        Whole numbers; −inf for a block of zeros.
    rows, columns : tuple of slice
        The states of each group.
    """

    values: Float[np.ndarray, "L R S"]
    exponents: Float[np.ndarray, "L g G"]
    rows: Groups
    columns: Groups

    @classmethod
    def from_array(
        cls, values: Float[np.ndarray, "L R S"], rows: Groups, columns: Groups
    ) -> "Scaled":
        """Matrices given in full."""
        return cls(values, np.zeros((len(values), len(rows), len(columns))), rows, columns)._even()

    def _even(self) -> "Scaled":
        """Move the size of every block into its log."""
        size = np.maximum.reduceat(self.values, [start for start, _ in self.rows], axis=1)
        size = np.maximum.reduceat(size, [start for start, _ in self.columns], axis=2)
        size, power = powers_of_two(size)
        exponents = self.exponents + power
        spread = size[:, members(self.rows)[:, None], members(self.columns)]
        return Scaled(self.values / spread, exponents, self.rows, self.columns)

    def __matmul__(self, other: "Scaled") -> "Scaled":
        """Products matrix by matrix; all entries are ≥ 0, so nothing cancels.

        Each middle group contributes one product, rescaled block by block to the largest.
        """
        if len(self.columns) == 1:
            exponents = self.exponents + other.exponents
            return Scaled(self.values @ other.values, exponents, self.rows, other.columns)._even()
        power = self.exponents[:, :, :, None] + other.exponents[:, None, :, :]
        top = power.max(axis=2)
        top[top == -np.inf] = 0.0
        factor = np.exp2(power - top[:, :, None, :])
        row, column = members(self.rows)[:, None], members(other.columns)
        values = np.zeros((1, 1, 1))
        for m, (a, b) in enumerate(self.columns):
            term = self.values[:, :, a:b] @ other.values[:, a:b, :]
            term *= factor[:, :, m, :][:, row, column]
            values = values + term
        return Scaled(values, top, self.rows, other.columns)._even()

    def __getitem__(self, index: slice) -> "Scaled":
        return Scaled(self.values[index], self.exponents[index], self.rows, self.columns)

    def __len__(self) -> int:
        return len(self.values)

    def times_all(self, matrices: "Scaled") -> "Scaled":
        """The row vector times every matrix of a stack in turn, by pairwise products."""
        while len(matrices) > 1:
            odd = matrices[len(matrices) - len(matrices) % 2 :]
            even = matrices[: len(matrices) - len(odd)]
            pairs = even[::2] @ even[1::2]
            matrices = pairs if not len(odd) else _joined(pairs, odd)
        return self @ matrices

    def times_power(self, matrix: "Scaled", count: int) -> "Scaled":
        """The row vector times matrix^count, by repeated squaring."""
        result = self
        while count:
            if count & 1:
                result = result @ matrix
            count >>= 1
            if count:
                matrix = matrix @ matrix
        return result


def _joined(first: Scaled, second: Scaled) -> Scaled:
    return Scaled(
        np.concatenate([first.values, second.values]),
        np.concatenate([first.exponents, second.exponents]),
        first.rows,
        first.columns,
    )
