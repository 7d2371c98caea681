"""`finitewidth step`: the first SGD step, split into its frozen and its crossing part."""

from typing import Annotated

import typer

from finitewidth.cli import old_options as options
from finitewidth.cli.progress import progress_bar
from finitewidth.cli.step_view import StepView
from finitewidth.data import vector as read_input
from finitewidth.law import KernelLaw
from finitewidth.law.step.split import Split
from finitewidth.statistics.blocks import checked_seed, checked_size

Rate = Annotated[
    float | None, typer.Option("--lr", help="Learning rate λ of the step on the loss ½(N − t)².")
]
Target = Annotated[float, typer.Option("--target", help="The target t of the loss ½(N − t)².")]
Size = Annotated[
    str, typer.Option("--size", help="Networks of the conditional Monte Carlo: 16384 or 1e6.")
]
Plot = Annotated[
    str | None,
    typer.Option("--plot", help="Draw both parts against the width: out.png or out.svg."),
]


def step(
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
    lr: Rate = None,
    target: Target = 0.0,
    size: Size = "16384",
    seed: options.Seed = 0,
    workers: options.Workers = None,
    plot: Plot = None,
    json_: options.Json = False,
) -> None:
    """The first real step of SGD: pattern frozen, neurons that cross zero, and both together."""
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
    if net.depth == 1:
        raise ValueError(
            "without a hidden layer no step changes K, so there is nothing to split; give --depth "
            "2 or more."
        )
    if lr is None:
        raise ValueError(
            f"the learning rate is missing; give --lr, e.g. {0.1 / law.mean():.1g} (0.1/E K)."
        )
    if plot is not None:
        options.check_plot(plot)
    with progress_bar("networks", count * net.depth) as progress:
        split = Split.of(law, lr, target, size=count, seed=seed, workers=workers, progress=progress)
        view = StepView(split, lr, target, count, seed, workers, input_)
    if plot is not None:
        with progress_bar("widths", 1e9) as progress:  # always: it simulates
            view.plot(progress).save(plot)
    if json_:
        typer.echo(view.results().to_json())
    else:
        view.print()
        if plot is not None:
            typer.echo(f"The split against the width is drawn in {plot}.")
