"""Calling a user's factory with a seed, and noticing when it ignores it."""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

Factory = Callable[..., nn.Module]


def takes_seed(make_model: Factory) -> bool:
    """Whether the factory has a parameter called seed."""
    try:
        return "seed" in inspect.signature(make_model).parameters
    except (TypeError, ValueError):
        return False


def build(make_model: Factory, seed: int) -> nn.Module:
    """The model of a seed: ``make_model(seed=seed)``, or ``make_model()`` after torch.manual_seed.

    Raises
    ------
    TypeError
        If the factory is not callable or does not return a module.
    """
    if not callable(make_model) or isinstance(make_model, nn.Module):
        raise TypeError(
            f"make_model is {type(make_model).__name__}, expected a function that returns a new "
            "torch.nn.Module at every call."
        )
    seed_torch(seed)
    model = make_model(seed=seed) if takes_seed(make_model) else make_model()
    if not isinstance(model, nn.Module):
        raise TypeError(
            f"make_model returned a {type(model).__name__}, expected a torch.nn.Module."
        )
    return model


def seed_torch(seed: int) -> None:
    """As torch.manual_seed.

    Without an accelerator that one notes down a traceback for later at every call, which takes as
    long as drawing a small network.
    """
    if torch.accelerator.is_available():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


def fingerprint(model: nn.Module) -> tuple[Any, ...]:
    """Sums over the parameters that tell two draws apart."""
    return tuple(
        (float(p.detach().double().sum()), float((p.detach().double() ** 2).sum()))
        for p in model.parameters()
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
