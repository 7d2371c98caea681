"""`finitewidth simulate`: training of random networks, step by step, at any width."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

import numpy as np
import typer

from finitewidth.cli import old_options as options
from finitewidth.simulate.runs import line as simulate_line
from finitewidth.cli.progress import progress_bar
from finitewidth.simulate.curves.figure import training_panels
from finitewidth.simulate.runs.run import Trained, Training
from finitewidth.simulate.runs.comparison import TrainingView
from finitewidth.data import Data
from finitewidth.data import load as read_data
from finitewidth.network import MLP
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
Line = Annotated[
    str | None,
    typer.Option(
        "--line",
        help="The law of the trajectory along a line: beta=0.5 (β = Σ 1/n) or ratio=0.25 (d/n), "
        "with --depths in place of a width and a depth.",
    ),
]
Depths = Annotated[str | None, typer.Option("--depths", help="Depths on the line: 3,5,9.")]
Rate = Annotated[
    float | None,
    typer.Option(
        "--lr",
        help="Learning rate; without it ½ over the largest eigenvalue of the kernel at the start, "
        "for each parametrization (of 99 % of the networks, where there are many).",
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
PlotFile = Annotated[
    str | None,
    typer.Option("--plot", help="Draw loss, kernel and features by step: out.png or out.svg."),
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
    line: Line = None,
    depths: Depths = None,
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
    plot: PlotFile = None,
    json_: options.Json = False,
) -> None:
    """Train random networks step by step: loss, kernel and features, at any width."""
    if plot is not None:
        options.check_plot(plot)
    found = prepared(data, inputs)
    assert found.y is not None
    fields = {
        "activation": activation,
        "negative_slope": negative_slope,
        "weight_law": weight_law,
        "parametrization": parametrization,
        "hidden_gain": hidden_gain,
        "output_gain": output_gain,
        "bias": bias,
        "n_out": 1 if found.y.ndim == 1 else found.y.shape[1],
    }
    n_in = found.X.shape[1]
    if line is None and depths is not None:
        raise ValueError("--depths was given without --line; give --line beta=0.5, or --depth.")
    if line is not None:
        if (width, widths, depth, beside) != (None, None, None, None):
            raise ValueError(
                "--line chooses the widths itself and compares no parametrizations; leave out "
                "--width, --widths, --depth and --beside."
            )
        nets = simulate_line.networks(MLP(n_in, **fields), line, depths)  # type: ignore[arg-type]
        cells = [(f"{net.widths[0]} × {len(net.widths)}", net) for net in nets]
    else:
        net = options.read_network(n_in, width, widths, depth, **fields)
        cells = list(_parametrizations(net, beside))
    single = max(max(net.widths, default=0) for _, net in cells) >= FLOAT32
    X = found.X.astype(np.float32 if single else np.float64)
    training = Training(
        X, found.y, steps, size, seed, method, momentum, weight_decay, batch_size, lr
    )
    runs: list[Trained] = []
    for name, net in cells:
        kept = store if store is None or not runs else f"{store}.{name.replace(' × ', 'x')}"
        with progress_bar(f"{name}: network steps", training.work(net)) as progress:
            runs.append(training.of(name, net, kept, progress))
    precision = "float32" if single else "float64"
    view = (TrainingView if line is None else simulate_line.LineView)(
        runs, found.description, len(X), seed, precision
    )
    if plot is not None:
        if isinstance(view, simulate_line.LineView):
            view.panels(X).save(plot)
        else:
            training_panels(runs, " ".join(view.header())).save(plot)
    if json_:
        typer.echo(view.results().to_json())
        return
    view.print()
    if plot is not None:
        typer.echo(f"The curves are drawn in {plot}.")


def _parametrizations(net: MLP, beside: str | None) -> Iterator[tuple[str, MLP]]:
    """The network as asked for, and in the parametrization beside it."""
    asked = net.parametrization
    yield asked, net
    other = beside or ("none" if asked == "ntk" else "ntk")
    if other not in ("none", asked):
        scaling(other)  # refuses unknown names
        yield other, replace(net, parametrization=other)


def prepared(spec: str, count: int) -> Data:
    """Inputs [B, n_in] with a mean |x|² of n_in, and targets.

    Raises
    ------
    ValueError
        If --inputs is below 1, or the data set has no targets.
    """
    if count < 1:
        raise ValueError(f"--inputs is {count}, expected 1 or more.")
    found = read_data(spec, count, "cross_entropy" if spec == "digits" else "mse", "--data")
    if found.y is None:
        raise ValueError(
            f"--data {spec!r} has no targets y, which training needs; add them to the data."
        )
    y, told = np.asarray(found.y, dtype=np.float64), found.description
    if spec == "digits":
        y = np.where(y % 2 == 0, 1.0, -1.0)
        told = told.split(", targets")[0] + ", targets +1 for even and −1 for odd digits"
    X = np.asarray(found.X, dtype=np.float64).reshape(len(found.X), -1)
    mean = float((X**2).sum(axis=1).mean())
    if not 0 < mean < np.inf:
        raise ValueError(f"the inputs of --data {spec!r} have mean |x|² = {mean}; give others.")
    return Data(X * np.sqrt(X.shape[1] / mean), y, told)
