"""`finitewidth simulate`: training of random networks, step by step, at any width."""

from typing import Annotated

import numpy as np
import typer

from finitewidth.cli import options
from finitewidth.cli.progress import progress_bar
from finitewidth.cli.references import Data, read_data
from finitewidth.cli.simulate_view import Trained, TrainingView
from finitewidth.network.parametrizations import scaling

FLOAT32 = 2**14
"""Width from which single precision is taken: matrices of that width are deferred, and their rows
are what the time goes into."""

From = Annotated[
    str, typer.Option("--data", help="digits, file.npz with X and y, or mod:function.")
]
Inputs = Annotated[int, typer.Option("--inputs", help="How many inputs of the data are used.")]
NumberOfSteps = Annotated[int, typer.Option("--steps", help="Steps of SGD on ½ Σ (N − y)².")]
Beside = Annotated[
    str | None,
    typer.Option(
        "--beside",
        help="Another parametrization, trained on the same data; ntk if not given and another one "
        "was asked for, none for no comparison.",
    ),
]
Rate = Annotated[
    float | None,
    typer.Option(
        "--lr",
        help="Learning rate; without it ½ over the largest eigenvalue of the mean kernel at the "
        "start, for each parametrization.",
    ),
]
Networks = Annotated[int, typer.Option("--size", help="Number of networks of each kind.")]
Method = Annotated[
    str, typer.Option("--method", help="auto, dense (stored matrices) or deferred (never drawn).")
]
Momentum = Annotated[float, typer.Option("--momentum", help="As in torch.optim.SGD.")]
Decay = Annotated[float, typer.Option("--weight-decay", help="As in torch.optim.SGD.")]
Batch = Annotated[
    int | None, typer.Option("--batch-size", help="Inputs in a step; all of them if not given.")
]
Store = Annotated[
    str | None,
    typer.Option("--store", help="Keep the record in this file; a run that was cut off goes on."),
]


def simulate(
    width: options.Width = None,
    widths: options.Widths = None,
    depth: options.Depth = None,
    data: From = "digits",
    inputs: Inputs = 4,
    steps: NumberOfSteps = 10,
    activation: options.Activation = "relu",
    negative_slope: options.NegativeSlope = 0.01,
    weight_law: options.WeightLaw = "gaussian",
    parametrization: options.Parametrization = "ntk",
    beside: Beside = None,
    hidden_gain: options.HiddenGain = 2.0,
    output_gain: options.OutputGain = 1.0,
    bias: options.Bias = True,
    lr: Rate = None,
    size: Networks = 1,
    seed: options.Seed = 0,
    method: Method = "auto",
    momentum: Momentum = 0.0,
    weight_decay: Decay = 0.0,
    batch_size: Batch = None,
    store: Store = None,
    json_: options.Json = False,
) -> None:
    """Train random networks step by step: loss, kernel and features, at any width."""
    from dataclasses import replace

    from finitewidth.simulate import train

    found = prepared(data, inputs)
    assert found.y is not None
    net = options.read_network(
        found.X.shape[1],
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
        n_out=1 if found.y.ndim == 1 else found.y.shape[1],
    )
    names = [parametrization]
    other = beside or ("none" if parametrization == "ntk" else "ntk")
    if other != "none":
        scaling(other)  # refuses unknown names
        names += [] if other == parametrization else [other]
    single = max(net.widths, default=0) >= FLOAT32
    X = found.X.astype(np.float32 if single else np.float64)
    runs = []
    for name in names:
        one = replace(net, parametrization=name)
        rate = lr
        if rate is None:
            start = train(one, X, found.y, 1.0, 0, size, seed, method, record=("kernels",)).kernels[
                :, 0
            ]
            rate = 0.5 / float(np.linalg.eigvalsh(start.mean(axis=0))[-1])
        kept = store if store is None or name == parametrization else f"{store}.{name}"
        work = 10.0 * size * (steps + 1) * sum(net.widths) * inputs
        with progress_bar(f"{name}: network steps", work) as progress:
            trajectory = train(
                one,
                X,
                found.y,
                rate,
                steps,
                size,
                seed,
                method,
                momentum=momentum,
                weight_decay=weight_decay,
                batch_size=batch_size,
                store=kept,
                progress=progress or False,
            )
        runs.append(Trained(name, rate, lr is not None, trajectory))
    view = TrainingView(runs, found.told, len(X), seed, "float32" if single else "float64")
    typer.echo(view.results().to_json()) if json_ else view.print()


def prepared(spec: str, count: int) -> Data:
    """Inputs [B, n_in] with a mean |x|² of n_in, and targets.

    Raises
    ------
    ValueError
        If --inputs is below 1, or the data set has no targets.
    """
    if count < 1:
        raise ValueError(f"--inputs is {count}, expected 1 or more.")
    found = read_data(spec, count, "cross_entropy" if spec == "digits" else "mse")
    if found.y is None:
        raise ValueError(
            f"--data {spec!r} has no targets y, which training needs; add them to the data."
        )
    y, told = np.asarray(found.y, dtype=np.float64), found.told
    if spec == "digits":
        y = np.where(y % 2 == 0, 1.0, -1.0)
        told = told.split(", targets")[0] + ", targets +1 for even and −1 for odd digits"
    X = np.asarray(found.X, dtype=np.float64).reshape(len(found.X), -1)
    mean = float((X**2).sum(axis=1).mean())
    if not 0 < mean < np.inf:
        raise ValueError(f"the inputs of --data {spec!r} have mean |x|² = {mean}; give others.")
    return Data(X * np.sqrt(X.shape[1] / mean), y, told)
