"""`finitewidth paths`: the sums over paths behind E K² and E ΔK, and their loops."""

from typing import Annotated

import typer

from finitewidth.cli import old_options as options
from finitewidth.cli.paths_view import PathsView
from finitewidth.data import vector as read_input
from finitewidth.paths import scheme

ShowLoops = Annotated[
    bool,
    typer.Option("--show-loops", help="How much of E K² and E ΔK each number of loops carries."),
]
Plot = Annotated[
    str | None,
    typer.Option(
        "--plot",
        help="Write a figure, FILE.png or FILE.svg: loops, or the paths of --figure or --sample.",
    ),
]
Figure = Annotated[
    int | None, typer.Option("--figure", help="1 or 2: that figure of the paper, with --plot.")
]
Sample = Annotated[
    str | None,
    typer.Option(
        "--sample",
        help="Draw four paths of weights_squared, cross, biases_squared, update_ww or update_wb "
        "(see --seed), for --plot.",
    ),
]


def paths(
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
    show_loops: ShowLoops = False,
    plot: Plot = None,
    figure: Figure = None,
    sample: Sample = None,
    seed: options.Seed = 0,
    json_: options.Json = False,
) -> None:
    """Sums over paths: how many there are, what they add up to, how many loops carry it."""
    x = None if input_ is None else read_input(input_, "--input")
    dimension = 2 if n_in is None and x is None else options.input_dimension(n_in, x)
    net = options.read_network(
        dimension,
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
    if plot is not None:
        options.check_plot(plot)
    elif figure is not None or sample is not None:
        raise ValueError("--figure and --sample make a picture; give --plot FILE.svg with them.")
    if figure is not None and (figure not in (1, 2) or sample is not None):
        raise ValueError(
            f"--figure is {figure} with --sample {sample}, expected --figure 1 or 2 alone."
        )
    if sample is not None:
        scheme(sample)
    view = PathsView(net, x, input_, show_loops, seed)
    if plot is not None:
        view.figure(figure, sample).save(plot)
    if json_:
        typer.echo(view.results().to_json())
    else:
        view.print()
