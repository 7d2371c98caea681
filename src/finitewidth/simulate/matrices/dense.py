"""Matrices that are stored."""

from typing import Any

import torch

from finitewidth._shapes import Float
from finitewidth.simulate.matrices.products import add_outer, product


class DenseMatrix:
    """S stored matrices; the `Matrix` of any weight law.

    Parameters
    ----------
    values : tensor of shape [S, n_out, n_in]
        M at the start; changed in place by `descend`.
    """

    def __init__(self, values: Float[torch.Tensor, "S n_out n_in"]) -> None:
        self.values = values
        self.velocity: torch.Tensor | None = None

    def right(self, x: Float[torch.Tensor, "S B n_in"], /) -> Float[torch.Tensor, "S B n_out"]:
        """M x for every row x."""
        return product(x, self.values.transpose(1, 2))

    def left(self, u: Float[torch.Tensor, "S R n_out"], /) -> Float[torch.Tensor, "S R n_in"]:
        """Mᵀ u for every row u."""
        return product(u, self.values)

    def descend(
        self,
        u: Float[torch.Tensor, "S R n_out"],
        x: Float[torch.Tensor, "S B n_in"],
        rate: float,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        mix: Float[torch.Tensor, "S R B"] | None = None,
    ) -> None:
        """One step of ``torch.optim.SGD`` with the gradient Σ_rb mix_rb u_r x_bᵀ, in place."""
        if mix is not None:
            u = product(mix.transpose(1, 2), u)
        if momentum == 0.0:
            add_outer(self.values, u, x, 1.0 - rate * weight_decay, -rate)
            return
        if self.velocity is None:
            self.velocity = torch.zeros_like(self.values)
        add_outer(self.velocity, u, x, momentum, 1.0)
        if weight_decay != 0.0:
            self.velocity.add_(self.values, alpha=weight_decay)
        self.values.add_(self.velocity, alpha=-rate)

    def dense(self) -> Float[torch.Tensor, "S n_out n_in"]:
        """M as it is now, a copy."""
        return self.values.clone()

    def state_dict(self) -> dict[str, Any]:
        """M, and V if there was a step with momentum."""
        state: dict[str, Any] = {"values": self.values}
        if self.velocity is not None:
            state["velocity"] = self.velocity
        return state

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        """Go on from a `state_dict`."""
        self.values = state["values"]
        self.velocity = state.get("velocity")
