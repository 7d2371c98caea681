"""`finitewidth design`: the width that a target asks for."""

from typing import Annotated

import typer

from finitewidth.cli import old_options as options
from finitewidth.cli.results import Results, describe, in_words
from finitewidth.data import vector as read_input
from finitewidth.design import width_for
from finitewidth.law import KernelLaw
from finitewidth.network import MLP

MaxDispersion = Annotated[
    float | None,
    typer.Option("--max-dispersion", help="Largest allowed E K²/(E K)², above 1."),
]
MaxUpdate = Annotated[
    float | None,
    typer.Option(
        "--max-relative-update",
        help="Largest allowed |E ΔK|/E K of one SGD step at --lr, activation pattern frozen.",
    ),
]


def design(
    depth: options.Depth = None,
    max_dispersion: MaxDispersion = None,
    max_relative_update: MaxUpdate = None,
    n_in: options.NIn = None,
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
    """The smallest equal width that meets a target at a given depth."""
    x = None if input_ is None else read_input(input_, "--input")
    n_in = options.input_dimension(n_in, x)
    if depth is None or depth < 2:
        raise ValueError(f"--depth is {depth}, expected at least 2 (one hidden layer to widen).")
    fields = {
        "activation": activation,
        "negative_slope": negative_slope,
        "weight_law": weight_law,
        "parametrization": parametrization,
        "hidden_gain": hidden_gain,
        "output_gain": output_gain,
        "bias": bias,
    }
    width = width_for(
        depth - 1,
        max_dispersion,
        n_in,
        max_relative_update=max_relative_update,
        learning_rate=lr,
        x=x,
        **fields,
    )
    net = MLP.equal_width(n_in, width, depth - 1, **fields)
    law = KernelLaw(net, x)
    if json_:
        found = Results(
            describe(net)
            | {
                "input": input_ or "|x|^2 = n_in",
                "max_dispersion": max_dispersion,
                "max_relative_update": max_relative_update,
                "learning_rate": lr,
            }
        )
        found.exact("width", width, "bisection on the exact law")
        found.exact("dispersion", law.dispersion())
        found.exact("relative_update", law.relative_update(lr))
        typer.echo(found.to_json())
        return
    typer.echo(f"width {width}")
    typer.echo(in_words(net))
    typer.echo(
        f"At width {width}: E K²/(E K)² = {law.dispersion():.6g}, E ΔK/E K of one SGD step at "
        f"λ = {lr:g} (activation pattern frozen) = {law.relative_update(lr):.4g}."
    )
    if width > 1:
        below = KernelLaw(MLP.equal_width(n_in, width - 1, depth - 1, **fields), x)
        typer.echo(
            f"At width {width - 1}: {below.dispersion():.6g} and {below.relative_update(lr):.4g}: "
            "not enough."
        )
