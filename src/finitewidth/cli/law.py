"""`finitewidth law`: the exact law of K at one input beside the paper's and the joint limit."""

import typer

from finitewidth.cli import options
from finitewidth.cli.inputs import read_input
from finitewidth.cli.law_view import LawView
from finitewidth.law import KernelLaw


def law(
    n_in: options.NIn = None,
    width: options.Width = None,
    widths: options.Widths = None,
    depth: options.Depth = None,
    input_: options.Input = None,
    activation: options.Activation = "relu",
    negative_slope: options.NegativeSlope = 0.01,
    weight_law: options.WeightLaw = "gaussian",
    parametrization: options.Parametrization = "ntk",
    hidden_gain: options.HiddenGain = 2.0,
    output_gain: options.OutputGain = 1.0,
    bias: options.Bias = True,
    lr: options.LearningRate = 1.0,
    json_: options.Json = False,
) -> None:
    """The exact law of the kernel K(x, x) at initialisation, and of its first change."""
    x = None if input_ is None else read_input(input_)
    net = options.read_network(
        options.input_dimension(n_in, x),
        width,
        widths,
        depth,
        activation=activation,
        negative_slope=negative_slope,
        weight_law=weight_law,
        parametrization=parametrization,
        hidden_gain=hidden_gain,
        output_gain=output_gain,
        bias=bias,
    )
    view = LawView(KernelLaw(net, x), lr, input_)
    if json_:
        typer.echo(view.results().to_json())
    else:
        view.print()
