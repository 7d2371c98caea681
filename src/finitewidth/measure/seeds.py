"""Seeds of an ensemble, checked, and one measurement of each in one or several processes."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

import torch

from finitewidth._whole_number import whole_number

T = TypeVar("T")


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


def over_seeds(
    measure: Callable[[int, bool], T], seeds: list[int], workers: int, sent: dict[str, object]
) -> Iterator[T]:
    """``measure(seed, is_first)`` of every seed, in their order, on one thread each.

    Parameters
    ----------
    measure : callable
        Importable in other processes, with what it holds.
    seeds : list of int
    workers : int
        Processes; 1 measures in this one.
    sent : dict
        Names and values of the user's functions that other processes are sent, for the error.

    Raises
    ------
    ValueError
        For less than one worker, or a function that cannot be sent.
    """
    if whole_number(workers, "workers", 1) == 1:
        for place, seed in enumerate(seeds):
            yield on_one_thread(measure, seed, place == 0)
        return
    for name, value in sent.items():
        try:
            pickle.dumps(value)
        except (pickle.PicklingError, AttributeError, TypeError):
            raise ValueError(
                f"{name} cannot be sent to other processes (a lambda or a local function); define "
                "it at the top of a module, or use workers=1."
            ) from None
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        jobs = [
            pool.submit(on_one_thread, measure, seed, place == 0)
            for place, seed in enumerate(seeds)
        ]
        try:
            for job in jobs:
                yield job.result()
        finally:
            for job in jobs:
                job.cancel()


def on_one_thread(measure: Callable[[int, bool], T], seed: int, first: bool) -> T:
    """So that the numbers do not depend on how many seeds are measured at once."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return measure(seed, first)
    finally:
        torch.set_num_threads(threads)
