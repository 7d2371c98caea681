"""The tables of a verdict: its numbers, what they show, the layers' shares."""

from collections.abc import Sequence

from finitewidth.report import Column, Table
from finitewidth.verdict.measurement import Measurement

PASSED = {True: "passed", False: "failed", None: "cannot tell"}
WORST = ("failed", "cannot tell", "passed")


def z_of(row: Measurement) -> float | None:
    """(measured − exact law) in standard errors, None where the error is not trusted."""
    theory_trusted = getattr(row.theory, "trusted", True)
    return row.z if row.measured.trusted and theory_trusted else None


def numbers(rows: Sequence[Measurement], seeds: int, caption: str) -> Table:
    """Every quantity, measured and by the exact law; columns that would be empty are left out."""
    theory = any(row.theory is not None for row in rows)
    judged = any(row.outcome for row in rows)
    columns = [Column("quantity"), Column("measured")]
    if theory:
        columns += [Column("exact law"), Column("z", places=1)]
    if judged:
        columns += [Column("limit")]
    return Table(
        f"Over {seeds} seeds",
        columns,
        [_cells(row, theory, judged) for row in rows],
        f"{caption} {agreement(rows)}".strip(),
    )


def _cells(row: Measurement, theory: bool, judged: bool) -> tuple:
    cells: tuple = (row.label, row.measured)
    if theory:
        cells += (row.theory, z_of(row))
    if judged:
        cells += (row.outcome,)
    return cells


def agreement(rows: Sequence[Measurement]) -> str:
    """What z shows, where there is any."""
    trusted = [z for z in map(z_of, rows) if z is not None]
    if not trusted:
        return ""
    worst = max(map(abs, trusted))
    return (
        "z is (measured − exact law)/standard error: all within 4, measurement and law agree."
        if worst <= 4
        else f"z is (measured − exact law)/standard error: {worst:.1f} is more than chance makes; "
        "the model may not be what it was recognised as."
    )


def meanings(rows: Sequence[Measurement]) -> Table:
    """What each number shows, and whether it keeps its limit."""
    return Table(
        "What the numbers show",
        ["quantity", "what it shows"],
        [(row.label, f"{row.sentence} {_limit(row.outcome)}".strip()) for row in rows],
    )


def _limit(outcome: str) -> str:
    return outcome and f"The limit: {outcome}."


def shares(rows: Sequence[Measurement]) -> Table:
    """Each layer's share of the mean diagonal."""
    theory = any(row.theory is not None for row in rows)
    columns = [Column("module"), Column("share of E K")]
    if theory:
        columns += [Column("exact law"), Column("z", places=1)]
    return Table(
        "Each layer's share of the kernel",
        columns,
        [_cells(row, theory, False) for row in rows],
        f"{largest(rows)} {agreement(rows)}".strip(),
    )


def largest(rows: Sequence[Measurement]) -> str:
    """Which layer carries most."""
    place = max(range(len(rows)), key=lambda k: float(rows[k].measured.value))
    share = float(rows[place].measured.value)
    if len(rows) == 1:
        return "There is one layer, which carries all of the kernel."
    return (
        f"Layer {place + 1} of {len(rows)} ({rows[place].label}) carries most of the kernel, "
        f"{100 * share:.0f} %: there a step of SGD acts most."
    )
