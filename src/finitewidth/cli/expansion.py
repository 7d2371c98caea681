"""`finitewidth expansion`: the kernel to first order in 1/n, for any activation and inputs."""

from typing import Annotated

import numpy as np
import typer

from finitewidth.cli import old_options as options
from finitewidth.expansion.overview.numbers import Numbers
from finitewidth.expansion.overview.overview import ExpansionView
from finitewidth.data import load as read_data
from finitewidth.data import vector as read_input
from finitewidth.expansion import Criticality, criticality

AnyActivation = Annotated[
    str,
    typer.Option(
        "--activation", help="relu, leaky_relu, identity, abs, tanh, erf, sin, gelu or silu."
    ),
]
Gain = Annotated[
    float | None,
    typer.Option("--hidden-gain", help="C_W of all layers but the last; critical if absent."),
]
BiasVariance = Annotated[
    float | None,
    typer.Option("--bias-variance", help="C_b of all layers; critical if absent."),
]
BiasRate = Annotated[
    float, typer.Option("--bias-lr", help="Learning-rate factor of the biases; 0 freezes them.")
]
From = Annotated[
    str | None,
    typer.Option("--data", help="Several inputs: digits, file.npz with X, or mod:function."),
]
Inputs = Annotated[int, typer.Option("--inputs", help="How many inputs of --data are used.")]
Rate = Annotated[
    float | None,
    typer.Option(
        "--lr", help="η of the step on ½ Σ (N − y)²; ½ over the largest eigenvalue of Θ if absent."
    ),
]
Plot = Annotated[
    str | None,
    typer.Option("--plot", help="Draw Var Θ/Θ² against the depth: out.png or out.svg."),
]


def expansion(
    n_in: options.NIn = None,
    width: options.Width = None,
    widths: options.Widths = None,
    depth: options.Depth = None,
    input_: options.Input = None,
    data: From = None,
    inputs: Inputs = 4,
    activation: AnyActivation = "relu",
    negative_slope: options.NegativeSlope = 0.01,
    parametrization: options.Parametrization = "ntk",
    hidden_gain: Gain = None,
    bias_variance: BiasVariance = None,
    output_gain: options.OutputGain = 1.0,
    bias: options.Bias = True,
    bias_lr: BiasRate = 1.0,
    lr: Rate = None,
    plot: Plot = None,
    json_: options.Json = False,
) -> None:
    """The kernel to first order in 1/n: criticality, mean, variance over seeds, first step."""
    X, told = _inputs(n_in, input_, data, inputs, parametrization)
    critical = criticality(activation, negative_slope=negative_slope)
    if hidden_gain is None:
        hidden_gain = critical.hidden_gain
    if bias_variance is None:
        bias_variance = _critical_biases(critical, bias=bias)
    net = options.read_network(
        X.shape[1],
        width,
        widths,
        depth,
        activation=activation,
        negative_slope=negative_slope,
        parametrization=parametrization,
        hidden_gain=hidden_gain,
        bias_variance=bias_variance,
        output_gain=output_gain,
        bias=bias,
        bias_lr=bias_lr,
    )
    if net.depth == 1:
        raise ValueError(
            "without a hidden layer the kernel is the same for every seed and no step changes it; "
            "give --depth 2 or more."
        )
    if plot is not None:
        options.check_plot(plot)
        if len(net.runs) > 1:
            raise ValueError(
                "--plot draws networks of one width and other depths, and the hidden widths are "
                f"{list(net.widths)}; give --width and --depth, or leave --plot out."
            )
    view = ExpansionView(Numbers(net, X, critical, lr), told)
    if plot is not None:
        from finitewidth.expansion.overview.figure import depth_plot

        depth_plot(view.numbers).save(plot)
    if json_:
        typer.echo(view.results().to_json())
    else:
        view.print()
        if plot is not None:
            typer.echo(f"Var Θ/Θ² against the depth is drawn in {plot}.")


def _critical_biases(critical: Criticality, *, bias: bool) -> float | None:
    if not bias and critical.bias_variance:
        raise ValueError(
            f"{critical.activation} is critical with biases of variance "
            f"{critical.bias_variance:.6g}, and --no-bias was given; leave it out, or give "
            "--bias-variance 0 as well."
        )
    return critical.bias_variance


def _inputs(
    n_in: int | None, input_: str | None, data: str | None, count: int, parametrization: str
) -> tuple[np.ndarray, str]:
    """Inputs of shape [B, n_in], and what they are.

    Raises
    ------
    ValueError
        If options contradict each other, or the input's dimension is missing.
    """
    if data is None:
        x = None if input_ is None else read_input(input_, "--input")
        if x is None and n_in is None and parametrization == "ntk":
            n_in = 1  # |x|²/n_in = 1 is all that this parametrization reads
        dimension = options.input_dimension(n_in, x)
        if x is not None and dimension != len(x):
            raise ValueError(f"--n-in is {n_in}, but --input has {len(x)} numbers; leave one out.")
        if dimension < 1:
            raise ValueError(f"--n-in is {dimension}, expected 1 or more.")
        one = np.ones(dimension) if x is None else x
        return one[None], input_ or "|x|² = n_in"
    if input_ is not None or n_in is not None:
        raise ValueError(
            "--data was given with --input or --n-in; give --data and --inputs for several "
            "inputs, or --input for one."
        )
    if count < 1:
        raise ValueError(f"--inputs is {count}, expected 1 or more.")
    X = np.asarray(read_data(data, count, "cross_entropy", "--data").X, dtype=np.float64)
    X = X.reshape(len(X), -1)
    mean = float((X**2).sum(axis=1).mean())
    if not 0 < mean < np.inf:
        raise ValueError(f"the inputs of --data {data!r} have mean |x|² = {mean}; give others.")
    return X * np.sqrt(X.shape[1] / mean), f"{len(X)} inputs of {data}, mean |x|² = n_in"
