"""`finitewidth sample`: the law of K itself, by exact samples."""

from typing import Annotated

import typer

from finitewidth.cli import old_options as options
from finitewidth.cli.progress import progress_bar
from finitewidth.cli.sample_view import SampleView
from finitewidth.data import vector as read_input
from finitewidth.law import KernelLaw
from finitewidth.statistics.blocks import checked_seed, checked_size

Plot = Annotated[
    str | None, typer.Option("--plot", help="Write a figure of the density: out.png or out.svg.")
]


def sample(
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
    size: options.Size = "1e5",
    seed: options.Seed = 0,
    workers: options.Workers = None,
    plot: Plot = None,
    json_: options.Json = False,
) -> None:
    """Quantiles, tails and a histogram of K over random initialisations, at any width."""
    x = None if input_ is None else read_input(input_, "--input")
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
    law, count = KernelLaw(net, x), options.whole_number(size, "--size")
    checked_size(count)
    checked_seed(seed)
    if plot is not None:
        options.check_plot(plot)
    with progress_bar("networks", count * net.depth) as progress:
        summary = law.summary(count, seed, workers=workers, progress=progress)
    view = SampleView(law, summary, count, seed, input_)
    if plot is not None:
        view.plot().save(plot)
    if json_:
        typer.echo(view.results().to_json())
    else:
        view.print()
        if plot is not None:
            typer.echo(f"The density is drawn in {plot}.")
