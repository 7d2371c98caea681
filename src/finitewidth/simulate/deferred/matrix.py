"""A batch of Gaussian matrices that are met in products, and drawn only as far as asked for."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from finitewidth._memory import available, readable
from finitewidth._shapes import Float
from finitewidth._whole_number import whole_number
from finitewidth.simulate.deferred.coordinates import Coordinates, Remembered
from finitewidth.simulate.deferred.directions import UnequalRanks
from finitewidth.simulate.deferred.partial import LEFT, RIGHT, Partial
from finitewidth.simulate.deferred.products import multiply, norms
from finitewidth.simulate.deferred.stored import Stored
from finitewidth.simulate.deferred.streams import Streams
from finitewidth.simulate.matrices.products import product
from finitewidth.simulate.matrices.threads import lent_to_products

NAMES = ("x", "u")


class DeferredMatrix:
    """S independent n_out × n_in matrices W with iid Normal(0, 1) entries, under descent.

    Products have exactly the joint law of those of stored matrices, up to rounding: the answer to
    a new direction is drawn given all answers before. They cost O(n q) for q directions asked for
    so far, in time and memory, instead of O(n²). When a side has no direction left the matrix is
    known, and is stored from then on.

    Parameters
    ----------
    n_out, n_in : int
    seeds : sequence of S ints or numpy SeedSequences
        A network's numbers depend on its seed and on what it is asked; on the CPU they do not
        depend on the others in the batch.
    dtype : torch.float32 or torch.float64
    device : str or torch.device
        Where the products are computed; the random numbers are drawn on the CPU.

    Raises
    ------
    ValueError, TypeError
        For sizes, seeds or a dtype that cannot be used.

    Notes
    -----
    A part of a vector below 1e-12 (float64) or 1e-5 (float32) of its norm that lies outside of
    all directions so far is dropped. A row with nan or inf, or with a norm beyond the range of
    float64, is answered by nan, as a stored matrix would, and leaves no trace.
    """

    def __init__(
        self,
        n_out: int,
        n_in: int,
        *,
        seeds: Sequence[int | np.integer | np.random.SeedSequence],
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
    ) -> None:
        if dtype not in (torch.float32, torch.float64):
            raise TypeError(f"dtype is {dtype}, expected torch.float32 or torch.float64.")
        if isinstance(seeds, int | np.integer | np.random.SeedSequence) or len(seeds) == 0:
            raise ValueError(
                f"seeds is {seeds!r}, expected one seed for each network; for one network give "
                "a list of one."
            )
        for seed in seeds:
            whole = isinstance(seed, int | np.integer) and seed >= 0
            if not whole and not isinstance(seed, np.random.SeedSequence):
                raise ValueError(
                    f"seeds holds {seed!r}, expected whole numbers from 0 on or numpy "
                    "SeedSequences."
                )
        self.n_out, self.n_in = whole_number(n_out, "n_out", 1), whole_number(n_in, "n_in", 1)
        self.size = len(seeds)
        self.dtype, self.device = dtype, torch.device(device)
        streams = Streams.seeded(seeds, max(self.n_out, self.n_in))
        self._parts: list[Partial | Stored] = [
            Partial.untouched(
                range(self.size), streams, self.n_out, self.n_in, self.dtype, self.device
            )
        ]
        self._forget()

    # -- products and descent ---------------------------------------------------------------------

    def right(self, x: Float[torch.Tensor, "S B n_in"], /) -> Float[torch.Tensor, "S B n_out"]:
        """W x for every row x."""
        return self._query(RIGHT, x)

    def left(self, u: Float[torch.Tensor, "S R n_out"], /) -> Float[torch.Tensor, "S R n_in"]:
        """Wᵀ u for every row u."""
        return self._query(LEFT, u)

    @lent_to_products()
    def descend(
        self,
        u: Float[torch.Tensor, "S R n_out"],
        x: Float[torch.Tensor, "S B n_in"],
        rate: float,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        mix: Float[torch.Tensor, "S R B"] | None = None,
    ) -> None:
        """One step of ``torch.optim.SGD`` with the gradient Σ_rb mix_rb u_r x_bᵀ.

        g = Σ_rb mix_rb u_r x_bᵀ + weight_decay W;  V = momentum V + g, at first V = g;
        W −= rate V. Without a mix it is Σ_b u_b x_bᵀ. When u and x are the rows last asked about,
        or views of them, unchanged, this costs next to nothing.

        Raises
        ------
        ValueError
            If u, x or mix holds nan or inf, or rate, momentum or weight_decay are no finite
            numbers.
        """
        u, x = self._checked(LEFT, u), self._checked(RIGHT, x)
        if mix is None and u.shape[1] != x.shape[1]:
            raise ValueError(
                f"u has {u.shape[1]} rows for each network and x {x.shape[1]}, expected as many: "
                "the gradient is Σ_b u_b x_bᵀ."
            )
        if mix is not None:
            self._check_mix(mix, u.shape[1], x.shape[1])
        for name, value in (("rate", rate), ("momentum", momentum), ("weight_decay", weight_decay)):
            if not np.isfinite(value):
                raise ValueError(f"{name} is {value}, expected a finite number.")
        rate, momentum, weight_decay = float(rate), float(momentum), float(weight_decay)
        coordinates = {LEFT: self._coordinates(LEFT, u), RIGHT: self._coordinates(RIGHT, x)}
        for part in self._parts:
            if isinstance(part, Stored):
                some = self._places(part)
                mixed = u[some] if mix is None else product(mix[some].mT, u[some])
                part.descend(mixed, x[some], rate, momentum, weight_decay)
            else:
                left, right = (
                    coordinates[side].of(part.networks, part.counts[1 - side])
                    for side in (LEFT, RIGHT)
                )
                if mix is not None:
                    left = multiply(mix[self._places(part)].mT.to(left.dtype), left)
                part.descend(left, right, rate, momentum, weight_decay)

    def _check_mix(self, mix: torch.Tensor, rows: int, columns: int) -> None:
        if mix.shape != (self.size, rows, columns):
            raise ValueError(
                f"mix has shape {tuple(mix.shape)}, expected [{self.size}, {rows}, {columns}]: "
                "networks, rows of u, rows of x."
            )
        if not bool(mix.isfinite().all()):
            raise ValueError(
                "mix holds nan or inf, so that the step would leave no finite weight; lower the "
                "learning rate."
            )

    # -- the matrices in full ---------------------------------------------------------------------

    def complete(self) -> Float[torch.Tensor, "S n_out n_in"]:
        """The matrices before all descent, a copy, consistent with all answers given.

        Draws what is not yet known of them and stores them from then on.

        Raises
        ------
        ValueError
            If they do not fit into the free memory.
        """
        return self._in_full(Stored.initial)

    def dense(self) -> Float[torch.Tensor, "S n_out n_in"]:
        """The matrices at present, a copy; otherwise as `complete`."""
        return self._in_full(Stored.present)

    @lent_to_products()
    def _in_full(self, which: Callable[[Stored], torch.Tensor]) -> torch.Tensor:
        if any(isinstance(part, Partial) for part in self._parts):
            numbers = 4 * self.size * self.n_out * self.n_in
            needed = numbers * torch.finfo(self.dtype).bits // 8
            if self.device.type == "cpu" and needed > available():
                raise ValueError(
                    f"{self.size} matrices of {self.n_out} × {self.n_in} in full take "
                    f"{readable(needed)} and {readable(available())} are free; products do not "
                    "need them in full."
                )
            self._parts = [_stored(part) for part in self._parts]
        found = torch.empty(self.size, self.n_out, self.n_in, dtype=self.dtype, device=self.device)
        for part in self._parts:
            assert isinstance(part, Stored)
            found[self._places(part)] = which(part)
        return found

    # -- what is known ----------------------------------------------------------------------------

    @property
    def queried(self) -> tuple[int, int]:
        """Directions known from the left and from the right, of the network with most of them."""
        counts = [part.counts for part in self._parts]
        return max(left for left, _ in counts), max(right for _, right in counts)

    @property
    def bytes(self) -> int:
        """Bytes of all directions and answers, or of the stored matrices."""
        return sum(part.bytes for part in self._parts)

    def state_dict(self) -> dict[str, Any]:
        """Copies of all tensors, and plain values: ``torch.load(weights_only=True)`` reads them."""
        return {
            "shape": [self.size, self.n_out, self.n_in],
            "dtype": str(self.dtype),
            "parts": [
                {"kind": _KINDS[type(part)], "state": part.state_dict()} for part in self._parts
            ],
        }

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        """Go on from a `state_dict`, to the same numbers.

        Raises
        ------
        ValueError
            If it is of matrices of another number, shape or dtype.
        """
        here = ([self.size, self.n_out, self.n_in], str(self.dtype))
        if (list(state["shape"]), state["dtype"]) != here:
            there = "{} × {} × {}".format(*state["shape"])
            raise ValueError(
                f"the state is of {there} numbers in {state['dtype']}, expected "
                f"{self.size} × {self.n_out} × {self.n_in} in {self.dtype}: build the matrices as "
                "they were built then."
            )
        kinds = {name: kind for kind, name in _KINDS.items()}
        self._parts = [
            kinds[part["kind"]].restored(_moved(part["state"], self.device))
            for part in state["parts"]
        ]
        self._forget()

    def __getstate__(self) -> dict[str, Any]:
        """Without the remembered queries, which hold weak references."""
        return {name: value for name, value in vars(self).items() if name != "_recent"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._forget()

    # -- queries ----------------------------------------------------------------------------------

    def _forget(self) -> None:
        self._recent: dict[int, Remembered] = {}

    def _checked(self, side: int, rows: torch.Tensor) -> torch.Tensor:
        """The rows, if they are of this matrix."""
        n = (self.n_in, self.n_out)[side]
        if rows.dtype != self.dtype:
            raise TypeError(
                f"{NAMES[side]} is {rows.dtype} and the matrix {self.dtype}; convert one of them."
            )
        if rows.dim() != 3 or rows.shape[0] != self.size or rows.shape[2] != n:
            raise ValueError(
                f"{NAMES[side]} has shape {tuple(rows.shape)}, expected [{self.size}, rows, {n}]: "
                "networks, rows of each, neurons."
            )
        return rows

    def _places(self, part: Partial | Stored) -> slice | list[int]:
        return slice(None) if len(part.networks) == self.size else part.networks

    @lent_to_products()
    def _query(self, side: int, rows: torch.Tensor) -> torch.Tensor:
        """Answers to all rows."""
        asked = self._checked(side, rows)
        coordinates = self._coordinates(side, asked, forgiving=True)
        found = []
        for part in self._parts:
            some = self._places(part)
            if isinstance(part, Stored):
                values = asked.detach()[some].contiguous()
                found.append(part.right(values) if side == RIGHT else part.left(values))
            else:
                known = coordinates.of(part.networks, part.counts[1 - side])
                answer = part.answer(side, known)
                if coordinates.strange is not None:
                    answer[coordinates.strange[some]] = torch.nan
                found.append(answer)
        if len(self._parts) == 1:
            return found[0]
        answers = found[0].new_empty(self.size, rows.shape[1], found[0].shape[2])
        for part, answer in zip(self._parts, found, strict=True):
            answers[part.networks] = answer
        return answers

    def _coordinates(self, side: int, rows: torch.Tensor, forgiving: bool = False) -> Coordinates:
        """Coordinates of the rows in what the networks know on a side; new directions are learnt.

        Stored networks have none. Where only coordinates that are not finite can be meant, they
        are refused unless `forgiving`.
        """
        recent = self._recent.get(side)
        found = recent.recall(rows) if recent is not None else None
        if found is None:
            found = self._learn(side, rows.detach().contiguous())
            self._recent[side] = Remembered(rows, found)
        if found.strange is not None and not forgiving:
            raise ValueError(
                f"{NAMES[side]} holds nan or inf, so that the step would leave no finite weight; "
                "lower the learning rate."
            )
        return found

    def _learn(self, side: int, rows: torch.Tensor) -> Coordinates:
        sizes, strange = norms(rows), None
        finite = sizes.isfinite()
        if not bool(finite.all()):
            strange = ~finite
            rows = torch.where(finite[:, :, None], rows, 0.0)
            sizes = torch.where(finite, sizes, 0.0)
        waiting, parts = self._parts[::-1], []
        known: list[tuple[list[int], torch.Tensor]] = []
        while waiting:
            part = waiting.pop()
            if isinstance(part, Partial):
                some = self._places(part)
                try:
                    coordinates = part.coordinates(side, rows[some], sizes[some])
                except UnequalRanks as unequal:
                    groups = [np.flatnonzero(unequal.ranks == r) for r in set(unequal.ranks)]
                    waiting += part.split([group.tolist() for group in groups])
                    continue
                if part.is_full:
                    part = part.stored()
                else:
                    known.append((part.networks, coordinates))
            parts.append(part)
        self._parts = parts
        return Coordinates.joined(known, self.size, rows, strange)


_KINDS: dict[type[Partial] | type[Stored], str] = {Partial: "partial", Stored: "stored"}


def _stored(part: Partial | Stored) -> Stored:
    return part.stored() if isinstance(part, Partial) else part


def _moved(state: Any, device: torch.device) -> Any:
    """A state with its tensors on a device; the streams stay readable there."""
    if isinstance(state, torch.Tensor):
        return state.to(device)
    if isinstance(state, dict):
        return {name: _moved(value, device) for name, value in state.items()}
    if isinstance(state, list):
        return [_moved(value, device) for value in state]
    return state
