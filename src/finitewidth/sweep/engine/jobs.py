"""What a worker does with the chunks that are sent to it."""

import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from finitewidth._version import __version__
from finitewidth.sweep.cells import Cell
from finitewidth.sweep.contents import content_of, digest_of
from finitewidth.sweep.methods import method_of
from finitewidth.sweep.plan import Plan
from finitewidth.sweep.records import Job, Record, fingerprint
from finitewidth.sweep.summary import Summary


def plan_of(cell: Cell) -> Plan | None:
    """The plan of a cell's chunks; None for a formula."""
    return _plan(cell.inputs)


def _plan(inputs: Mapping[str, Any]) -> Plan | None:
    return None if inputs["plan"] is None else Plan(*inputs["plan"])


def failed(job: Job, cause: str) -> Record:
    """The record of a job that failed."""
    return Record(job, "", [], 0, 0.0, socket.gethostname(), b"", cause)


def compute(jobs: Sequence[Job]) -> list[Record]:
    """Run jobs one after the other; the error of one does not end the others."""
    for name in {Cell(job.cell).inputs["method"] for job in jobs}:
        with suppress(ImportError):  # told by the job itself
            method_of(name)  # loads its libraries, whose threads are then limited
    with one_thread():
        return [_computed(job) for job in jobs]


def compute_remotely(jobs: Sequence[Job], version: str) -> list[Record]:
    """As `compute`, for a worker elsewhere.

    Raises
    ------
    RuntimeError
        If it runs another version of the package, whose numbers might be others.
    """
    if version != __version__:
        raise RuntimeError(
            f"the worker on {socket.gethostname()} runs finitewidth {__version__} and the sweep "
            f"{version}; install the same everywhere."
        )
    return compute(jobs)


def _computed(job: Job) -> Record:
    began = time.perf_counter()
    try:
        cell = Cell(job.cell)
        summary, contents = _summary(cell, job.number), {}
        if cell.inputs.get("samples"):
            contents = {name: content_of(one) for name, one in summary.samples.items()}
            files = {name: digest_of(content) for name, content in contents.items()}
            summary = replace(summary, files=files)
        text, rows = summary.packed()
    except MemoryError:
        return failed(job, "the memory of the worker does not suffice for this chunk.")
    except ModuleNotFoundError as error:
        return failed(
            job,
            f"the method needs {error.name}, which is not installed on {socket.gethostname()}.",
        )
    except Exception as error:  # noqa: BLE001  (whatever it is, it is this cell's result)
        told = " ".join(str(error).split()) or "no message"
        plain = isinstance(error, ValueError | TypeError | RuntimeError)
        return failed(job, told if plain else f"{type(error).__name__}: {told}")
    return Record(
        job,
        text,
        rows,
        summary.networks,
        time.perf_counter() - began,
        socket.gethostname(),
        fingerprint(job.cell, job.number, text, rows),
        contents=tuple(contents.values()),
    )


def _summary(cell: Cell, number: int) -> Summary:
    inputs = cell.inputs
    plan = _plan(inputs)
    method = method_of(inputs["method"])
    if plan is None:
        return method.compute(inputs, cell.entropy, range(0), 0)
    return method.compute(inputs, cell.entropy, plan.blocks(number), plan.block)


@contextmanager
def one_thread() -> Iterator[None]:
    """Linear algebra on one thread: every core has its own worker, and one number of threads
    everywhere gives the same last digits everywhere.
    """  # noqa: D205
    from threadpoolctl import threadpool_limits

    torch = sys.modules.get("torch")
    before = None if torch is None else torch.get_num_threads()
    try:
        if torch is not None:
            torch.set_num_threads(1)
        with threadpool_limits(limits=1):
            yield
    finally:
        if torch is not None:
            torch.set_num_threads(before)
