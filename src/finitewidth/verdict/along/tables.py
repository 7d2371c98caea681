"""The tables of verdicts along an argument: one row a value, the exact law beside them, powers."""

from typing import Any

from finitewidth.report import Column, Table
from finitewidth.verdict.along.powers import QUANTITIES
from finitewidth.verdict.along.values import Along
from finitewidth.verdict.page.tables import PASSED, agreement, z_of

COLUMNS = {
    "dispersion": "E K²/(E K)²",
    "log_spread": "sd of ln K",
    "kernel_change": "step ‖ΔK‖/‖K‖",
    "movement": "movement per e",
}

BESIDE_THE_LAW = (
    ("mean", "The mean kernel", "E K"),
    ("dispersion_first_input", "The dispersion at the first input", "E K²/(E K)²"),
)


def values(along: Along) -> Table:
    """One row a value."""
    setting = along.checks[0].setting
    known = {row.name for one in along.checks for row in one.table}
    columns = [key for key in COLUMNS if key in known]
    judged = any(one.limits for one in along.checks)
    rows = []
    for value, one in along:
        cells: list[Any] = [value, *(row and row.measured for row in map(one.row, columns))]
        rows.append([*cells, one.verdict, *([PASSED[one.passed]] if judged else [])])
    limits = f"Limits: {PASSED[along.passed]}." if judged else "No limit is set."
    return Table(
        f"{setting.model} along {along.argument}, {along.checks[0].seeds} seeds at each",
        [along.argument, *(COLUMNS[key] for key in columns), "verdict", *["limits"] * judged],
        rows,
        f"{setting.caption(along=True)} {limits}",
    )


def powers(along: Along) -> list[Table]:
    """The fitted powers, where there are any."""
    fitted = [(name, along.power(quantity)) for quantity, name in QUANTITIES.items()]
    rows = [(name, power) for name, power in fitted if power is not None]
    table = Table(
        f"Powers: quantity ∝ {along.argument}ᵖ",
        ["quantity", "p"],
        rows,
        "Weighted least squares on logarithms; the error is widened where the points "
        f"scatter more than theirs. A p of 0 means: {along.argument} does not matter.",
    )
    return [table] if rows else []


def beside_the_law(along: Along) -> list[Table]:
    """The mean, and for one output the dispersion at the first input."""
    found = []
    for quantity, title, heading in BESIDE_THE_LAW:
        rows = along.rows(quantity)
        if all(row.theory is None for _, row in rows):
            continue
        found.append(
            Table(
                f"{title} along {along.argument}, beside the exact law",
                [along.argument, heading, "exact law", Column("z", places=1)],
                [(value, row.measured, row.theory, z_of(row)) for value, row in rows],
                agreement([row for _, row in rows]),
            )
        )
    return found
