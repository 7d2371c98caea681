"""Draws of a factory, for the description of the network."""

from collections.abc import Callable, Mapping
from typing import Any

from finitewidth.measure.factory import build
from finitewidth.measure.model.model import Forward, Model
from finitewidth.measure.model.random_state import kept_random_state
from finitewidth.verdict.recognise import Recognised, recognise
from finitewidth.verdict.theory import inputs_as_rows

DRAWS = 8
"""Seeds whose weights are looked at."""

ENOUGH = 5000
"""Weights of the smallest layer that tell gains and laws apart; more seeds if there are fewer."""

MOST = 512
"""Seeds at most."""


@kept_random_state()
def recognised_network(
    make_model: Callable[..., Any], seeds: list[int], X: Any, forward: Forward | None = None
) -> Recognised:
    """The network that a factory's first few models describe.

    Parameters
    ----------
    make_model : callable
    seeds : list of int
        Those that were measured; others are drawn where they are too few to tell.
    X : tensor or array [B, …]
    forward : callable, optional
        As in `kernel`; what such a function does to the module is not recognised.
    """
    models = [build(make_model, seed) for seed in seeds[:DRAWS]]
    called = Model(models[0], forward)
    outputs = called.outputs(called.batch(X, "X")[:1]).shape[1]
    if forward is not None or isinstance(X, tuple | Mapping):
        return Recognised(
            None,
            outputs,
            "No theory stands beside the numbers: the model is called by forward= or with several "
            "tensors, so its law is not known.",
        )
    smallest = min((p.numel() for p in models[0].parameters() if p.dim() > 1), default=ENOUGH)
    if sum(p.numel() for p in models[0].parameters()) < 10**6:
        more = max(min(-(-ENOUGH // smallest), MOST) - len(models), 0)
        beyond = [*seeds[DRAWS:], *range(max(seeds) + 1, max(seeds) + 1 + more)]
        models += [build(make_model, seed) for seed in beyond[:more]]
    found = recognise(models, outputs)
    if found.net is not None and inputs_as_rows(X).shape[1] != found.net.n_in:
        return Recognised(
            None,
            outputs,
            f"No theory stands beside the numbers: an input holds {inputs_as_rows(X).shape[1]} "
            f"numbers and the first layer takes {found.net.n_in} at a time, so it is applied at "
            "several positions.",
        )
    return found
