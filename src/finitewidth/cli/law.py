"""`finitewidth law`: the exact law of K at one input beside the paper's and the joint limit."""

from finitewidth.cli.network_options import Network
from finitewidth.cli.output import Output
from finitewidth.cli.sampling import LearningRate
from finitewidth.law import KernelLaw


def law(*, network: Network = Network(), lr: LearningRate = 1.0, output: Output = Output()) -> None:
    """The exact law of the kernel K(x, x) at initialisation, and of its first change."""
    output.check()
    output.show(KernelLaw(*network.of_law(), input_name=network.input).overview(lr))
