"""`finitewidth design`: the width that a target asks for."""

from finitewidth.cli.network_options import Input, Kind, refuse_without_law
from finitewidth.cli.numbers import Whole
from finitewidth.cli.output import Output
from finitewidth.cli.sampling import LearningRate
from finitewidth.design import width

TRIAL = 256
"""The width at which the expansion is suggested where there is no exact law to search with."""


def design(
    *,
    depth: Whole | None = None,
    max_dispersion: float | None = None,
    max_relative_update: float | None = None,
    where: Input = Input(),
    kind: Kind = Kind(),
    lr: LearningRate = 1.0,
    output: Output = Output(),
) -> None:
    """The smallest equal width that meets a target at a given depth.

    Parameters
    ----------
    depth
        d, the number of weight layers: hidden layers + 1.
    max_dispersion
        Largest allowed E K²/(E K)², above 1.
    max_relative_update
        Largest allowed |E ΔK|/E K of one SGD step at --lr, activation pattern frozen.
    """
    output.check()
    x = where.vector()
    if depth is None or depth < 2:
        raise ValueError(f"--depth is {depth}, expected at least 2 (one hidden layer to widen).")
    refuse_without_law(where, kind, width=TRIAL, depth=depth)
    answer = width(
        depth - 1,
        max_dispersion,
        where.dimension(x),
        max_relative_update=max_relative_update,
        learning_rate=lr,
        x=x,
        input_name=where.input,
        **kind.kind(),
    )
    output.show(answer)
