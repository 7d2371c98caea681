"""When networks are measured together: settings that are surely equal, whatever they are."""

import types
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import finitewidth as fw
from finitewidth.measure.alike import Template, same

X = torch.randn(3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def recursive(scale: float) -> Callable[[int], float]:
    """Holds itself."""

    def power(count: int) -> float:
        return scale * power(count - 1) if count else 1.0

    return power


def unfinished(scale: float) -> Callable[[], float]:
    """A cell without a value yet, where `later` is looked up."""

    def function() -> float:
        return later * scale

    if scale < 0:
        later = 1.0
    return function


def with_attribute(scale: float) -> Callable[[], float]:
    def function() -> float:
        return function.scale  # type: ignore[attr-defined]

    function.scale = scale  # type: ignore[attr-defined]
    return function


def holds_itself(scale: float) -> list[Any]:
    found: list[Any] = [scale]
    found.append(found)
    return found


SHARED_CODE = (lambda: SCALE).__code__  # type: ignore[name-defined]


def in_other_globals(scale: float) -> Any:
    return types.FunctionType(SHARED_CODE, {"SCALE": scale})


class Torn:
    """Compares in a way that fails."""

    def __init__(self, scale: float) -> None:
        self.scale = scale

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> Any:
        raise ValueError("ambiguous")


def frame(scale: float) -> Any:
    return pytest.importorskip("pandas").DataFrame({"a": [scale, 2.0]})


HELD: dict[str, tuple[Callable[[float], Any], bool]] = {
    "array": (lambda s: np.array([s, 2.0]), True),
    "array of nan": (lambda s: np.array([s, np.nan]), True),
    "number of NumPy": (np.float64, True),
    "array in a dict": (lambda s: {"a": [np.array([s])]}, True),
    "array of objects": (lambda s: np.array([s, None], dtype=object), False),
    "frame": (frame, False),
    "fails to compare": (Torn, False),
    "recursive closure": (recursive, True),
    "unfinished closure": (unfinished, True),
    "function's attribute": (with_attribute, True),
    "other globals": (in_other_globals, False),
    "list in itself": (holds_itself, True),
}


@pytest.mark.parametrize("case", HELD)
def test_equal_or_not(case: str) -> None:
    """What is equal is seen as such where that can be told; what differs never is."""
    make, known = HELD[case]
    assert same(make(1.5), make(1.5)) is known
    assert not same(make(1.5), make(2.5))


def test_the_order_of_a_dict_counts() -> None:
    """A forward pass may go through it."""
    assert not same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert not same(OrderedDict(a=1, b=2), OrderedDict(b=2, a=1))
    assert same({"a": 1, "b": 2}, {"a": 1, "b": 2})


def test_arrays_of_other_types_or_shapes_differ() -> None:
    assert not same(np.ones(2), np.ones(2, dtype=np.float32))
    assert not same(np.ones(2), np.ones((1, 2)))
    assert not same(np.zeros(1), -np.zeros(1))  # 1/x differs


class Holding(nn.Module):
    def __init__(self, held: Any) -> None:
        super().__init__()
        self.lin, self.held = nn.Linear(4, 2).double(), held

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        held: Any = self.held
        if isinstance(held, Torn):
            return self.lin(x) * held.scale
        if isinstance(held, types.FunctionType) and held.__name__ == "power":
            return self.lin(x) * held(2)
        return self.lin(x) * float(np.asarray(held).ravel()[0])


@pytest.mark.parametrize("case", ["array", "frame", "fails to compare", "recursive closure"])
def test_an_ensemble_whose_models_hold_it(case: str) -> None:
    """K is (x·x' + 1) scale² for either output."""
    make = HELD[case][0]
    by_seed = fw.measure.ensemble(lambda seed: Holding(make(1.0 + seed)), X, 4).kernels
    plain = 2 * (X @ X.T + 1).numpy()
    power = 4 if case == "recursive closure" else 2
    for seed, kernel in enumerate(by_seed):
        np.testing.assert_allclose(kernel, plain * (1.0 + seed) ** power, rtol=1e-12)
    equal = fw.measure.ensemble(lambda: Holding(make(3.0)), X, 4).kernels
    np.testing.assert_allclose(equal, np.stack([plain * 3.0**power] * 4), rtol=1e-12)


def test_what_is_nested_too_deeply_is_measured_alone() -> None:
    def nested() -> Any:
        found: list[Any] = []
        for _ in range(5000):
            found = [found]
        return found

    assert Template(Holding(nested())).fits(Holding(nested())) is None
