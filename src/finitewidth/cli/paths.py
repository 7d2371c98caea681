"""`finitewidth paths`: the sums over paths behind E K² and E ΔK, and their loops."""

from finitewidth.cli.network_options import Network
from finitewidth.cli.numbers import Whole
from finitewidth.cli.output import FigureOutput
from finitewidth.cli.sampling import Seed
from finitewidth.paths import Overview

N_IN = 2
"""Of an input that is not given."""


def paths(
    *,
    network: Network = Network(),
    show_loops: bool = False,
    figure: Whole | None = None,
    sample: str | None = None,
    seed: Seed = 0,
    output: FigureOutput = FigureOutput(),
) -> None:
    """Sums over paths: how many there are, what they add up to, how many loops carry it.

    Parameters
    ----------
    show_loops
        How much of E K² and E ΔK each number of loops carries.
    figure
        1 or 2: draw that figure of the paper instead of the loops, for --plot or --html.
    sample
        Draw four paths of weights_squared, cross, biases_squared, update_ww or update_wb instead
        (see --seed).
    """
    output.check()
    if (figure, sample) != (None, None) and (output.plot, output.html) == (None, None):
        raise ValueError("--figure and --sample make a picture; give --plot FILE.svg or --html.")
    net, x = network.of_law(N_IN)
    output.show(
        Overview(net, x, show_loops=show_loops, figure=figure, sample=sample, seed=seed,
                 input_name=network.input)
    )  # fmt: skip
