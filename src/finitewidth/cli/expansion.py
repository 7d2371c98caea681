"""`finitewidth expansion`: the kernel to first order in 1/n, for any activation and inputs."""

from typing import Annotated, Any

from cyclopts import Parameter

from finitewidth.cli.network_options import Network
from finitewidth.cli.numbers import Whole
from finitewidth.cli.output import FigureOutput
from finitewidth.data import load, unit_inputs
from finitewidth.expansion import Overview, criticality
from finitewidth.law import KernelLaw


def expansion(
    *,
    network: Network = Network(),
    data: str | None = None,
    inputs: Whole = 4,
    bias_variance: float | None = None,
    bias_lr: float = 1.0,
    lr: Annotated[float | None, Parameter(name="--lr")] = None,
    output: FigureOutput = FigureOutput(),
) -> None:
    """The kernel to first order in 1/n: criticality, mean, variance over seeds, first step.

    Parameters
    ----------
    data
        Several inputs: digits, file.npz with X, or mod:function.
    inputs
        How many inputs of --data are used.
    bias_variance
        C_b of all layers; critical if absent.
    bias_lr
        Learning-rate factor of the biases; 0 freezes them.
    lr
        η of the step on ½ Σ (N − y)²; ½ over the largest eigenvalue of Θ if absent.
    """
    output.check()
    X, name = _inputs(network, data, inputs)
    critical = criticality(network.activation, negative_slope=network.negative_slope)
    gains = critical.gains(network.hidden_gain, bias_variance, bias=network.bias)
    # |x|²/n_in = 1 is all that the ntk parametrization reads of an input that is not given.
    default = 1 if network.parametrization == "ntk" else None
    n_in = network.dimension(None if X is None else X.T, default)  # [n_in] or [n_in, B]
    net = network.network(n_in, **network.kind() | gains, bias_lr=bias_lr)
    if output.plot is not None and len(net.runs) > 1:
        raise ValueError(
            "--plot draws networks of one width and other depths, and the hidden widths are "
            f"{list(net.widths)}; give --width and --depth, or leave --plot out."
        )
    output.show(Overview(net, X, lr, KernelLaw, name))


def _inputs(network: Network, data: str | None, count: int) -> tuple[Any, str | None]:
    """Inputs [B, n_in] or [n_in], or None, and what they are."""
    if data is None:
        return network.vector(), network.input
    if (network.input, network.n_in) != (None, None):
        raise ValueError(
            "--data was given with --input or --n-in; give --data and --inputs for several "
            "inputs, or --input for one."
        )
    X = unit_inputs(load(data, count, "cross_entropy", "--data").X)
    return X, f"{len(X)} inputs of {data}, mean |x|² = n_in"
