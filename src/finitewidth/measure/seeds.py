"""Seeds of an ensemble, checked, and the one loop that measures a model at each of them."""

import pickle
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Any, TypeVar

import torch
from torch import nn

from finitewidth._processes import Told, pool, tell, with_warnings
from finitewidth._whole_number import whole_number
from finitewidth.measure.factory import Factory, build, fingerprint, refuse_identical
from finitewidth.statistics.blocks import Progress

T = TypeVar("T")

Mark = tuple[Any, ...]
"""The fingerprint of a network, to notice a factory that ignores its seed."""

Measure = Callable[[list[int], bool], list[tuple[T, Mark]]]
"""From some seeds, and whether they are the first, to a measurement and a mark of each."""

CHUNK = 16
"""Seeds after which a target error is looked at; part of the stopping rule."""


def checked_seeds(seeds: int | Sequence[int], least: int = 2) -> list[int]:
    """How many, or which; at least so many.

    Raises
    ------
    ValueError, TypeError
        For fewer, repeated or negative ones; for anything else.
    """
    if isinstance(seeds, int) and not isinstance(seeds, bool):
        chosen = list(range(seeds))
    else:
        try:
            chosen = [int(seed) for seed in seeds]  # type: ignore[union-attr]
        except (TypeError, ValueError):
            raise TypeError(
                f"seeds is {seeds!r}, expected how many, or a list of whole numbers."
            ) from None
    if len(chosen) < least:
        raise ValueError(f"seeds is {seeds!r}, expected at least {least} for a spread.")
    if len(set(chosen)) < len(chosen):
        raise ValueError("seeds holds a seed twice; every seed counts once.")
    if chosen and min(chosen) < 0:
        raise ValueError(f"seeds holds {min(chosen)}, expected whole numbers of at least 0.")
    return chosen


def one_by_one(
    measure: Callable[[nn.Module, int, bool], T], make_model: Factory, seeds: list[int], first: bool
) -> list[tuple[T, Mark]]:
    """``measure(model, seed, first)`` of the model of each seed; with partial, a `Measure`."""
    found = []
    for seed in seeds:
        model = build(make_model, seed)
        found.append((measure(model, seed, first), fingerprint(model)))
    return found


def over_seeds(
    measure: Measure[T],
    seeds: list[int],
    workers: int,
    sent: dict[str, object],
    progress: Progress | None,
    *,
    batch: int = 1,
    enough: Callable[[list[T]], bool] | None = None,
) -> list[T]:
    """The measurements of all seeds, in their order, on one thread each.

    Parameters
    ----------
    measure : callable
        Importable in other processes, with what it holds.
    seeds : list of int
    workers : int
        Processes; 1 measures in this one.
    sent : dict
        Names and values of the user's functions that other processes are sent, for the error.
    progress : callable, optional
        Called with (seeds done, seeds in all).
    batch : int
        Seeds that are measured in one call.
    enough : callable, optional
        Asked after every 16 seeds whether what is measured suffices.

    Raises
    ------
    ValueError
        For less than one worker, a function that cannot be sent, or a factory that gives two
        seeds the same network.
    RuntimeError
        If the caller's script has no main guard, or a process ended.
    """
    found: list[T] = []
    marks: list[Mark] = []
    batches = [seeds[start : start + batch] for start in range(0, len(seeds), batch)]
    with closing(_in_order(measure, batches, workers, sent)) as results:
        for one, mark in results:
            found.append(one)
            if len(found) <= 2:
                marks.append(mark)
            if len(found) == 2:
                refuse_identical(marks[0], marks[1], seeds)
            if progress is not None:
                progress(len(found), len(seeds))
            if enough is not None and len(found) % CHUNK == 0 and enough(found):
                break
    return found


def _in_order(
    measure: Measure[T], batches: list[list[int]], workers: int, sent: dict[str, object]
) -> Generator[tuple[T, Mark], None, None]:
    seen: set[Told] = set()
    if whole_number(workers, "workers", 1) == 1:
        for place, seeds in enumerate(batches):
            yield from _told(with_warnings(on_one_thread, measure, seeds, place == 0), seen)
        return
    for name, value in sent.items():
        try:
            pickle.dumps(value)
        except (pickle.PicklingError, AttributeError, TypeError):
            raise ValueError(
                f"{name} cannot be sent to other processes (a lambda or a local function); define "
                "it at the top of a module, or use workers=1."
            ) from None
    with pool(workers) as processes:
        jobs = [
            processes.submit(with_warnings, on_one_thread, measure, seeds, place == 0)
            for place, seeds in enumerate(batches)
        ]
        try:
            for job in jobs:
                yield from _told(job.result(), seen)
        finally:
            for job in jobs:
                job.cancel()


def _told(
    found: tuple[list[tuple[T, Mark]] | Exception, list[Told]], seen: set[Told]
) -> list[tuple[T, Mark]]:
    """What was measured, once its warnings are shown, where no seed before showed them."""
    results, warned = found
    tell(warned, seen)
    if isinstance(results, Exception):
        raise results
    return results


def on_one_thread(measure: Measure[T], seeds: list[int], first: bool) -> list[tuple[T, Mark]]:
    """So that the numbers do not depend on how many seeds are measured at once."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return measure(seeds, first)
    finally:
        torch.set_num_threads(threads)
