"""What is recorded at a step: the two parts of the tangent kernel, and the feature kernels."""

from collections.abc import Sequence

import torch

from finitewidth._shapes import Float
from finitewidth.simulate.matrices.products import product
from finitewidth.simulate.training.networks import Networks, Pass


def _gram(rows: Float[torch.Tensor, "S P n"]) -> Float[torch.Tensor, "S P P"]:
    """Inner products of the rows."""
    return product(rows, rows.transpose(1, 2))


def kernel(
    networks: Networks, seen: Pass, deltas: Sequence[torch.Tensor]
) -> tuple[Float[torch.Tensor, "S P P"], Float[torch.Tensor, "S P P"]]:
    """K_w and K_b, summed over the outputs, in float64.

    K_ab = Σ_j α_j² (λ_j x_a^(j−1)·x_b^(j−1) + bias_rate) Σ_o δ_ao^(j)·δ_bo^(j): no gradient of a
    weight is ever written down (Hanin & Nica 2020, eq. 2, with the gradients' outer products).

    Parameters
    ----------
    networks : Networks
        For α_j, λ_j and the biases' factor.
    seen : Pass
        At P inputs.
    deltas : list of tensor of shape [S, P, O, n_j]
        δ_ao^(j) = ∂N_o(x_a)/∂z^(j), from `Networks.backward`.
    """
    count, (size, inputs) = len(networks.layers), seen.outputs.shape[:2]
    weights = torch.zeros(size, inputs, inputs, dtype=torch.float64, device=seen.outputs.device)
    biases = torch.zeros_like(weights)
    for place in range(count):
        layer, delta = networks.layers[place], deltas[place]
        gradients = layer.alpha**2 * _gram(delta.reshape(size, inputs, -1)).double()
        biases += networks.bias_rate * gradients
        weights += layer.rate * _gram(seen.incoming[place]).double() * gradients
    return weights, biases


def features(seen: Pass) -> Float[torch.Tensor, "S L P P"]:
    """x_a^(j)·x_b^(j)/n_j of the hidden layers j = 1 … L, in float64."""
    size, inputs = seen.outputs.shape[:2]
    if len(seen.incoming) == 1:
        return torch.zeros(size, 0, inputs, inputs, dtype=torch.float64)
    grams = [_gram(x).double() / x.shape[-1] for x in seen.incoming[1:]]
    return torch.stack(grams, dim=1)
