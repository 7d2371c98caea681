"""`finitewidth check`: which regime a user's model is in, measured over seeds."""

from typing import Annotated

from cyclopts import Parameter

from finitewidth.cli.numbers import Whole, whole_number
from finitewidth.cli.output import FigureOutput
from finitewidth.cli.progress import progress_bar
from finitewidth.cli.sampling import Workers
from finitewidth.data import imported, load

NOT_KEPT = 1
"""Exit code where a limit is not kept."""


def check(
    model: str,
    /,
    *,
    data: str = "digits",
    loss: str = "mse",
    lr: float | None = None,
    inputs: Whole = 16,
    seeds: Whole = 32,
    max_dispersion: float | None = None,
    max_kernel_change: float | None = None,
    along: Annotated[str | None, Parameter(name=("--along", "--sweep"))] = None,
    workers: Workers = 1,
    output: FigureOutput = FigureOutput(),
) -> int:
    """Which regime a PyTorch model is in, in a word and a sentence, with the numbers behind it.

    Exit code 1 if a limit (--max-dispersion, --max-kernel-change) is not kept.

    Parameters
    ----------
    model
        package.module:function or path/to/file.py:function, which returns a new nn.Module.
    data
        digits, file.npz with X and y, or module:function.
    loss
        mse, cross_entropy (sums over the batch) or module:function.
    lr
        Learning rate of SGD; without it only the start is judged.
    inputs
        How many inputs of the data are used.
    seeds
        How many seeds are measured.
    max_dispersion
        Exit code 1 unless E K²/(E K)² is below.
    max_kernel_change
        Exit code 1 unless one step's ‖ΔK‖/‖K‖ is below.
    along
        width=64,128,256: an argument of the function and its values.
    """
    from finitewidth import verdict

    output.check()
    if inputs < 1:
        raise ValueError(f"--inputs is {inputs}, expected at least 1.")
    if max_kernel_change is not None and lr is None:
        raise ValueError("--max-kernel-change limits one step, which needs a rate; give --lr.")
    values = None if along is None else argument_values(along)
    factory = imported(model, "the model")
    batch = load(data, inputs, loss, "--data")
    if lr is not None and batch.y is None:
        raise ValueError(
            f"--data {data!r} has no targets y, which a step of --lr {lr:g} needs; add them, or "
            "leave --lr out to judge the kernel at the start alone."
        )
    with progress_bar("networks", 1e9) as progress:
        arguments = {
            "loss": imported(loss, "--loss") if ":" in loss else loss,
            "learning_rate": lr,
            "seeds": seeds,
            "workers": workers,
            "max_dispersion": max_dispersion,
            "max_kernel_change": max_kernel_change,
            "name": model,
            "data": batch,
            "progress": progress,
        }
        targets = None if lr is None else batch.y
        if values is None:
            found = verdict.check(factory, batch.X, targets, **arguments)
        else:
            found = verdict.check_along(factory, *values, batch.X, targets, **arguments)
    output.show(found)
    return 0 if found.passed else NOT_KEPT


def argument_values(text: str) -> tuple[str, list[int]]:
    """Name and values of ``width=64,128``.

    Raises
    ------
    ValueError
        For another form.
    """
    name, _, values = text.partition("=")
    if not values or not name.strip().isidentifier():
        raise ValueError(
            f"--along is {text!r}, expected an argument of the function and its values, such as "
            "width=64,128,256."
        )
    try:
        listed = [whole_number(part) for part in values.split(",")]
    except ValueError as error:
        raise ValueError(f"--along holds {error}") from None
    if len(set(listed)) < max(2, len(listed)):
        raise ValueError(f"--along is {text!r}, expected at least two different values.")
    return name.strip(), listed
