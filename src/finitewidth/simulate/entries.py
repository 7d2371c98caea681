"""The page of averages over networks: a row an input, of the diagonal entries K(x_a, x_a)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from finitewidth.estimate import Estimate
from finitewidth.network import MLP
from finitewidth.network.words import as_json, in_words
from finitewidth.report import Page, Provenance, Record, Section, Table

ROWS = 8
"""Inputs with a row of their own."""


def entry(average: Estimate, a: int) -> Estimate:
    """That of input a, of averages of shape [B, B] or [B]."""
    place = (a,) * np.ndim(average.value)
    number, error = (float(array[place]) for array in (average.value, average.std_error))
    return replace(average, value=number, std_error=error)


def page(
    net: MLP,
    title: str,
    caption: str,
    inputs: dict[str, Any],
    averages: Mapping[str, Callable[[], Estimate]],
    columns: Mapping[str, str],
    details: Mapping[str, str],
) -> Page:
    """Averages with their errors and trust; the answer is that of the first column, first input.

    Parameters
    ----------
    net : MLP
    title, caption : str
        Of the table.
    inputs : dict
        What was asked for: ``"inputs"`` (how many), ``"seed"``, ``"size"`` and more.
    averages : mapping of str to callable
        By name; a ValueError says that one does not exist, for lack of networks or at a mean of 0.
    columns, details : mapping of str to str
        Names of averages by heading, for every reader and for the curious.
    """
    known: dict[str, Estimate] = {}
    for name, average in averages.items():
        try:
            known[name] = average()
        except ValueError:
            continue
    count, size = inputs["inputs"], inputs["size"]
    caption = f"{size} networks, {caption}"
    caption += f" The first {ROWS} of {count} inputs." if count > ROWS else ""

    def record() -> Record:
        found = Record(inputs, as_json(net))
        for name, average in known.items():
            found.estimate(name, average)
        return found

    def table(headings: Mapping[str, str]) -> Table:
        there = {heading: known[name] for heading, name in headings.items() if name in known}
        rows = [[a, *(entry(one, a) for one in there.values())] for a in range(min(count, ROWS))]
        return Table(title, ["input", *there], rows, caption)

    sections, answer = [], "One network has no average; its numbers are in its arrays"
    if known:
        sections = [Section(title, [table(columns)]), Section("More", [table(details)], True)]
        heading, name = next(iter(columns.items()))
        answer = f"{heading} = {entry(known[name], 0)}" + " at the first input" * (count > 1)
    return Page(answer, [in_words(net)], sections, Provenance.now(inputs["seed"]), record)
