"""S networks over layer matrices: forward, and backward from any vectors at the outputs."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from finitewidth._shapes import Float
from finitewidth.simulate.matrices.matrix import Matrix
from finitewidth.simulate.matrices.products import product
from finitewidth.simulate.training.activations import TensorActivation


@dataclass
class TrainedLayer:
    """z^(j) = γ z^(j−1) + α (b^(j) + scale · M^(j) x^(j−1)) of S networks.

    Attributes
    ----------
    matrix : Matrix
        M.
    scale : float
        Such that Ŵ = scale · M.
    rate : float
        λ_j, the learning-rate factor of Ŵ.
    bias : tensor of shape [S, n_j] or None
        b.
    velocity : tensor of shape [S, n_j] or None
        Of the bias, in a descent with momentum.
    alpha, gamma : float
        1 and 0, except between hidden layers of a residual network.
    """

    matrix: Matrix
    scale: float
    rate: float
    bias: torch.Tensor | None
    alpha: float
    gamma: float
    velocity: torch.Tensor | None = None


@dataclass(frozen=True)
class Pass:
    """What a forward pass leaves behind.

    Attributes
    ----------
    incoming : list of tensor of shape [S, B, n_{j−1}]
        x^(j−1), what layer j = 1 … d reads.
    slopes : list of tensor of shape [S, B, n_j]
        σ'(z^(j)) of the hidden layers.
    outputs : tensor of shape [S, B, n_out]
        N.
    """

    incoming: list[torch.Tensor]
    slopes: list[torch.Tensor]
    outputs: Float[torch.Tensor, "S B O"]

    def rows(self, which: slice | torch.Tensor) -> "Pass":
        """The pass at some of the inputs."""
        return Pass(
            [x[:, which] for x in self.incoming],
            [slope[:, which] for slope in self.slopes],
            self.outputs[:, which],
        )


@dataclass(frozen=True)
class Networks:
    """S networks of one architecture.

    Attributes
    ----------
    layers : list of TrainedLayer
        j = 1 … d.
    activation : TensorActivation
        σ.
    bias_rate : float
        Learning-rate factor of the biases; 0 if they are not trained.
    """

    layers: Sequence[TrainedLayer]
    activation: TensorActivation
    bias_rate: float

    def forward(self, X: Float[torch.Tensor, "S B n_in"]) -> Pass:
        """Evaluate every network at its rows."""
        incoming, slopes = [X], []
        z: torch.Tensor | None = None
        for place, layer in enumerate(self.layers):
            new = layer.matrix.right(incoming[place])
            if layer.scale != 1.0:
                new = new * layer.scale
            if layer.bias is not None:
                new = new + layer.bias[:, None, :]
            if layer.alpha != 1.0:
                new = new * layer.alpha
            if z is not None and layer.gamma != 0.0:
                new = new + layer.gamma * z
            z = new
            if place < len(self.layers) - 1:
                slopes.append(self.activation.derivative(z))
                incoming.append(self.activation.value(z))
        assert z is not None
        return Pass(incoming, slopes, z)

    def backward(
        self, seen: Pass, pulls: Float[torch.Tensor, "S B R O"] | None = None
    ) -> list[torch.Tensor]:
        """Σ_o pull_o ∂N_o/∂z^(j) for j = 1 … d, each of shape [S, B, R, n_j].

        δ^(j) = σ'(z^(j)) ∘ (α_{j+1} Ŵ^(j+1)ᵀ δ^(j+1)) + γ_{j+1} δ^(j+1).

        Parameters
        ----------
        seen : Pass
            Of `forward`, at these networks as they are now.
        pulls : tensor of shape [S, B, R, n_out], optional
            R vectors at the output for every input; without them the n_out unit vectors.
        """
        networks, count, outputs = seen.outputs.shape
        unit = torch.eye(outputs, dtype=seen.outputs.dtype, device=seen.outputs.device)
        every = pulls is None
        if pulls is None:
            pulls = unit.expand(networks, count, outputs, outputs)
        each, deltas = pulls.shape[2], [pulls]
        for place in range(len(self.layers) - 1, 0, -1):
            layer, above = self.layers[place], deltas[-1]
            if place < len(self.layers) - 1:
                flat = above.reshape(networks, count * each, -1)
                found = layer.matrix.left(flat).view(networks, count, each, -1)
            else:
                # What leaves the output layer is a combination of its rows, asked for once.
                ends = layer.matrix.left(unit.expand(networks, outputs, outputs).contiguous())
                found = ends[:, None] if every else product(pulls, ends[:, None])
            factor = layer.scale * layer.alpha
            slope = seen.slopes[place - 1]
            delta = found * (slope if factor == 1.0 else factor * slope)[:, :, None, :]
            if layer.gamma != 0.0:
                delta = delta + layer.gamma * above
            deltas.append(delta)
        return deltas[::-1]
