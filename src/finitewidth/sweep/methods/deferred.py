"""Networks whose matrices are never drawn in full: the same law, at a cost linear in the width."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from finitewidth.simulate import ensemble, train
from finitewidth.sweep.methods.drawn import Block, summarised
from finitewidth.sweep.methods.registry import Method
from finitewidth.sweep.networks import hidden_widths, layers, network, vector
from finitewidth.sweep.summary import Summary


class Deferred(Method):
    """`simulate.ensemble` with deferred matrices, and with a learning rate one step of `train`."""

    block: ClassVar[int] = 16
    of_step: ClassVar[tuple[str, ...]] = ("step_mean",)

    def cost(self, inputs: Mapping[str, Any]) -> float:
        """See `Method`; measured: 0.4 ms a layer and 80 ns a neuron, twice that with a step."""
        neurons = sum(float(width) * count for width, count in hidden_widths(inputs))
        once = 4e-4 * layers(inputs) + 8e-8 * (neurons + inputs["n_in"])
        return once * (2.5 if "learning_rate" in inputs else 1.0)

    def compute(
        self, inputs: Mapping[str, Any], entropy: int, blocks: range, block: int
    ) -> Summary:
        """See `Method`."""
        net, x = network(inputs), vector(inputs)[None]

        def draw(number: int, seed: int) -> Block:
            del number
            if "learning_rate" not in inputs:
                start = ensemble(net, x, block, seed, "deferred")
                return {"kernel": start.kernels[:, 0, 0], "output": start.outputs[:, 0]}
            rate, target = inputs["learning_rate"], np.array([inputs["target"]])
            run = train(net, x, target, rate, 1, block, seed, "deferred", record=("kernels",))
            if run.diverged_at is not None:
                raise RuntimeError(
                    "a network leaves the range of a double in its first step; lower learning_rate."
                )
            kernels = run.kernels[:, :, 0, 0]
            return {
                "kernel": kernels[:, 0],
                "output": run.outputs[:, 0, 0],
                "step": kernels[:, 1] - kernels[:, 0],
            }

        return summarised(inputs, entropy, blocks, block, draw)


METHOD = Deferred()
