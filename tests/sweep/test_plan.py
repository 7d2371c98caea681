"""Chunks: every block once, in order, whatever the cost."""

import pytest

from finitewidth.sweep.plan import Plan


@pytest.mark.parametrize("seconds", [1e-7, 1e-4, 1e-2, 0.3, 40.0])
@pytest.mark.parametrize("block", [64, 4096])
def test_chunks_hold_every_block_once_in_order(block: int, seconds: float) -> None:
    plan = Plan.of(block, seconds)
    blocks = [b for chunk in range(12) for b in plan.blocks(chunk)]
    assert blocks == list(range(len(blocks)))
    lengths = [len(plan.blocks(chunk)) for chunk in range(12)]
    assert lengths == sorted(lengths)
    assert max(lengths) <= plan.most
    each = plan.block * seconds
    assert plan.block == 1 or each <= 15.0
    assert plan.most == 1 or plan.most * each <= 10.0
    assert plan.most * plan.block <= 2**20
    assert lengths[0] == 1


@pytest.mark.parametrize("networks", [1, 64, 65, 1000, 10**6])
def test_the_fewest_chunks_that_hold_so_many(networks: int) -> None:
    plan = Plan(64, 8)
    chunks = plan.chunks(networks)
    assert plan.networks(chunks) >= networks
    assert chunks == 1 or plan.networks(chunks - 1) < networks
