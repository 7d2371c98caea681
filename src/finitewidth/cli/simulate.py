"""`finitewidth simulate`: training of random networks, step by step, at any width."""

from dataclasses import replace
from typing import Annotated

from cyclopts import Parameter

from finitewidth.cli.network_options import Kind, Layers
from finitewidth.cli.numbers import Whole, Wholes
from finitewidth.cli.output import FigureOutput
from finitewidth.cli.progress import progress_bar
from finitewidth.cli.sampling import LearningRate, Seed, Size
from finitewidth.data import training_set
from finitewidth.law import start_quantiles
from finitewidth.network import MLP, on_line
from finitewidth.simulate import along_line, compare
from finitewidth.simulate.runs.run import work

Rate = Annotated[
    LearningRate | None,
    Parameter(
        help="Learning rate of a step of SGD on ½ Σ (N − y)²; without it ½ over the largest "
        "eigenvalue of the kernel at the start, for each parametrization (of 99 % of the networks, "
        "where there are many)."
    ),
]


def simulate(
    *,
    kind: Kind = Kind(),
    layers: Layers = Layers(),
    data: str = "digits",
    inputs: Whole = 4,
    steps: Whole = 10,
    beside: str | None = None,
    line: str | None = None,
    depths: Wholes | None = None,
    lr: Rate = None,
    size: Size = 1,
    seed: Seed = 0,
    method: str = "auto",
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    batch_size: Whole | None = None,
    store: str | None = None,
    output: FigureOutput = FigureOutput(),
) -> None:
    """Train random networks step by step: loss, kernel and features, at any width.

    Parameters
    ----------
    data
        digits, file.npz with X and y, or mod:function.
    inputs
        How many inputs of the data are used.
    steps
        Steps of SGD on ½ Σ (N − y)².
    beside
        Another one on the same data, or none; ntk if another parametrization was asked for.
    line
        In place of widths: beta=0.5 (β = Σ 1/n) or ratio=0.25 (d/n), with --depths.
    depths
        Depths on the line: 3,5,9.
    method
        auto, dense (stored matrices) or deferred (never drawn).
    momentum
        As in torch.optim.SGD.
    weight_decay
        As in torch.optim.SGD.
    batch_size
        Inputs in a step; all of them if not given.
    store
        Keep the record in this file; a run that was cut off goes on.
    """
    output.check()
    known = training_set(data, inputs, "--data")
    assert known.y is not None
    n_in, fields = known.X.shape[1], kind.kind()
    fields["n_out"] = 1 if known.y.ndim == 1 else known.y.shape[1]
    if line is not None:
        if layers != Layers() or beside is not None:
            raise ValueError(
                "--line chooses the widths itself and compares no parametrizations; leave out "
                "--width, --widths, --depth and --beside."
            )
        nets = _on_line(MLP(n_in, **fields), line, depths)
    elif depths is not None:
        raise ValueError("--depths was given without --line; give --line beta=0.5, or --depth.")
    else:
        nets = _parametrizations(layers.network(n_in, **fields), beside)
    asked = {
        "learning_rate": lr,
        "data": known.description,
        "store": store,
        "momentum": momentum,
        "weight_decay": weight_decay,
        "batch_size": batch_size,
    }
    with progress_bar("network steps", work(nets, inputs, steps, size)) as progress:
        asked["progress"] = progress or False
        if line is None:
            named = {net.parametrization: net for net in nets}
            result = compare(named, known.X, known.y, steps, size, seed, method, **asked)
        else:
            result = along_line(
                nets, known.X, known.y, steps, size, seed, method, start=start_quantiles, **asked
            )
    output.show(result)


def _parametrizations(net: MLP, beside: str | None) -> list[MLP]:
    """The network as asked for, and in the parametrization beside it."""
    other = beside or ("none" if net.parametrization == "ntk" else "ntk")
    if other in ("none", net.parametrization):
        return [net]
    return [net, replace(net, parametrization=other)]


def _on_line(net: MLP, line: str, depths: tuple[int, ...] | None) -> list[MLP]:
    """The networks of ``--line`` and ``--depths``."""
    name, _, text = line.partition("=")
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if name not in ("beta", "ratio") or not 0 < value < float("inf"):
        raise ValueError(f"--line is {line!r}, expected beta=0.5 (Σ 1/n) or ratio=0.25 (d/n).")
    if depths is None:
        raise ValueError("--line needs the depths on it; give --depths 3,5,9.")
    return on_line(net, depths, **{name: value})
