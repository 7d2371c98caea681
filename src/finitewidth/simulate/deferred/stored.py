"""Networks whose matrices are known in full, because a side had no direction left or on demand."""

from collections.abc import Sequence
from typing import Any

import torch

from finitewidth._shapes import Float
from finitewidth.simulate.matrices.dense import DenseMatrix


class Stored:
    """Networks of a batch with stored matrices.

    Parameters
    ----------
    networks : list of int
        Which networks of the batch these are.
    start : tensor of shape [S, n_out, n_in]
        G.
    present : tensor of shape [S, n_out, n_in]
        W; changed in place by `descend`.
    velocity : tensor of shape [S, n_out, n_in], optional
        V; changed in place by `descend`.
    """

    def __init__(
        self,
        networks: Sequence[int],
        start: Float[torch.Tensor, "S n_out n_in"],
        present: Float[torch.Tensor, "S n_out n_in"],
        velocity: Float[torch.Tensor, "S n_out n_in"] | None = None,
    ) -> None:
        self.networks = list(networks)
        self._start = start
        self._matrix = DenseMatrix(present)
        self._matrix.velocity = velocity

    @property
    def counts(self) -> tuple[int, int]:
        """All directions are known."""
        return self._start.shape[1], self._start.shape[2]

    @property
    def bytes(self) -> int:
        """Bytes of G, W and V."""
        copies = 2 if self._matrix.velocity is None else 3
        return copies * self._start.numel() * self._start.element_size()

    def right(self, x: Float[torch.Tensor, "S B n_in"]) -> Float[torch.Tensor, "S B n_out"]:
        """W x for every row x."""
        return self._matrix.right(x)

    def left(self, u: Float[torch.Tensor, "S B n_out"]) -> Float[torch.Tensor, "S B n_in"]:
        """Wᵀ u for every row u."""
        return self._matrix.left(u)

    def descend(
        self,
        u: Float[torch.Tensor, "S B n_out"],
        x: Float[torch.Tensor, "S B n_in"],
        rate: float,
        momentum: float,
        weight_decay: float,
    ) -> None:
        """A step of SGD along Σ_b u_b x_bᵀ + weight_decay W."""
        self._matrix.descend(u, x, rate, momentum=momentum, weight_decay=weight_decay)

    def initial(self) -> Float[torch.Tensor, "S n_out n_in"]:
        """The matrices G at the start."""
        return self._start

    def present(self) -> Float[torch.Tensor, "S n_out n_in"]:
        """The matrices W as they are now."""
        return self._matrix.values

    def state_dict(self) -> dict[str, Any]:
        """Copies of G, W and V."""
        state: dict[str, Any] = {
            "networks": self.networks,
            "start": self._start.clone(),
            "present": self._matrix.values.clone(),
        }
        if self._matrix.velocity is not None:
            state["velocity"] = self._matrix.velocity.clone()
        return state

    @classmethod
    def restored(cls, state: dict[str, Any]) -> "Stored":
        """From a `state_dict`, which may be used again."""
        velocity = state.get("velocity")
        return cls(
            state["networks"],
            state["start"],
            state["present"].clone(),
            None if velocity is None else velocity.clone(),
        )
