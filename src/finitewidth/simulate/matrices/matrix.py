"""What training needs of the matrix of a layer: products from both sides and a step of SGD."""

from typing import Any, Protocol, runtime_checkable

import torch

from finitewidth._shapes import Float


@runtime_checkable
class Matrix(Protocol):
    """S matrices M of shape [n_out, n_in]; the layer's weights are Ŵ = scale · M."""

    def right(self, x: Float[torch.Tensor, "S B n_in"], /) -> Float[torch.Tensor, "S B n_out"]:
        """M x for every row x."""
        ...

    def left(self, u: Float[torch.Tensor, "S R n_out"], /) -> Float[torch.Tensor, "S R n_in"]:
        """Mᵀ u for every row u."""
        ...

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

        g = Σ_rb mix_rb u_r x_bᵀ + weight_decay M;  V = momentum V + g, at first V = g;
        M −= rate V. Without a mix it is Σ_b u_b x_bᵀ.
        """
        ...

    def dense(self) -> Float[torch.Tensor, "S n_out n_in"]:
        """M as it is now."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """What a run needs to go on from here."""
        ...

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        """Go on from a `state_dict`."""
        ...
