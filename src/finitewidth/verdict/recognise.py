"""Is this module one of the networks whose law is known? If not, what differs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from finitewidth.network import MLP
from finitewidth.verdict import weights
from finitewidth.verdict.structure import Plain, hooks, plain

if TYPE_CHECKING:
    from torch import nn

GAINS = (2.0, 1.0, 1.0 / 3.0, 4.0, 0.5, 3.0)
"""C = fan-in × Var W of usual initialisations: Kaiming, LeCun, PyTorch's default, …"""


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


class Differs(Exception):
    """What a module has that the networks whose law is known have not."""


def recognise(models: "list[nn.Module]", outputs: int) -> Recognised:
    """The network that draws of one factory describe.

    Parameters
    ----------
    models : list of torch.nn.Module
        Of several seeds, so that the law of the weights can be told.
    outputs : int
        Of each.
    """
    from finitewidth.measure.module import Network

    try:
        if type(models[0]) is Network:
            net, sentence = _described(models)
        else:
            net, sentence = _recognised(models)
    except Differs as reason:
        return Recognised(
            None,
            outputs,
            f"No theory stands beside the numbers: {reason}, so its law is not known.",
        )
    return Recognised(net, outputs, sentence)


def _described(models: "list[Any]") -> tuple[MLP, str]:
    """Modules of an `MLP`, whose weights are still as they were drawn."""
    net: MLP = models[0].net
    if net.act.slope is None or net.residual is not None:
        raise Differs(
            "the law covers activations that are linear on either side of 0, without residual "
            "branches"
        )
    if any(type(model) is not type(models[0]) or model.net != net for model in models):
        raise Differs("the network depends on the seed")
    for model in models:
        reason = hooks(model)
        if reason:
            raise Differs(reason)
    for place, layer in enumerate(net.layers()):
        parts = [model.layers[place] for model in models]
        if not parts[0].weight.requires_grad or (
            net.trains_biases and not parts[0].bias.requires_grad
        ):
            raise Differs("some of its parameters are frozen")
        drawn = _draws([part.weight for part in parts])
        reason = weights.not_independent(drawn)
        if reason:
            raise Differs(f"the weights of layer {place + 1} {reason}")
        value, error = weights.gain(drawn)
        stored = layer.fan_in * layer.weight_variance / layer.weight_lr
        if abs(value - stored) > weights.SIGMAS * error:
            raise Differs(f"the weights of layer {place + 1} are not as its MLP draws them")
        if net.bias and net.bias_variance == 0 and _largest([part.bias for part in parts]) > 0:
            raise Differs("its biases do not start at 0")
    return net, f"The model is fw.measure.module of an MLP ({net.parametrization})."


def _recognised(models: "list[nn.Module]") -> tuple[MLP, str]:
    """A plain stack of Linear and ReLU in PyTorch's own terms."""
    stacks: list[Plain] = []
    for model in models:
        found = plain(model)
        if isinstance(found, str):
            raise Differs(found)
        stacks.append(found)
    shapes = {
        (stack.slope, *((layer.in_features, layer.out_features) for layer in stack.layers))
        for stack in stacks
    }
    if len(shapes) > 1:
        raise Differs("its widths or slopes depend on the seed")
    first, slope = stacks[0].layers, stacks[0].slope
    biased = [layer.bias is not None for layer in first]
    if any(biased) != all(biased):
        raise Differs("some of its layers have biases and others have none")
    if not all(p.requires_grad for layer in first for p in layer.parameters()):
        raise Differs("some of its parameters are frozen")
    if all(biased):
        largest = _largest([layer.bias for stack in stacks for layer in stack.layers])
        if largest > 0:
            raise Differs(
                f"its biases start at random (up to {largest:.2g}), as PyTorch's default Linear "
                "draws them: set them to 0 with nn.init.zeros_"
            )
    drawn = [
        _draws([stack.layers[place].weight for stack in stacks]) for place in range(len(first))
    ]
    law = _law_of(drawn)
    usual = (*GAINS, 2.0 / (1.0 + slope**2))
    gains = [weights.gain(each) for each in drawn]
    hidden = weights.common_gain(gains[:-1], usual) if len(first) > 1 else 2.0
    output = weights.common_gain(gains[-1:], usual)
    if hidden is None or output is None:
        seen = ", ".join(f"{value:.3g}({error:.1g})" for value, error in gains)
        raise Differs(
            f"fan-in × Var W is {seen} in its layers, which is no usual gain, the same in all "
            "hidden layers"
        )
    activation: dict[str, Any] = {"activation": "relu"}
    if slope:
        activation = {"activation": "leaky_relu", "negative_slope": slope}
    net = MLP(
        n_in=first[0].in_features,
        widths=[layer.out_features for layer in first[:-1]],
        weight_law=law,
        hidden_gain=hidden,
        output_gain=output,
        bias=all(biased),
        parametrization="standard",
        **activation,
    )
    return net, (
        f"The model was recognised as an MLP with {law} weights of variance {hidden:.3g}/fan-in "
        f"(last layer {output:.3g}/fan-in) and "
        f"{'biases that start at 0' if all(biased) else 'no biases'}. It holds its weights "
        "themselves, not unit-variance ones times a scale, so every weight's learning-rate factor "
        'is 1: parametrization="standard".'
    )


def _law_of(drawn: list[np.ndarray]) -> str:
    for place, each in enumerate(drawn):
        reason = weights.not_independent(each)
        if reason:
            raise Differs(f"the weights of layer {place + 1} {reason}")
    for place, each in enumerate(drawn):
        for other, two in enumerate(drawn[:place]):
            if two.shape == each.shape:
                correlation = float((each * two).sum() / np.sqrt((each**2).sum() * (two**2).sum()))
                if abs(correlation) > weights.SIGMAS / np.sqrt(each.size):
                    raise Differs(
                        f"the weights of layers {other + 1} and {place + 1} are correlated"
                    )
    fitting = [{name for name in weights.LAWS if weights.has_law(each, name)} for each in drawn]
    for place, names in enumerate(fitting):
        if not names:
            raise Differs(f"the weights of layer {place + 1} are neither normal nor uniform")
    shared = set.intersection(*fitting)
    if not shared:
        raise Differs("its layers have weights of different laws")
    return "gaussian" if "gaussian" in shared else "uniform"


def _draws(matrices: "list[Any]") -> np.ndarray:
    """[D, m, n]."""
    return np.stack([matrix.detach().double().cpu().numpy() for matrix in matrices])


def _largest(biases: "list[Any]") -> float:
    return max(float(bias.detach().abs().max()) for bias in biases)
