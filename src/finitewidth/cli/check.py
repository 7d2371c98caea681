"""`finitewidth check`: which regime a user's model is in, measured over seeds."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finitewidth.cli import old_options as options
from finitewidth.cli.progress import progress_bar
from finitewidth.data import imported
from finitewidth.data import load as read_data

if TYPE_CHECKING:
    from finitewidth.cli.check_view import CheckView

NOT_KEPT = 1
"""Exit code where a limit is not kept."""

Model = Annotated[
    str, typer.Argument(metavar="MODULE:FACTORY", help="A function that returns a new nn.Module.")
]
Data = Annotated[
    str, typer.Option("--data", help="digits, file.npz with X and y, or module:function.")
]
LossName = Annotated[
    str, typer.Option("--loss", help="mse, cross_entropy (sums over the batch) or module:function.")
]
Rate = Annotated[
    float | None,
    typer.Option("--lr", help="Learning rate of SGD; without it only the start is judged."),
]
Inputs = Annotated[int, typer.Option("--inputs", help="How many inputs of the data are used.")]
Seeds = Annotated[int, typer.Option("--seeds", help="How many seeds are measured.")]
MaxDispersion = Annotated[
    float | None,
    typer.Option("--max-dispersion", help="Exit code 1 unless E K²/(E K)² is below."),
]
MaxKernelChange = Annotated[
    float | None,
    typer.Option("--max-kernel-change", help="Exit code 1 unless one step's ‖ΔK‖/‖K‖ is below."),
]
SweepText = Annotated[
    str | None,
    typer.Option("--sweep", help="width=64,128,256: an argument of the factory and its values."),
]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a pull request.")]
Html = Annotated[
    str | None, typer.Option("--html", help="Also write a report with figures: out.html.")
]


def check(
    model: Model,
    data: Data = "digits",
    loss: LossName = "mse",
    lr: Rate = None,
    inputs: Inputs = 16,
    seeds: Seeds = 32,
    max_dispersion: MaxDispersion = None,
    max_kernel_change: MaxKernelChange = None,
    sweep: SweepText = None,
    workers: options.Workers = 1,
    json_: options.Json = False,
    markdown: Markdown = False,
    html: Html = None,
) -> None:
    """Which regime a PyTorch model is in, in a word and a sentence, with the numbers behind it.

    Exit code 1 if a limit (--max-dispersion, --max-kernel-change) is not kept.
    """
    if inputs < 1:
        raise ValueError(f"--inputs is {inputs}, expected at least 1.")
    if json_ and markdown:
        raise ValueError("--json and --markdown were both given; give one of them.")
    if max_kernel_change is not None and lr is None:
        raise ValueError("--max-kernel-change limits one step, which needs a rate; give --lr.")
    along = None if sweep is None else read_sweep(sweep)
    if html is not None:
        check_html(html)
    view = _measured(
        model, data, loss, lr, inputs, seeds, max_dispersion, max_kernel_change, along, workers
    )
    if html is not None:
        view.page().html(html)
    if json_:
        typer.echo(view.results().to_json())
    elif markdown:
        typer.echo(view.markdown())
    else:
        view.print()
        if html is not None:
            typer.echo(f"The report is in {html}.")
    if not view.passed:
        raise typer.Exit(NOT_KEPT)


def _measured(
    model: str,
    data: str,
    loss: str,
    rate: float | None,
    inputs: int,
    seeds: int,
    max_dispersion: float | None,
    max_kernel_change: float | None,
    along: tuple[str, list[int]] | None,
    workers: int | None,
) -> "CheckView":
    try:
        from finitewidth.cli.check_sweep_view import SweepView
        from finitewidth.cli.check_view import OneView, Setting
        from finitewidth.verdict import check as verdict
        from finitewidth.verdict.along import check_along, refuse_missing
    except ImportError:
        raise RuntimeError(
            'measuring a model needs PyTorch; pip install "finitewidth[torch]".'
        ) from None
    factory = imported(model, "the model")
    if along is not None:
        refuse_missing(factory, along[0])
    found = read_data(data, inputs, loss, "--data")
    if rate is not None and found.y is None:
        raise ValueError(
            f"--data {data!r} has no targets y, which a step of --lr {rate:g} needs; add them, or "
            "leave --lr out to judge the kernel at the start alone."
        )
    setting = Setting(
        model, data, found.description, len(found.X), loss, rate, max_dispersion, max_kernel_change
    )
    arguments = {
        "loss": imported(loss, "--loss") if ":" in loss else loss,
        "learning_rate": rate,
        "seeds": seeds,
        "workers": workers or 1,
        "max_dispersion": max_dispersion,
        "max_kernel_change": max_kernel_change,
    }
    targets = None if rate is None else found.y
    with progress_bar("networks", 1e9) as progress:
        if along is None:
            one = verdict(factory, found.X, targets, progress=progress, **arguments)
            return OneView(one, setting)
        swept = check_along(factory, *along, found.X, targets, progress=progress, **arguments)
        return SweepView(swept, setting)


def read_sweep(text: str) -> tuple[str, list[int]]:
    """Name and values of ``width=64,128``.

    Raises
    ------
    ValueError
        For another form.
    """
    name, equals, values = text.partition("=")
    if not equals or not name.strip().isidentifier():
        raise ValueError(
            f"--sweep is {text!r}, expected an argument of the factory and its values, such as "
            "width=64,128,256."
        )
    listed = [options.whole_number(part, "--sweep") for part in values.split(",")]
    if len(set(listed)) < 2 or len(set(listed)) < len(listed):
        raise ValueError(f"--sweep is {text!r}, expected at least two different values.")
    return name.strip(), listed


def check_html(name: str) -> None:
    """Whether a report can be written there, before anything is measured.

    Raises
    ------
    ValueError
        For another ending than .html, or a folder that does not exist.
    RuntimeError
        If jinja2 or matplotlib is not installed.
    """
    if not name.endswith(".html"):
        raise ValueError(f"--html is {name!r}, expected a name ending in .html.")
    if not Path(name).absolute().parent.is_dir():
        raise ValueError(f"--html is {name!r}, but there is no folder {Path(name).parent}.")
    from finitewidth._extras import needed_for

    with needed_for("HTML reports", "report"):
        import jinja2  # noqa: F401
        import matplotlib  # noqa: F401
