"""`finitewidth check`: the kernel of a user's model, measured over seeds."""

from typing import Annotated

import typer

from finitewidth.cli import options
from finitewidth.cli.progress import progress_bar
from finitewidth.cli.references import imported, read_data

Model = Annotated[
    str, typer.Argument(metavar="MODULE:FACTORY", help="A function that returns a new nn.Module.")
]
Data = Annotated[str, typer.Option("--data", help="digits, file.npz with X, or module:function.")]
Inputs = Annotated[int, typer.Option("--inputs", help="How many inputs of the data are used.")]
Seeds = Annotated[int, typer.Option("--seeds", help="How many seeds are measured.")]


def check(
    model: Model,
    data: Data = "digits",
    inputs: Inputs = 16,
    seeds: Seeds = 32,
    workers: options.Workers = 1,
    json_: options.Json = False,
) -> None:
    """Kernel mean, spread, condition and layers' shares of a PyTorch model, with error bars."""
    if inputs < 1:
        raise ValueError(f"--inputs is {inputs}, expected at least 1.")
    try:
        from finitewidth import measure
        from finitewidth.cli.check_view import CheckView
    except ImportError:
        raise RuntimeError(
            'measuring a model needs PyTorch; pip install "finitewidth[torch]".'
        ) from None
    factory, x = imported(model, "the model"), read_data(data, inputs)
    with progress_bar("seeds", 1e9) as progress:
        found = measure.ensemble(factory, x, seeds, workers or 1, progress=progress)
    view = CheckView(found, model, data)
    if json_:
        typer.echo(view.results().to_json())
    else:
        view.print()
