"""The 1/n expansion: first order in the inverse widths, any activation."""

from collections.abc import Mapping
from typing import Any, ClassVar

from finitewidth.expansion import kernel
from finitewidth.sweep.methods.registry import Method
from finitewidth.sweep.networks import layers, network, vector
from finitewidth.sweep.summary import Summary


class Expansion(Method):
    """`expansion.kernel` at one input: an approximation, without an error of its own."""

    samples: ClassVar[bool] = False

    def cost(self, inputs: Mapping[str, Any]) -> float:
        """See `Method`; measured: 2 ms a layer for smooth activations, less for kinked ones."""
        return 0.01 + 2e-3 * layers(inputs)

    def compute(
        self, inputs: Mapping[str, Any], entropy: int, blocks: range, block: int
    ) -> Summary:
        """See `Method`."""
        del entropy, blocks, block
        found = kernel(network(inputs), vector(inputs)[None])
        infinite, variance = float(found.infinite[0, 0]), float(found.variance[0, 0])
        values = {
            "kernel_mean": float(found.mean[0, 0]),
            "kernel_dispersion": 1.0 + variance / infinite**2,
            "output_square_mean": float(found.nngp[0, 0] + found.nngp_correction[0, 0]),
        }
        if "learning_rate" in inputs:
            change = found.first_step([inputs["target"]], inputs["learning_rate"])
            values["update_mean"] = float(change[0, 0])
        return Summary(0, values=values)


METHOD = Expansion()
