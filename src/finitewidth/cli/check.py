"""`finitewidth check`: which regime a user's model is in, measured over seeds."""

from typing import Annotated

from cyclopts import Parameter

from finitewidth.cli.numbers import Whole, whole_number
from finitewidth.cli.output import FigureOutput
from finitewidth.cli.progress import progress_bar
from finitewidth.cli.sampling import Workers
from finitewidth.data import imported, load

EXIT_CODES = {True: 0, False: 1, None: 3}
"""Where the limits are kept, where one is not, where the seeds do not tell."""


def check(
    model: str,
    /,
    *,
    data: str = "digits",
    loss: str = "mse",
    reduction: str = "sum",
    lr: float | None = None,
    max_steps: Whole = 1000,
    no_train: bool = False,
    forward: str | None = None,
    inputs: Whole = 16,
    seeds: Whole = 32,
    max_dispersion: float | None = None,
    max_kernel_change: float | None = None,
    along: Annotated[str | None, Parameter(name=("--along", "--sweep"))] = None,
    workers: Workers = 1,
    output: FigureOutput = FigureOutput(),
) -> int:
    """Which regime a PyTorch model is in, in a word and a sentence, with the numbers behind it.

    Exit code 1 if a limit (--max-dispersion, --max-kernel-change) is not kept, 3 if the seeds do
    not tell.

    Parameters
    ----------
    model
        package.module:function or path/to/file.py:function, which returns a new nn.Module.
    data
        digits, file.npz with X and y, or module:function.
    loss
        mse, cross_entropy or module:function.
    reduction
        sum over the batch, or mean as in PyTorch; --lr belongs to it.
    lr
        Learning rate of SGD; ½ over the largest eigenvalue λ_max where absent.
    max_steps
        Steps of the descent, which ends where the loss has fallen by a factor e.
    no_train
        Judge the start only.
    forward
        module:function of (model, batch), which calls the model.
    inputs
        How many inputs of the data are drawn.
    seeds
        How many seeds are measured.
    max_dispersion
        Exit code 1 where E K²/(E K)² is above.
    max_kernel_change
        Exit code 1 where one step's ‖ΔK‖/‖K‖ is above.
    along
        width=64,128,256: an argument of the function and its values.
    """
    from finitewidth import verdict

    output.check()
    if inputs < 1:
        raise ValueError(f"--inputs is {inputs}, expected at least 1.")
    if no_train and (lr, max_kernel_change) != (None, None):
        given = "--lr" if lr is not None else "--max-kernel-change"
        raise ValueError(f"--no-train was given with {given}, which is of a step; leave one out.")
    values = None if along is None else argument_values(along)
    factory = imported(model, "the model")
    batch = load(data, inputs, loss, "--data")
    if batch.y is None and (lr, max_kernel_change) != (None, None):
        raise ValueError(
            f"--data {data!r} has no targets y, which a step needs; add them, or leave --lr and "
            "--max-kernel-change out to judge the kernel at the start alone."
        )
    with progress_bar("networks", 1e9) as progress:
        arguments = {
            "loss": imported(loss, "--loss") if ":" in loss else loss,
            "reduction": reduction,
            "learning_rate": lr,
            "max_steps": max_steps,
            "forward": None if forward is None else imported(forward, "--forward"),
            "seeds": seeds,
            "workers": workers,
            "max_dispersion": max_dispersion,
            "max_kernel_change": max_kernel_change,
            "name": model,
            "data": batch,
            "progress": progress,
        }
        targets = None if no_train else batch.y
        if values is None:
            found = verdict.check(factory, batch.X, targets, **arguments)
        else:
            found = verdict.check_along(factory, *values, batch.X, targets, **arguments)
    output.show(found)
    return EXIT_CODES[found.passed]


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
