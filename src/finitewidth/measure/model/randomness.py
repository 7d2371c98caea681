"""Models that give another answer each time, or hide parameters from the graph."""

import pickle
import random
import warnings
from typing import Any

import numpy as np
import torch

from finitewidth.measure.model.batch import Batch
from finitewidth.measure.model.graph import nodes
from finitewidth.measure.model.model import Model
from finitewidth.measure.model.random_state import seed_all

FEW = 4
"""Inputs that are run twice as they are; all are, in other company, for `coupling`."""

ROWS = 16
"""Inputs, some of them repeated, that are run where a model draws random numbers."""

DRAWS = 64
"""Answers that are compared where a model draws random numbers: what happens in a share p of the
passes alone is missed with probability (1 − p)^63."""


def refuse_randomness(model: Model, batch: Batch) -> None:
    """Run the same inputs again, and many times where a random generator was used.

    Raises
    ------
    ValueError
        If two answers differ, the forward pass writes into a trained parameter, or its graph is
        no full one.
    """
    _refuse_graph(model, batch[:2])
    few = batch[:FEW]
    before = _generators()
    refuse_two_answers(model, few, renewed=False)
    if before != _generators():
        _refuse_draws(model, batch[[place % len(batch) for place in range(ROWS)]])


def refuse_two_answers(model: Model, batch: Batch, *, renewed: bool = True) -> None:
    """Run the same inputs twice, the second time from the state that the first left, or anew.

    Raises
    ------
    ValueError
        If the answers differ.
    """
    first, second = model.plain(batch), model.plain(batch, renewed=renewed)
    if not torch.equal(first, second):
        raise ValueError(_random(model, batch, float((first - second).abs().max())))


def _refuse_draws(model: Model, batch: Batch) -> None:
    first = None
    for seed in range(DRAWS):
        seed_all(seed)
        found = model.plain(batch)
        first = found if first is None else first
        if not torch.equal(first, found):
            raise ValueError(_random(model, batch, float((first - found).abs().max())))


def _random(model: Model, batch: Batch, apart: float) -> str:
    name = _first_random_module(model, batch)
    return (
        f"the model gives two different answers to the same input (largest difference {apart:.3g})"
        f"{f', beginning in {name}' if name else ''}: it is random or changes as it runs; put it "
        "into eval mode, fix its random numbers, or begin anew in forward=."
    )


def _first_random_module(model: Model, batch: Batch) -> str:
    """The first module whose answer differs between passes, or empty."""
    runs: list[list[tuple[str, torch.Tensor]]] = []
    for seed in range(8):
        seed_all(seed)
        seen: list[tuple[str, torch.Tensor]] = []
        model.watched(batch, lambda name, tensor, seen=seen: seen.append((name, tensor.clone())))
        runs.append(seen)
    for steps in zip(*runs, strict=False):  # module by module, in the order of the pass
        if any(_apart(steps[0], step) for step in steps[1:]):
            return steps[0][0]
    return ""


def _apart(one: tuple[str, torch.Tensor], two: tuple[str, torch.Tensor]) -> bool:
    return one[0] != two[0] or not torch.equal(one[1], two[1])


def _generators() -> tuple[Any, ...]:
    """Where the random numbers of torch, NumPy and Python stand."""
    cards = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    torchs = [bytes(state.cpu().numpy()) for state in (torch.get_rng_state(), *cards)]
    return (*torchs, pickle.dumps(np.random.get_state()), random.getstate())  # noqa: NPY002


def _refuse_graph(model: Model, few: Batch) -> None:
    """Refuse a graph that hides parameters, or can be walked through once only."""
    versions = {name: p._version for name, p in model.parameters.items()}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        output = model.outputs(few)
    for warning in told:
        if _CHECKPOINT_WITHOUT_GRADIENT in str(warning.message):
            raise ValueError(_REENTRANT)
        warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    for name, parameter in model.parameters.items():
        if parameter._version != versions[name]:
            raise ValueError(
                f"the forward pass writes into parameter {name!r}, so the model is another one "
                "after every call; compute what it needs without changing its parameters."
            )
    for node in nodes(output.grad_fn):
        if node.name() == "CheckpointFunctionBackward":
            raise ValueError(_REENTRANT)
        if getattr(node, "_saved_scale_grad_by_freq", False):
            raise ValueError(
                "the model has an embedding with scale_grad_by_freq=True, which divides gradients "
                "by how often an index is in the batch, so they are no gradients of single "
                "inputs; set it to False."
            )
        if node.name() == "CompiledFunctionBackward":
            raise ValueError(
                "the model calls a function compiled by torch.compile, which runs its backward "
                "pass once only; measure under torch.compiler.set_stance('force_eager')."
            )


_CHECKPOINT_WITHOUT_GRADIENT = "None of the inputs have requires_grad=True"
"""PyTorch's warning where the parameters in a checkpoint get no gradient."""

_REENTRANT = (
    "the model uses torch.utils.checkpoint with use_reentrant=True, which hides its parameters "
    "from the graph; switch checkpointing off, or use use_reentrant=False."
)
