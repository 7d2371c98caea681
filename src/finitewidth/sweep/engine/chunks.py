"""One chunk of one cell: the task that computes it, and what it gives."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from finitewidth.store.runner import Task
from finitewidth.sweep.cells import Cell
from finitewidth.sweep.methods import method_of, module_of
from finitewidth.sweep.plan import Plan
from finitewidth.sweep.store.arrays import content_of, digest_of
from finitewidth.sweep.store.schema import NewChunk, chunk_checksum
from finitewidth.sweep.summary import Summary


def plan_of(inputs: Mapping[str, Any]) -> Plan | None:
    """The plan of a cell's chunks; None for a formula."""
    return None if inputs["plan"] is None else Plan(*inputs["plan"])


def chunk_task(cell: str, number: int, method: str, seconds: float) -> Task:
    """The task that computes chunk `number` of a cell, given as text."""
    key = cell, number
    return Task(key, compute_chunk, key, seconds, f"chunk {number}", (module_of(method),))


def compute_chunk(cell: str, number: int) -> NewChunk:
    """The summary of a chunk, packed, with the checksum under which it will be stored."""
    one = Cell(cell)
    summary, contents = _summary(one, number), {}
    if one.inputs.get("samples"):
        contents = {name: content_of(array) for name, array in summary.samples.items()}
        files = {name: digest_of(content) for name, content in contents.items()}
        summary = replace(summary, files=files)
    text, rows = summary.packed()
    total = chunk_checksum(cell, number, text, rows)
    return NewChunk(summary.networks, text, rows, total, tuple(contents.values()))


def _summary(cell: Cell, number: int) -> Summary:
    inputs = cell.inputs
    plan = plan_of(inputs)
    method = method_of(inputs["method"])
    if plan is None:
        return method.compute(inputs, cell.entropy, range(0), 0)
    return method.compute(inputs, cell.entropy, plan.blocks(number), plan.block)
