"""`Cell`: one experiment of a sweep, named by its full inputs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import product
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from finitewidth.sweep.grid import Axes, Grid

STREAMS = 1
"""Version of how a cell's key, block and network number give a stream; part of every key."""


@dataclass(frozen=True)
class Cell:
    """One experiment.

    Attributes
    ----------
    text : str
        Its inputs as canonical JSON: sorted keys, every field, the seed, and the plan of its
        chunks. How exactly it is wanted is not among them, so that asking for more continues it.
    """

    text: str

    @classmethod
    def of(cls, inputs: Mapping[str, Any]) -> "Cell":
        """The cell of these inputs, which JSON must hold."""
        return cls(json.dumps(inputs, sort_keys=True, allow_nan=False, ensure_ascii=False))

    @property
    def inputs(self) -> dict[str, Any]:
        """The inputs, read anew: a million cells are kept as text."""
        return json.loads(self.text)

    @cached_property
    def key(self) -> str:
        """SHA-256 of the inputs, in hexadecimal: the name of the cell."""
        return sha256(self.text.encode()).hexdigest()

    @property
    def entropy(self) -> int:
        """What its random streams start from: 128 bits of the key.

        Of the key without `samples`: keeping them does not change what they are.
        """
        inputs = self.inputs
        if inputs.pop("samples", None) is None:
            return int(self.key[:32], 16)
        return Cell.of(inputs).entropy


def expand(grid: "Grid", source: str = "the grid") -> list[Cell]:
    """The cells of a grid in their order, each once.

    Raises
    ------
    ValueError
        For names that do not exist, and where a network is not fully described.
    """
    from finitewidth.sweep.grid import read_axes

    given = grid.axes.model_dump(exclude_unset=True)
    parts = [("axes", grid.axes)]
    if grid.cells:
        parts = [
            (f"cells[{number}]", read_axes(given | entry, source, f"cells[{number}]"))
            for number, entry in enumerate(grid.cells)
        ]
    found: dict[Cell, None] = {}
    for place, axes in parts:
        _check(axes, source, place)
        found.update(dict.fromkeys(_product(axes, grid.seed, grid.samples)))
    return list(found)


def _check(axes: "Axes", source: str, place: str) -> None:
    from finitewidth.network.activations import NAMES
    from finitewidth.network.parametrizations import PARAMETRIZATIONS
    from finitewidth.network.weights import weight_law
    from finitewidth.sweep.methods import METHODS

    named = {"method": METHODS, "activation": NAMES, "parametrization": tuple(PARAMETRIZATIONS)}
    for name, known in named.items():
        for value in getattr(axes, name):
            if value not in known:
                raise ValueError(
                    f"{source}: {place}.{name} has {value!r}, expected one of {', '.join(known)}."
                )
    for value in axes.weight_law:
        weight_law(value)
    for value in axes.input:
        if isinstance(value, str) and value != "ones" and not value.startswith("digits:"):
            raise ValueError(
                f"{source}: {place}.input has {value!r}, expected ones, digits:I such as digits:7, "
                "or a list of power sums [|x|_2^2, |x|_4^4, …]."
            )
    if ("factory" in axes.method) != (axes.factory is not None):
        raise ValueError(
            f"{source}: {place} needs method factory and factory = package:function together; "
            "give both or neither."
        )
    if axes.n_in is None and not all(str(entry).startswith("digits:") for entry in axes.input):
        raise ValueError(f"{source}: {place}.n_in, the input dimension, is missing; give it.")
    if axes.widths is not None and (axes.width is not None or axes.depth is not None):
        raise ValueError(
            f"{source}: {place} has widths beside width or depth; give widths alone, or the others."
        )
    if set(axes.method) == {"factory"} and axes.widths is None and axes.depth is None:
        return  # the function knows
    if axes.widths is None and axes.depth is None:
        raise ValueError(f"{source}: {place}.depth is missing; give width and depth, or widths.")
    if axes.depth is not None and axes.width is None and max(axes.depth) > 1:
        raise ValueError(f"{source}: {place}.width is missing; give width and depth, or widths.")


def _product(axes: "Axes", seed: int, samples: bool) -> list[Cell]:
    from finitewidth.sweep.methods import planned

    names = list(type(axes).model_fields)
    lists: list[list[Any]] = [getattr(axes, name) or [None] for name in names]
    cells = []
    for values in product(*lists):
        inputs = dict(zip(names, values, strict=True))
        if inputs["method"] != "factory":
            inputs["factory"] = None
        if inputs["n_in"] is None:
            inputs["n_in"] = 64
        inputs = {name: value for name, value in inputs.items() if value is not None}
        inputs |= {"seed": seed, "streams": STREAMS, "plan": planned(inputs)}
        if samples and inputs["plan"] is not None:
            inputs["samples"] = True
        cells.append(Cell.of(inputs))
    return cells
