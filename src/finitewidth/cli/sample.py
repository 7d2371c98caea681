"""`finitewidth sample`: the law of K itself, by exact samples."""

from finitewidth.cli.network_options import Network
from finitewidth.cli.output import FigureOutput
from finitewidth.cli.progress import progress_bar
from finitewidth.cli.sampling import Seed, Size, Workers
from finitewidth.law import KernelLaw


def sample(
    *,
    network: Network = Network(),
    size: Size = 100_000,
    seed: Seed = 0,
    workers: Workers | None = None,
    output: FigureOutput = FigureOutput(),
) -> None:
    """Quantiles, tails and a histogram of K over random initialisations, at any width."""
    output.check()
    net, x = network.of_law()
    law = KernelLaw(net, x, input_name=network.input)
    with progress_bar("networks", size * net.depth) as progress:
        summary = law.summary(size, seed, workers=workers, progress=progress)
    output.show(summary)
