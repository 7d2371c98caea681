"""Calling a user's factory with a seed, and noticing when its networks are not the seed's."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import is_lazy

from finitewidth.data.references import named, raised
from finitewidth.measure.model.random_state import seed_all

Factory = Callable[..., nn.Module]


def takes_seed(make_model: Factory) -> bool:
    """Whether the factory has a parameter called seed."""
    try:
        return "seed" in inspect.signature(make_model).parameters
    except (TypeError, ValueError):
        return False


def build(make_model: Factory, seed: int) -> nn.Module:
    """The model of a seed: ``make_model(seed=seed)``, or ``make_model()`` after `seed_all`.

    The random numbers of torch, NumPy and Python are left where the factory left them.

    Raises
    ------
    TypeError
        If the factory is not callable or does not return a module.
    ValueError
        If it raises an error.
    """
    if not callable(make_model) or isinstance(make_model, nn.Module):
        raise TypeError(
            f"make_model is {type(make_model).__name__}, expected a function that returns a new "
            "torch.nn.Module at every call."
        )
    seed_all(seed)
    try:
        model = make_model(seed=seed) if takes_seed(make_model) else make_model()
    except (Exception, SystemExit) as error:  # a user's function may raise anything
        raise ValueError(
            f"make_model ({named(make_model)}) fails at seed {seed} with {raised(error)}."
        ) from error
    if not isinstance(model, nn.Module):
        raise TypeError(
            f"make_model returned a {type(model).__name__}, expected a torch.nn.Module."
        )
    return model


def built_twice(make_model: Factory, seeds: list[int]) -> nn.Module:
    """The model of the first seed, built twice to see whether the seed alone decides it.

    Raises
    ------
    ValueError
        If the two differ, or the factory returns one module, drawn anew.
    TypeError
        As `build`.
    """
    model = build(make_model, seeds[0])
    again = build(make_model, seeds[0])
    if again is model:
        if len(seeds) > 1 and build(make_model, seeds[1]) is model:
            raise ValueError(
                f"make_model ({named(make_model)}) returns the same module at every call, expected "
                "a new one; make it inside the function, or return copy.deepcopy of it."
            )
        return model
    one, two = _numbers(model), _numbers(again)
    differing = [name for name in {**one, **two} if not _equal(one.get(name), two.get(name))]
    if differing:
        argument = "an argument seed" if not takes_seed(make_model) else "its argument seed"
        raise ValueError(
            f"make_model ({named(make_model)}) gives two different networks at seed {seeds[0]} "
            f"({differing[0]} differs), so it draws random numbers of its own; draw them with "
            f"torch, np.random or random, or with a generator made from {argument}."
        )
    return again


def _numbers(model: nn.Module) -> dict[str, Any]:
    """What makes a network: types, tensors, and plain attributes that are arrays or floats."""
    found: dict[str, Any] = {}
    for prefix, module in model.named_modules():
        found[prefix or "the model"] = type(module).__qualname__
        for kind in (module._parameters, module._buffers, vars(module)):
            for key, value in kind.items():
                if isinstance(value, torch.Tensor) and is_lazy(value):
                    continue
                if isinstance(value, torch.Tensor | np.ndarray | float):
                    found[f"{prefix}.{key}" if prefix else key] = value
    return found


def _equal(one: Any, two: Any) -> bool:
    """Bit by bit, nan included."""
    if type(one) is not type(two):
        return False
    if isinstance(one, torch.Tensor):
        one, two = (each.detach().to_dense() if each.is_sparse else each for each in (one, two))
        if one.shape != two.shape or one.dtype != two.dtype:
            return False
        return torch.equal(one, two) or bool(((one == two) | (one != one)).all())
    if isinstance(one, np.ndarray):
        return one.dtype == two.dtype and one.shape == two.shape and one.tobytes() == two.tobytes()
    return one == two or one != one


def fingerprint(model: nn.Module) -> tuple[Any, ...]:
    """Sums over parameters and buffers that tell two draws apart."""
    numbers = (p.detach() for p in (*model.parameters(), *model.buffers()))
    return tuple(
        (float(p.double().sum()), float((p.double() ** 2).sum()))
        for p in numbers
        if not p.is_complex()
    )


def refuse_identical(first: tuple[Any, ...], second: tuple[Any, ...], seeds: list[int]) -> None:
    """Refuse a factory that gave two seeds the same network.

    Raises
    ------
    ValueError
        If the fingerprints agree.
    """
    if first == second:
        raise ValueError(
            f"make_model gave seeds {seeds[0]} and {seeds[1]} the same network, so it ignores its "
            "seed; draw the weights with torch's random numbers, or take an argument seed."
        )
