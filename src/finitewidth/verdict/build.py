"""Draws of a factory, for the description of the network."""

from collections.abc import Callable
from typing import Any

from finitewidth.measure.factory import build
from finitewidth.verdict.recognise import Recognised, recognise

DRAWS = 8
"""Seeds whose weights are looked at."""

ENOUGH = 2000
"""Weights of the smallest layer that tell gains and laws apart; more seeds if there are fewer."""


def recognised_network(make_model: Callable[..., Any], seeds: list[int]) -> Recognised:
    """The network that a factory's first few models describe."""
    models = [build(make_model, seed) for seed in seeds[:DRAWS]]
    smallest = min((p.numel() for p in models[0].parameters() if p.dim() > 1), default=ENOUGH)
    if sum(p.numel() for p in models[0].parameters()) < 10**6:
        more = -(-ENOUGH // smallest) - len(models)  # of seeds that are not measured, if need be
        beyond = [*seeds[DRAWS:], *range(max(seeds) + 1, max(seeds) + 1 + max(more, 0))]
        models += [build(make_model, seed) for seed in beyond[: max(more, 0)]]
    return recognise(models)
