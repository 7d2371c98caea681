"""`finitewidth step`: the first SGD step, split into its frozen and its crossing part."""

from typing import Annotated

from cyclopts import Parameter

from finitewidth.cli.network_options import Network
from finitewidth.cli.output import FigureOutput
from finitewidth.cli.progress import progress_bar
from finitewidth.cli.sampling import LearningRate, Seed, Size, Workers
from finitewidth.law import KernelLaw
from finitewidth.simulate import step_means

Target = Annotated[float, Parameter(help="The target t of the loss ½(N − t)².")]


def step(
    *,
    network: Network = Network(),
    lr: LearningRate | None = None,
    target: Target = 0.0,
    size: Size = 16_384,
    seed: Seed = 0,
    workers: Workers | None = None,
    output: FigureOutput = FigureOutput(),
) -> None:
    """The first real step of SGD: pattern frozen, neurons that cross zero, and both together."""
    output.check()
    net, x = network.of_law()
    law = KernelLaw(net, x, input_name=network.input)
    with progress_bar("networks", size * net.depth) as progress:
        answer = law.step(
            lr,
            target,
            size=size,
            seed=seed,
            workers=workers,
            progress=progress,
            simulated=step_means,
        )
    if output.plot or output.html:
        with progress_bar("widths", float("inf")) as progress:  # always: it simulates
            answer.against_width(progress)
    output.show(answer)
