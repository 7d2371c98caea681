"""Exact samples of the law, at a cost free of the width."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from finitewidth.law import KernelLaw
from finitewidth.law.sampler.ask import check_sampled
from finitewidth.law.sampler.one_pass import draw_block
from finitewidth.law.sampler.sample import parts
from finitewidth.law.sampler.streams import BLOCK
from finitewidth.statistics.blocks import stream
from finitewidth.sweep.methods.law import known_moments
from finitewidth.sweep.methods.registry import Method
from finitewidth.sweep.networks import layers, network, power_sums
from finitewidth.sweep.summary import Summary, of_networks


class Sampler(Method):
    """`KernelLaw.sample`, block by block: block b is the b-th of a sample with this entropy."""

    block: ClassVar[int] = BLOCK

    def cost(self, inputs: Mapping[str, Any]) -> float:
        """See `Method`; measured: 60 ns a layer."""
        return 6e-8 * (layers(inputs) + 4)

    def compute(
        self, inputs: Mapping[str, Any], entropy: int, blocks: range, block: int
    ) -> Summary:
        """See `Method`."""
        law = KernelLaw(network(inputs), power_sums=power_sums(inputs))
        check_sampled(law.net)
        count = block * len(blocks)
        logs, squares = np.empty(count), np.empty(count)
        for place, number in enumerate(blocks):
            drawn = draw_block(law.net, law.squared_norm, stream(entropy, number), block)
            norm, _, _, kernel = parts(law.net, drawn)
            here = slice(place * block, (place + 1) * block)
            logs[here], squares[here] = kernel.log(), norm.plain("N²")
        index = np.arange(blocks.start * block, blocks.stop * block)
        known = {} if blocks.start else known_moments(inputs)  # the first chunk's are kept
        return of_networks(index, logs, squares, known=known)


METHOD = Sampler()
