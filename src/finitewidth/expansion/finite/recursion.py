"""From the input to the output: one pass of the recursion, with or without separate sources."""

from collections.abc import Iterator

import numpy as np

from finitewidth._shapes import Float
from finitewidth.expansion import infinite
from finitewidth.expansion.finite import plain, residual
from finitewidth.expansion.finite.tensors import Tensors
from finitewidth.expansion.gaussian import Averages
from finitewidth.expansion.gaussian.averages import ORDERS
from finitewidth.expansion.scales import scales
from finitewidth.network import MLP


def refuse_residual(net: MLP) -> None:
    """Stop where no recursion is proven.

    Raises
    ------
    ValueError
        For a residual network with an activation other than the identity.
    """
    if net.residual is not None and net.act.slope != 1.0 and net.depth > 2:
        raise ValueError(
            f"the 1/n expansion of a residual network is known for the identity alone, and the "
            f"activation is {net.act.name!r}: its layers' fluctuations do not close on one layer; "
            "use fw.simulate.ensemble(net, X, size), or fw.expansion.kernel(net, X).infinite, "
            "which holds for every activation."
        )


def layer_tensors(
    net: MLP, X: Float[np.ndarray, "B n_in"], averages: Averages, *, separate: bool = False
) -> Iterator[tuple[infinite.Limit, Tensors]]:
    """K, Θ and the tensors of order 1/n of the neurons of layers 1 … d.

    Parameters
    ----------
    net : MLP
        The network.
    X : array of shape [B, n_in]
        The inputs.
    averages : Averages
        Of its activation.
    separate : bool
        Whether the tensors have one source for each hidden layer, in their order; else their sum.

    Raises
    ------
    ValueError
        For a residual network whose activation is not the identity.
    """
    refuse_residual(net)
    sources = max(net.depth - 1, 1) if separate else 1
    T = Tensors.zero(sources, len(X))
    layers = scales(net)
    limit = infinite.start(next(layers), X)
    yield limit, T
    for scale in layers:
        source = np.zeros(sources)
        source[scale.index - 2 if separate else 0] = scale.inverse_width
        pairs = averages.pairs(limit.kernel, ORDERS)
        around = plain.Around(limit, scale, pairs, source)
        new = plain.step(T, around, averages.quadruples(limit.kernel))
        if (scale.alpha, scale.gamma) != (1.0, 0.0):
            crossed = residual.crossed(T, around)
            new = residual.mixed(T, crossed, new, scale.alpha, scale.gamma)
        limit, T = infinite.propagate(limit, scale, pairs), new
        yield limit, T


def output_tensors(
    net: MLP, X: Float[np.ndarray, "B n_in"], averages: Averages, *, separate: bool = False
) -> tuple[infinite.Limit, Tensors]:
    """The last of `layer_tensors`: those of the output."""
    found = None
    for one in layer_tensors(net, X, averages, separate=separate):
        found = one
    assert found is not None  # layer 1 exists
    return found
