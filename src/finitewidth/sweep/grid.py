"""`Grid`: what a sweep computes, validated by pydantic, with one sentence for what is wrong."""

from collections.abc import Mapping
from difflib import get_close_matches
from math import prod
from reprlib import Repr
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from finitewidth._memory import readable


def _listed(value: object) -> object:
    """A single value is an axis of length 1."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    return list(value) if isinstance(value, list | tuple | range) else [value]


def _listed_lists(value: object) -> object:
    """A single list, of widths or of power sums, is an axis of length 1."""
    if isinstance(value, list | tuple) and value and not isinstance(value[0], list | tuple | str):
        return [list(value)]
    found = _listed(value)
    assert isinstance(found, list)
    return [list(entry) if isinstance(entry, tuple) else entry for entry in found]


def _whole(value: object) -> object:
    """1e6, a float in TOML and YAML, is a whole number; an integer of NumPy is one too."""
    if isinstance(value, np.integer) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    return value


Count = Annotated[int, BeforeValidator(_whole), Field(ge=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1)]
Axis = BeforeValidator(_listed)
Lists = BeforeValidator(_listed_lists)
Filled = Field(min_length=1)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


MOST_CELLS = 100_000
"""Of a grid, unless it is allowed to be large; the law takes some three minutes for them."""

PER_CELL = 2_600
"""Bytes of memory that a cell takes before any is computed, measured."""


def refuse_large(given: Mapping[str, Any], source: str, allow_large: bool) -> None:
    """Refuse a grid of very many cells before anything of it is expanded.

    Raises
    ------
    ValueError
        With their number, and what they need.
    """
    axes, entries = given.get("axes"), given.get("cells")
    shared = axes if isinstance(axes, Mapping) else {}
    count = sum(
        prod(_length(name, value) for name, value in {**shared, **entry}.items())
        for entry in (entries if isinstance(entries, list) and entries else [{}])
        if isinstance(entry, Mapping)
    )
    if count > MOST_CELLS and not allow_large:
        raise ValueError(
            f"{source} has {count:,} cells, expected at most {MOST_CELLS:,}: they take "
            f"{readable(float(count) * PER_CELL)} of memory before any is computed. Give fewer "
            "values, or allow_large=True (--yes)."
        )


def _length(name: str, value: Any) -> int:
    """Values on an axis as `Axes` reads it."""
    if isinstance(value, np.ndarray):
        return value.size  # of one axis, or refused later
    if name in ("widths", "input") and isinstance(value, list | tuple) and len(value):
        return len(value) if isinstance(value[0], list | tuple | str) else 1
    return len(value) if isinstance(value, list | tuple | range) else 1


class Axes(_Strict):
    """The axes, in the order in which the cells of their product are numbered.

    A network is ``width`` and ``depth`` (weight layers: hidden layers + 1), or the hidden
    ``widths`` one by one. ``input`` is ``"ones"`` (|x|² = n_in), ``"digits:7"``, or power sums
    [|x|_2^2, |x|_4^4, …]. The other fields are those of `MLP`, and ``learning_rate`` and
    ``target`` of one step on ½(N − t)²; without a learning rate nothing takes a step. ``method``
    is the innermost axis, so that the methods stand beside each other.
    """

    n_in: Annotated[list[Count], Axis, Filled] | None = None
    widths: Annotated[list[list[Count]], Lists, Filled] | None = None
    width: Annotated[list[Count], Axis, Filled] | None = None
    depth: Annotated[list[Count], Axis, Filled] | None = None
    activation: Annotated[list[Text], Axis, Filled] = ["relu"]
    negative_slope: Annotated[list[Number], Axis, Filled] = [0.01]
    weight_law: Annotated[list[Text], Axis, Filled] = ["gaussian"]
    hidden_gain: Annotated[list[Number], Axis, Filled] = [2.0]
    output_gain: Annotated[list[Number], Axis, Filled] = [1.0]
    bias: Annotated[list[bool], Axis, Filled] = [True]
    bias_variance: Annotated[list[Number], Axis, Filled] = [0.0]
    bias_lr: Annotated[list[Number], Axis, Filled] = [1.0]
    parametrization: Annotated[list[Text], Axis, Filled] = ["ntk"]
    input: Annotated[list[Text | list[Number]], Lists, Filled] = ["ones"]
    learning_rate: Annotated[list[Number], Axis, Filled] | None = None
    target: Annotated[list[Number], Axis, Filled] = [0.0]
    factory: Annotated[list[Text], Axis, Filled] | None = None
    method: Annotated[list[Text], Axis, Filled] = ["law"]


class Precision(_Strict):
    """When a sampled cell is finished: at the target error, or when its budget is spent.

    Attributes
    ----------
    relative_error : float, optional
        Standard error over value at which a cell stops, for every observable in ``of`` that its
        method gives; the error must be trusted. Without it, or where the method gives none of
        them, the whole budget is spent.
    of : list of str
        Observables.
    max_networks : int
        Budget of networks for each cell, rounded up to a whole chunk.
    max_seconds : float, optional
        Budget of computing time for each cell, by the estimate of `cost`, so that it does not
        depend on the machine; at least one chunk is computed.
    """

    relative_error: Annotated[float, Field(gt=0, lt=1)] | None = None
    of: Annotated[list[Text], Axis, Filled] = ["kernel_mean"]
    max_networks: Count = 10_000
    max_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


class Grid(_Strict):
    """Cells, how exactly each is wanted, and the seed.

    Attributes
    ----------
    axes : Axes
        The cells are the product of its lists.
    cells : list of dict
        Instead of that one product, one product for every entry: the axes with those of the
        entry in their place.
    precision : Precision
    seed : int
    samples : bool
        Whether the numbers of every network are kept, in files beside the store.
    """

    axes: Axes = Axes()
    cells: list[dict[str, Any]] = []
    precision: Precision = Precision()
    seed: Annotated[int, BeforeValidator(_whole), Field(ge=0, lt=2**64)] = 0
    samples: bool = False


EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "finite_number": "a finite number",
    "too_short": "at least one value",
    "string_too_short": "text",
}
_GIVEN = Repr()
_GIVEN.maxstring = _GIVEN.maxother = 100
"""Repeats a long value in a sentence by its ends."""

LIMITS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("of at least", "ge"),
    "less_than": ("below", "lt"),
}


def read(given: object, source: str = "the grid", *, allow_large: bool = False) -> Grid:
    """A grid from a mapping, checked.

    Parameters
    ----------
    given : dict or Grid
    source : str
        What to call it in an error, e.g. the file.
    allow_large : bool
        Whether it may have very many cells.

    Raises
    ------
    ValueError
        With one sentence for the first thing that is wrong.
    TypeError
        If it is no mapping.
    """
    if isinstance(given, Grid):
        return given
    if not isinstance(given, Mapping):
        raise TypeError(
            f"{source} is a {type(given).__name__}, expected a dict such as "
            '{"axes": {"n_in": 784, "width": [64, 128], "depth": 5}}, or a TOML or YAML file.'
        )
    refuse_large(given, source, allow_large)
    return _validated(Grid, dict(given), source, "")


def read_axes(given: Mapping[str, Any], source: str, place: str) -> Axes:
    """Axes from a mapping; raises as `read`, naming the place."""
    return _validated(Axes, dict(given), source, place)


def _validated(model: Any, given: dict[str, Any], source: str, place: str) -> Any:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        more = f" ({len(problems) - 1} more like this)" if len(problems) > 1 else ""
        raise ValueError(f"{source}: {_sentence(problems[0], place)}{more}") from None


def _sentence(problem: Any, place: str) -> str:
    """What was given and what was expected; a union's branches are no part of the place."""
    steps = [step for step in problem["loc"] if not str(step).startswith(("str", "list[", "cons"))]
    name = place
    for step in steps:
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else str(step)
    if problem["type"] == "extra_forbidden":
        above = place or (steps[0] if len(steps) > 1 else "")
        known = list((Precision if above == "precision" else Axes if above else Grid).model_fields)
        close = get_close_matches(str(steps[-1]), known, 1)
        meant = f"did you mean {close[0]}?" if close else f"expected one of {', '.join(known)}."
        return f"there is no field {name}; {meant}"
    kind, context = problem["type"], problem.get("ctx", {})
    if kind in LIMITS:
        word, entry = LIMITS[kind]
        expected = f"a number {word} {context[entry]}"
    else:
        expected = EXPECTED.get(kind, problem["msg"])
    return f"{name} is {_GIVEN.repr(problem['input'])}, expected {expected}."
