"""Networks whose matrices are drawn as far as they were asked for, and no further."""

from collections.abc import Sequence
from typing import Any

import torch

from finitewidth._shapes import Float
from finitewidth.simulate.deferred.directions import discover
from finitewidth.simulate.deferred.products import add_combination, combine, inner, multiply
from finitewidth.simulate.deferred.rows import Rows
from finitewidth.simulate.deferred.stored import Stored
from finitewidth.simulate.deferred.streams import Streams

RIGHT, LEFT = 0, 1
"""A query from the right is G x, one from the left Gᵀ u."""


class Partial:
    r"""Networks of a batch with equally many queried directions on either side.

    Known of the initial G are orthonormal bases Q_V, Q_U of what was asked from the right and
    from the left and the answers Y = G Q_Vᵀ, Z = Gᵀ Q_Uᵀ. The answer to a new unit direction q ⟂
    Q_V is

        G q = Σ_j (Z_j·q) u_j + (1 − P_U) g,  g ~ Normal(0, 1) independent of all before,

    the law of G q given the answers; queries from the left are the mirror image. Steps of descent
    are combinations of queried directions, so the matrix at present and the velocity of a descent
    with momentum are

        W = α G + Q_Uᵀ C Q_V,  V = a G + Q_Uᵀ D Q_V

    with small C and D of shape [q_U, q_V] in float64, continued by zeros as the bases grow.

    Parameters
    ----------
    networks : list of int
        Which networks of the batch these are.
    streams : Streams
        Of these networks.
    bases, answers : (Rows, Rows)
        Q_V, Q_U as rows; Y, Z as rows.
    alpha : float
    change : tensor of shape [S, q_U, q_V], optional
        C; nothing has changed yet if None.
    velocity : (float, tensor of shape [S, q_U, q_V]), optional
        a and D.
    """

    def __init__(
        self,
        networks: Sequence[int],
        streams: Streams,
        bases: tuple[Rows, Rows],
        answers: tuple[Rows, Rows],
        alpha: float = 1.0,
        change: torch.Tensor | None = None,
        velocity: tuple[float, torch.Tensor] | None = None,
    ) -> None:
        self.networks = list(networks)
        self._streams = streams
        self._bases = bases
        self._answers = answers
        self._alpha = alpha
        self._change = change
        self._velocity = velocity

    @classmethod
    def untouched(
        cls,
        networks: Sequence[int],
        streams: Streams,
        n_out: int,
        n_in: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> "Partial":
        """Nothing is known yet."""

        def none(n: int) -> Rows:
            return Rows(torch.empty(len(networks), 0, n, dtype=dtype, device=device))

        return cls(networks, streams, (none(n_in), none(n_out)), (none(n_out), none(n_in)))

    @property
    def counts(self) -> tuple[int, int]:
        """How many directions were asked for from the left and from the right."""
        return self._bases[LEFT].count, self._bases[RIGHT].count

    @property
    def is_full(self) -> bool:
        """Whether a side has no direction left, so that all of G is known."""
        return any(basis.count == basis.values.shape[2] for basis in self._bases)

    @property
    def bytes(self) -> int:
        """Bytes of the directions and answers."""
        return sum(rows.bytes for rows in (*self._bases, *self._answers))

    def coordinates(
        self, side: int, rows: Float[torch.Tensor, "S B n"], sizes: Float[torch.Tensor, "S B"]
    ) -> Float[torch.Tensor, "S B q"]:
        """Coordinates of the rows in the basis of a side, which learns what it lacks.

        Raises
        ------
        UnequalRanks
            If the networks would have different numbers of directions; nothing has changed then.
        """
        found, new = discover(self._bases[side].values, rows, sizes)
        for directions in new:
            self._learn(side, directions)
        return torch.cat([found, *(inner(rows, directions) for directions in new)], dim=2)

    def _learn(self, side: int, directions: Float[torch.Tensor, "S r n"]) -> None:
        """Draw the answers to new orthonormal directions."""
        basis, answers = self._bases[1 - side], self._answers[1 - side]
        fresh = self._streams.normal(
            directions.shape[1], basis.values.shape[2], directions.dtype, directions.device
        )
        if basis.count > 0:
            known = inner(directions, answers.values) - inner(fresh, basis.values)
            add_combination(fresh, known, basis.values)
        self._bases[side].append(directions)
        self._answers[side].append(fresh)

    def answer(
        self, side: int, coordinates: Float[torch.Tensor, "S B q"]
    ) -> Float[torch.Tensor, "S B m"]:
        """W x or Wᵀ u for rows with these coordinates."""
        found = combine(self._alpha * coordinates, self._answers[side].values)
        change = self._sided(self._change, side)
        if change is not None:
            here, there = change.shape[1:]
            other = self._bases[1 - side].values[:, :there]
            add_combination(found, multiply(coordinates[:, :, :here], change), other)
        return found

    @staticmethod
    def _sided(change: torch.Tensor | None, side: int) -> torch.Tensor | None:
        """C with the axis of a side first."""
        return change.mT if change is not None and side == RIGHT else change

    def descend(
        self,
        left: Float[torch.Tensor, "S B q_U"],
        right: Float[torch.Tensor, "S B q_V"],
        rate: float,
        momentum: float,
        weight_decay: float,
    ) -> None:
        """A step of SGD along Σ_b u_b x_bᵀ + weight_decay W, from the coordinates."""
        moved, step = weight_decay * self._alpha, self._padded(multiply(left.mT, right))
        if weight_decay != 0.0 and self._change is not None:
            step = step + weight_decay * self._padded(self._change)
        if momentum != 0.0:
            if self._velocity is not None:
                scalar, matrix = self._velocity
                moved += momentum * scalar
                step = step + momentum * self._padded(matrix)
            self._velocity = (moved, step)
        self._alpha -= rate * moved
        change = -rate * step
        self._change = change if self._change is None else change + self._padded(self._change)

    def _padded(self, matrix: torch.Tensor) -> torch.Tensor:
        """A matrix between the bases as they were, continued by zeros."""
        here = (self._bases[LEFT].count, self._bases[RIGHT].count)
        rows, columns = (a - b for a, b in zip(here, matrix.shape[1:], strict=True))
        return torch.nn.functional.pad(matrix, (0, columns, 0, rows)) if rows or columns else matrix

    def initial(self) -> Float[torch.Tensor, "S n_out n_in"]:
        """G, what is not known of it drawn now.

        G = Yᵀ Q_V + Q_Uᵀ Z (1 − P_V) + (1 − P_U) g (1 − P_V).
        """
        right, left = self._bases[RIGHT].values, self._bases[LEFT].values
        n_out, n_in = left.shape[2], right.shape[2]
        if self.is_full:  # nothing is left to draw: one side's answers say it all
            if right.shape[1] == n_in:
                return multiply(self._answers[RIGHT].values.mT, right)
            return multiply(left.mT, self._answers[LEFT].values)
        found = self._streams.normal(n_out, n_in, right.dtype, right.device)
        if left.shape[1] > 0:
            # What is left of g is orthogonal to u, and u has its known answer instead.
            lacking = self._answers[LEFT].values - multiply(left, found)
            found += multiply(left.mT, lacking)
        if right.shape[1] > 0:
            lacking = self._answers[RIGHT].values.mT - multiply(found, right.mT)
            found += multiply(lacking, right)
        return found

    def stored(self) -> Stored:
        """The same networks with all of G drawn."""
        start = self.initial()
        velocity = None
        if self._velocity is not None:
            velocity = self._expanded(start, *self._velocity)
        present = self._expanded(start, self._alpha, self._change)
        return Stored(self.networks, start, present, velocity)

    def _expanded(
        self, start: torch.Tensor, scalar: float, matrix: torch.Tensor | None
    ) -> torch.Tensor:
        """scalar · G + Q_Uᵀ matrix Q_V."""
        found = scalar * start
        if matrix is not None:
            rows, columns = matrix.shape[1:]
            right = self._bases[RIGHT].values[:, :columns]
            left = self._bases[LEFT].values[:, :rows]
            found += multiply(left.mT, combine(matrix, right))
        return found

    def split(self, groups: Sequence[Sequence[int]]) -> list["Partial"]:
        """Parts of these networks, by their places in `networks`."""

        def some(rows: Rows, group: Sequence[int]) -> Rows:
            return Rows(rows.values[list(group)])

        found = []
        for group in groups:
            places = list(group)
            velocity = None
            if self._velocity is not None:
                velocity = (self._velocity[0], self._velocity[1][places])
            found.append(
                Partial(
                    [self.networks[place] for place in places],
                    self._streams[places],
                    (some(self._bases[0], group), some(self._bases[1], group)),
                    (some(self._answers[0], group), some(self._answers[1], group)),
                    self._alpha,
                    None if self._change is None else self._change[places],
                    velocity,
                )
            )
        return found

    def state_dict(self) -> dict[str, Any]:
        """Copies of all that is known, and the streams."""
        state: dict[str, Any] = {
            "networks": self.networks,
            "streams": self._streams.state(),
            "bases": [rows.values.clone() for rows in self._bases],
            "answers": [rows.values.clone() for rows in self._answers],
            "alpha": self._alpha,
        }
        if self._change is not None:
            state["change"] = self._change
        if self._velocity is not None:
            state["velocity"] = list(self._velocity)
        return state

    @classmethod
    def restored(cls, state: dict[str, Any]) -> "Partial":
        """From a `state_dict`."""
        bases, answers = ([Rows(rows) for rows in state[name]] for name in ("bases", "answers"))
        velocity = state.get("velocity")
        return cls(
            state["networks"],
            Streams.restored(state["streams"]),
            (bases[0], bases[1]),
            (answers[0], answers[1]),
            state["alpha"],
            state.get("change"),
            None if velocity is None else (velocity[0], velocity[1]),
        )
