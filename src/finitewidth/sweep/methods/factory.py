"""Networks that a function of the user makes, measured as PyTorch modules."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any, ClassVar

import numpy as np
import torch

from finitewidth.measure import kernel
from finitewidth.measure.factory import build, built_twice, fingerprint, refuse_identical
from finitewidth.measure.model.random_state import kept_random_state
from finitewidth.sweep.methods.drawn import Block, given, seed_of, summarised
from finitewidth.sweep.methods.registry import Method
from finitewidth.sweep.networks import FIELDS, vector, weights
from finitewidth.sweep.summary import Summary

PASSED = ("n_in", "width", "widths", "depth", *FIELDS)
"""Fields of a cell that the function gets if it has arguments of these names."""


class Factory(Method):
    """`measure.kernel` of ``package:function`` at every seed; called where it is computed.

    The function returns a new module of one output at every call, drawn with torch's, NumPy's or
    Python's random numbers or by an argument ``seed``, and gets those fields of the cell that its
    arguments name.
    """

    block: ClassVar[int] = 16

    def cost(self, inputs: Mapping[str, Any]) -> float:
        """See `Method`; that of a network of the cell's widths, measured: 3 ms and 50 ns a weight.

        What the function really makes is not known before it is called.
        """
        described = "depth" in inputs or "widths" in inputs
        return 3e-3 + (5e-8 * weights(inputs) if described else 0.0)

    def compute(
        self, inputs: Mapping[str, Any], entropy: int, blocks: range, block: int
    ) -> Summary:
        """See `Method`."""
        make, x = _function(inputs), torch.from_numpy(vector(inputs)[None])

        def draw(number: int, seed: int) -> Block:
            del seed
            seeds = [seed_of(entropy, number, one) >> 65 for one in range(block)]
            found, prints = [], []
            if number == blocks.start:
                built_twice(make, seeds)
            for one in seeds:
                model = build(make, one)
                if len(prints) < 2:
                    prints.append(fingerprint(model))
                found.append(_measured(model, x))
            if len(prints) == 2:
                refuse_identical(prints[0], prints[1], seeds)
            return {
                "kernel": np.array([one for one, _ in found]),
                "output": np.array([one for _, one in found]),
            }

        with kept_random_state():
            return summarised({}, entropy, blocks, block, draw)


def _measured(model: torch.nn.Module, x: torch.Tensor) -> tuple[float, float]:
    """K and N of a module at one input, in its own precision."""
    first = next(iter(model.parameters()), None)
    row = x if first is None else x.to(first.dtype)
    value = float(kernel(model, row, outputs="trace")[0, 0])
    with torch.no_grad():
        output = model(row)
    if output.numel() != 1:
        raise ValueError(
            f"the factory's module has {output.numel()} outputs, expected one; return one output, "
            "or their sum."
        )
    return value, float(output)


def _function(inputs: Mapping[str, Any]) -> Callable[..., torch.nn.Module]:
    """The user's function, with the fields that it asks for.

    Raises
    ------
    ValueError
        If it cannot be imported.
    """
    spec = inputs["factory"]
    name, _, attribute = spec.partition(":")
    if not name or not attribute:
        raise ValueError(f"factory is {spec!r}, expected package:function.")
    try:
        function = getattr(import_module(name), attribute)
    except (ImportError, AttributeError) as error:
        raise ValueError(
            f"factory is {spec!r}, which cannot be imported where it is computed: {error}."
        ) from None
    made: Callable[..., torch.nn.Module] = function
    if not callable(function):
        raise ValueError(f"factory is {spec!r}, which is no function.")
    try:
        names = inspect.signature(function).parameters
    except (TypeError, ValueError):
        names = {}
    return partial(made, **given(inputs, [one for one in PASSED if one in names]))


METHOD = Factory()
