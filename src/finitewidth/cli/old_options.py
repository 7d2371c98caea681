"""The options that every command spells the same, and how their text is read."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from finitewidth.network import MLP

NIn = Annotated[
    int | None, typer.Option("--n-in", help="Input dimension; taken from --input if that is given.")
]
Width = Annotated[
    str | None, typer.Option("--width", help="Width of every hidden layer: 256 or 1e6.")
]
Widths = Annotated[
    str | None, typer.Option("--widths", help="Hidden widths one by one: 256,128,64.")
]
Depth = Annotated[
    int | None,
    typer.Option("--depth", help="d, the number of weight layers: hidden layers + 1."),
]
Input = Annotated[
    str | None,
    typer.Option(
        "--input", help="One input: file.npy or digits:7; without it |x|² = n_in (x all ones)."
    ),
]
Activation = Annotated[str, typer.Option("--activation", help="relu, leaky_relu, identity, abs, …")]
NegativeSlope = Annotated[
    float, typer.Option("--negative-slope", help="Slope of leaky_relu below 0.")
]
WeightLaw = Annotated[
    str, typer.Option("--weight-law", help="gaussian, uniform, laplace or student_t:DF.")
]
Parametrization = Annotated[
    str,
    typer.Option(
        "--parametrization",
        help="ntk (unit-variance weights), standard (PyTorch's own), mup or mean_field.",
    ),
]
HiddenGain = Annotated[
    float, typer.Option("--hidden-gain", help="C_W: hidden weights have variance C_W/fan-in.")
]
OutputGain = Annotated[float, typer.Option("--output-gain", help="C_W of the output layer.")]
Bias = Annotated[bool, typer.Option("--bias/--no-bias", help="Whether there are biases.")]
Seed = Annotated[int, typer.Option("--seed", help="The seed; it alone decides the numbers.")]
Workers = Annotated[int | None, typer.Option("--workers", help="Threads; all cores if not given.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def check_plot(name: str) -> None:
    """`check_file` for the figure of --plot."""
    check_file("--plot", name, ".png", ".svg")


def check_file(option: str, name: str, *endings: str) -> None:
    """Whether a file can be written there, before anything is computed.

    Raises
    ------
    ValueError
        For another ending than these, or a folder that does not exist.
    """
    if not name.endswith(endings):
        raise ValueError(f"{option} is {name!r}, expected a name ending in {' or '.join(endings)}.")
    if not Path(name).absolute().parent.is_dir():
        raise ValueError(f"{option} is {name!r}, but there is no folder {Path(name).parent}.")


def whole_number(text: str, option: str) -> int:
    """A width as it is typed: ``256``, ``1_000`` or ``1e6``, but not ``2.5``.

    Raises
    ------
    ValueError
        If the text is no whole number of at least 1.
    """
    try:
        number = float(text)
        value = int(text) if text.strip().lstrip("+-").replace("_", "").isdigit() else int(number)
        exact = value == number or text.strip().replace("_", "").isdigit()
    except (ValueError, OverflowError):
        exact, value = False, 0
    if not exact or value < 1:
        raise ValueError(f"{option} is {text!r}, expected a whole number such as 256 or 1e6.")
    return value


def input_dimension(n_in: int | None, x: np.ndarray | None) -> int:
    """--n-in, or the length of --input.

    Raises
    ------
    ValueError
        If neither is given.
    """
    if n_in is not None:
        return n_in
    if x is None:
        raise ValueError("the input dimension is missing; give --n-in 784, or --input.")
    return len(x)


def read_network(
    n_in: int,
    width: str | None,
    widths: str | None,
    depth: int | None,
    **fields: object,
) -> MLP:
    """The network that --width and --depth, or --widths, describe.

    Raises
    ------
    ValueError
        If they are missing, contradict each other, or are out of range.
    """
    if widths is not None:
        if width is not None:
            raise ValueError("--width and --widths were both given; give one of them.")
        each_width = [whole_number(part, "--widths") for part in widths.split(",")]
        if depth is not None and depth != len(each_width) + 1:
            raise ValueError(
                f"--depth is {depth}, but --widths lists {len(each_width)} hidden layers, "
                f"which is depth {len(each_width) + 1}; leave --depth out."
            )
        return MLP(n_in=n_in, widths=each_width, **fields)  # type: ignore[arg-type]
    if depth is None:
        raise ValueError("the network's depth is missing; give --width and --depth, or --widths.")
    if depth < 1:
        raise ValueError(
            f"--depth is {depth}, expected at least 1 (weight layers: hidden layers + 1)."
        )
    each = None if width is None else whole_number(width, "--width")
    if depth == 1:
        return MLP(n_in=n_in, widths=[], **fields)  # type: ignore[arg-type]
    if each is None:
        raise ValueError("the width is missing; give --width 256, or --widths 256,128.")
    return MLP.equal_width(n_in, each, depth - 1, **fields)
