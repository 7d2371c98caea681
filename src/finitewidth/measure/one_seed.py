"""What is kept of one seed's network: its kernel, its layers' shares."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from finitewidth._shapes import Float
from finitewidth.measure.kernel.contract import contract
from finitewidth.measure.kernel.features import features
from finitewidth.measure.kernel.of_module import finite
from finitewidth.measure.kernel.rounding import refuse_rounding
from finitewidth.measure.model.coupling import refuse_coupling
from finitewidth.measure.model.model import Model
from finitewidth.measure.model.randomness import refuse_randomness


@dataclass(frozen=True)
class OneSeed:
    """The measurement of one network.

    Attributes
    ----------
    kernel : array [B, B]
        Trace over outputs.
    shares : dict of str to float
        Each layer's part of the mean diagonal, in its units; a layer is a module with parameters
        of its own.
    """

    kernel: Float[np.ndarray, "B B"]
    shares: dict[str, float]


def measure_model(model: nn.Module | Model, x: object, *, check: bool) -> OneSeed:
    """Measure one network.

    Parameters
    ----------
    model : torch.nn.Module or Model
    x : Batch, or what makes one
    check : bool
        Whether to look for randomness in the forward pass and for inputs that influence each
        other, which costs some of them.
    """
    model = Model.of(model)
    parameters, inputs = model.parameters, model.batch(x, "X")
    with model.undisturbed():
        if check:
            refuse_randomness(model, inputs)
            refuse_rounding(model, inputs)
        probe = torch.Generator(device=inputs.device).manual_seed(0)
        outputs = model.outputs(inputs)
        if check:
            refuse_coupling(model, inputs, outputs.detach())
        found = features(outputs, list(parameters.values()), probe)
        total = torch.zeros(len(inputs), len(inputs), dtype=torch.float64)
        shares: dict[str, float] = {}
        for name, parameter in parameters.items():
            factor = found.factors.get(parameter)
            if factor is None:
                continue
            term = contract(factor, factor, trace=True).double().cpu()
            total += term
            layer = layer_of(name)
            shares[layer] = shares.get(layer, 0.0) + float(term.diagonal().mean())
    kernel = finite(total + total.T).numpy() / 2
    return OneSeed(kernel, shares)


def layer_of(name: str) -> str:
    """The module that holds a parameter, or the parameter itself."""
    return name.rpartition(".")[0] or name
