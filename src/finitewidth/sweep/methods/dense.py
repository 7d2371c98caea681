"""Networks drawn and evaluated one by one, every matrix stored."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from finitewidth.simulate import ensemble, first_step
from finitewidth.sweep.methods.drawn import Block, summarised
from finitewidth.sweep.methods.registry import Method
from finitewidth.sweep.networks import network, vector, weights
from finitewidth.sweep.summary import Summary


class Dense(Method):
    """`simulate.ensemble`, and with a learning rate `simulate.first_step`, block by block."""

    of_step: ClassVar[tuple[str, ...]] = ("update_mean", "step_mean")

    def cost(self, inputs: Mapping[str, Any]) -> float:
        """See `Method`; measured: 26 ns a weight, 35 with a step, and 0.1 ms a network."""
        return 1e-4 + weights(inputs) * (3.5e-8 if "learning_rate" in inputs else 2.6e-8)

    def compute(
        self, inputs: Mapping[str, Any], entropy: int, blocks: range, block: int
    ) -> Summary:
        """See `Method`."""
        net, x = network(inputs), vector(inputs)[None]

        def draw(number: int, seed: int) -> Block:
            del number
            if "learning_rate" not in inputs:
                start = ensemble(net, x, block, seed, "dense")
                return {"kernel": start.kernels[:, 0, 0], "output": start.outputs[:, 0]}
            rate, target = inputs["learning_rate"], np.array([inputs["target"]])
            run = first_step(net, x, target, rate, block, seed)
            return {
                "kernel": run.before[:, 0, 0],
                "output": run.outputs[:, 0],
                "update": run.first_order[:, 0, 0],
                "step": (run.after - run.before)[:, 0, 0],
            }

        return summarised(inputs, entropy, blocks, block, draw)


METHOD = Dense()
