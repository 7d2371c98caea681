"""Is this module one of the networks whose law is known? If not, what differs."""

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from finitewidth.network import MLP

if TYPE_CHECKING:
    from torch import nn

GAINS = (2.0, 1.0, 1.0 / 3.0, 4.0, 0.5, 3.0)
"""C = fan-in × Var W of usual initialisations: Kaiming, LeCun, PyTorch's default, …"""

SIGMAS = 5.0
"""Standard errors by which a drawn variance may lie off."""


@dataclass(frozen=True)
class Recognised:
    """What a module is.

    Attributes
    ----------
    net : MLP or None
        The network of this description, None if it is none of them.
    outputs : int
        Of the module; the law is of each alone.
    sentence : str
        How it was read, or what differs.
    """

    net: MLP | None
    outputs: int
    sentence: str


def recognise(models: "list[nn.Module]") -> Recognised:
    """The network that draws of one factory describe.

    Parameters
    ----------
    models : list of torch.nn.Module
        Of several seeds, so that the law of the weights can be told.
    """
    from finitewidth.measure.module import Network

    if isinstance(models[0], Network):
        net = models[0].net
        if net.act.slope is None or net.residual is not None:
            return Recognised(None, net.n_out, "The law is known without residual branches and for "
                              "activations that are linear on either side of 0 only.")  # fmt: skip
        return Recognised(
            net, net.n_out, f"The model is fw.measure.module of an MLP ({net.parametrization})."
        )
    return _sequential(models)


def _sequential(models: "list[nn.Module]") -> Recognised:
    from torch import nn

    stacks = [_flat(model) for model in models]
    first = stacks[0]
    if first is None or not any(isinstance(layer, nn.Linear) for layer in first):
        kind = type(models[0]).__name__
        return _none(f"it is a {kind}, not a Sequential of Linear and ReLU or LeakyReLU")
    layers: list[nn.Linear] = []
    slopes: list[float] = []
    for place, layer in enumerate(first):
        if isinstance(layer, nn.Flatten | nn.Identity | nn.Dropout):
            continue
        if isinstance(layer, nn.Linear):
            if len(layers) > len(slopes):
                return _none(f"module {place} (Linear) follows a Linear without an activation")
            layers.append(layer)
            continue
        slope = _slope(layer)
        if slope is None:
            return _none(f"module {place} is a {type(layer).__name__}")
        if len(slopes) >= len(layers):
            return _none(f"module {place} ({type(layer).__name__}) follows no Linear")
        slopes.append(slope)
    if len(slopes) != len(layers) - 1:
        return _none("its last layer is not a Linear")
    if len(set(slopes)) > 1:
        return _none(f"its activations have different slopes below 0 ({sorted(set(slopes))})")
    return _described(stacks, len(layers), slopes[0] if slopes else 0.0)  # type: ignore[arg-type]


def _described(stacks: "list[list[nn.Module]]", count: int, slope: float) -> Recognised:
    from torch import nn

    draws = [[layer for layer in stack if isinstance(layer, nn.Linear)] for stack in stacks]
    shapes = {tuple((d.in_features, d.out_features) for d in draw) for draw in draws}
    if len(shapes) > 1:
        return _none("its widths depend on the seed")
    first = draws[0]
    outputs = first[-1].out_features
    biased = [layer.bias is not None for layer in first]
    if any(biased) != all(biased):
        return _none("some of its layers have biases and others have none", outputs)
    frozen = [p for layer in first for p in layer.parameters() if not p.requires_grad]
    if frozen:
        return _none("some of its parameters are frozen", outputs)
    if all(biased):
        largest = max(float(layer.bias.detach().abs().max()) for draw in draws for layer in draw)
        if largest > 0:
            return _none(
                f"its biases start at random (up to {largest:.2g}), as PyTorch's default Linear "
                "draws them: set them to 0 with nn.init.zeros_",
                outputs,
            )
    gains, kurtoses = [], []
    for place in range(count):
        weights = np.concatenate(
            [draw[place].weight.detach().double().cpu().numpy().ravel() for draw in draws]
        )
        if abs(weights.mean()) > SIGMAS * weights.std() / sqrt(len(weights)):
            return _none(f"the weights of layer {place + 1} have another mean than 0", outputs)
        gains.append(_gain(weights * sqrt(first[place].in_features)))
        kurtoses.append((weights, float((weights**4).mean() / (weights**2).mean() ** 2)))
    law = _law(kurtoses)
    if law is None:
        return _none("its weights are neither normal nor uniform", outputs)
    usual = (*GAINS, 2.0 / (1.0 + slope**2))
    hidden = _common(gains[:-1], usual) if count > 1 else 2.0
    output = _common(gains[-1:], usual)
    if hidden is None or output is None:
        seen = ", ".join(f"{value:.3g}({error:.1g})" for value, error in gains)
        return _none(
            f"fan-in × Var W is {seen} in its layers, which is no usual gain, the same in all "
            "hidden layers",
            outputs,
        )
    activation = {"activation": "relu"}
    if slope:
        activation = {"activation": "leaky_relu", "negative_slope": slope}  # type: ignore[dict-item]
    net = MLP(
        n_in=first[0].in_features,
        widths=[layer.out_features for layer in first[:-1]],
        weight_law=law,
        hidden_gain=hidden,
        output_gain=output,
        bias=all(biased),
        parametrization="standard",
        **activation,  # type: ignore[arg-type]
    )
    return Recognised(
        net,
        outputs,
        f"The model was recognised as an MLP with {law} weights of variance {hidden:.3g}/fan-in "
        f"(last layer {output:.3g}/fan-in) and "
        f"{'biases that start at 0' if all(biased) else 'no biases'}. It holds its weights "
        "themselves, not unit-variance ones times a scale, so every weight's learning-rate factor "
        'is 1: parametrization="standard".',
    )


def _flat(model: Any) -> "list[nn.Module] | None":
    """The layers of nested Sequentials, None for anything else."""
    from torch import nn

    if not isinstance(model, nn.Sequential):
        return None
    found: list[nn.Module] = []
    for layer in model:
        inner = _flat(layer) if isinstance(layer, nn.Sequential) else [layer]
        if inner is None:
            return None
        found += inner
    return found


def _slope(layer: Any) -> float | None:
    from torch import nn

    if isinstance(layer, nn.ReLU):
        return 0.0
    return float(layer.negative_slope) if isinstance(layer, nn.LeakyReLU) else None


def _gain(scaled: np.ndarray) -> tuple[float, float]:
    """Variance with its standard error."""
    squares = scaled**2
    return float(squares.mean()), float(squares.std() / sqrt(len(squares)))


def _common(gains: list[tuple[float, float]], usual: tuple[float, ...]) -> float | None:
    """The only usual gain that all agree with."""
    found = {
        gain for gain in usual if all(abs(value - gain) <= SIGMAS * error for value, error in gains)
    }
    return found.pop() if len(found) == 1 else None


def _law(kurtoses: list[tuple[np.ndarray, float]]) -> str | None:
    """Normal or uniform weights, by E W⁴/(E W²)² = 3 or 9/5."""
    for name, expected, spread in (("gaussian", 3.0, sqrt(24.0)), ("uniform", 1.8, 1.2)):
        if all(
            abs(value - expected) <= SIGMAS * spread / sqrt(len(weights))
            for weights, value in kurtoses
        ):
            return name
    return None


def _none(reason: str, outputs: int = 0) -> Recognised:
    return Recognised(
        None, outputs, f"No theory stands beside the numbers: {reason}, so its law is not known."
    )
