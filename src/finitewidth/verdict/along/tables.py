"""What `finitewidth check --sweep` shows: one row a value, the powers, curves and thresholds."""

from typing import Any

from finitewidth.cli.check_json import CheckResults, concluded
from finitewidth.cli.check_page import provenance
from finitewidth.cli.check_sweep_plots import plots
from finitewidth.cli.check_tables import agreement, z_of
from finitewidth.cli.check_view import (
    CheckView,
    Setting,
    bullets,
    console_,
    other_notes,
    paragraphs,
)
from finitewidth.estimate import Estimate
from finitewidth.report import Column, Page, Section, Table
from finitewidth.verdict import Check
from finitewidth.verdict.along import QUANTITIES
from finitewidth.verdict.sweep import Sweep

COLUMNS = {
    "dispersion": Column("E K²/(E K)²"),
    "log_spread": Column("sd of ln K"),
    "kernel_change": Column("step ‖ΔK‖/‖K‖"),
    "movement": Column("movement per e"),
}

BESIDE_THE_LAW = (
    ("mean", "The mean kernel", "E K"),
    ("dispersion_first_input", "The dispersion at the first input", "E K²/(E K)²"),
)


class SweepView(CheckView):
    """Verdicts along a sweep.

    Parameters
    ----------
    sweep : Sweep
    setting : Setting
    """

    def __init__(self, sweep: Sweep, setting: Setting) -> None:
        self.sweep, self.setting = sweep, setting

    @property
    def passed(self) -> bool:
        """Whether all limits are kept."""
        return self.sweep.passed

    # -- numbers ----------------------------------------------------------------------------------

    def results(self) -> CheckResults:
        """Everything as JSON."""
        sweep = self.sweep
        inputs = self.setting.as_json(sweep.checks[0].measured.start.seeds) | {
            "sweep": {sweep.argument: sweep.values}
        }
        found = CheckResults(
            inputs,
            more={
                "verdict": {
                    "sentence": sweep.sentence,
                    "passed": sweep.passed,
                    "values": {
                        f"{sweep.argument}={value}": concluded(one)
                        for value, one in zip(sweep.values, sweep.checks, strict=True)
                    },
                }
            },
        )
        for value, one in zip(sweep.values, sweep.checks, strict=True):
            for row in (*one.table, *one.shares):
                found.row(row, f"{sweep.argument}={value}/")
        for quantity in QUANTITIES:
            power = sweep.power(quantity)
            if power is not None:
                found.estimate(f"power_{quantity}", power)
        return found

    def tables(self) -> list[Table]:
        """One row a value; the powers."""
        sweep, name = self.sweep, self.sweep.argument
        known = {row.name for one in sweep.checks for row in one.table}
        columns = [key for key in COLUMNS if key in known]
        head = [Column(name), *(COLUMNS[key] for key in columns)]
        judged = any(one.limits for one in sweep.checks)
        head += [Column("verdict"), *([Column("limits")] if judged else [])]
        rows = []
        for value, one in zip(sweep.values, sweep.checks, strict=True):
            cells: list[Any] = [value, *(_measured(one, key) for key in columns)]
            cells += [one.verdict, *(["passed" if one.passed else "failed"] if judged else [])]
            rows.append(cells)
        listed = Table(
            f"{self.setting.model} along {name}, {sweep.checks[0].seeds} seeds at each",
            head,
            rows,
            f"{self.setting.caption()} {self._limits()}".strip(),
        )
        powers = [(QUANTITIES[q], sweep.power(q)) for q in QUANTITIES if sweep.power(q)]
        known_law = self._beside_the_law()
        if not powers:
            return [listed, *known_law]
        return [
            listed,
            *known_law,
            Table(
                f"Powers: quantity ∝ {name}ᵖ",
                [Column("quantity"), Column("p")],
                powers,
                "Weighted least squares on logarithms; the error is widened where the points "
                f"scatter more than theirs. A p of 0 means: {name} does not matter.",
            ),
        ]

    def _beside_the_law(self) -> list[Table]:
        """The mean, and for one output the dispersion at the first input."""
        sweep, name, found = self.sweep, self.sweep.argument, []
        for quantity, title, heading in BESIDE_THE_LAW:
            pairs = zip(sweep.values, sweep.checks, strict=True)
            rows = [(v, row) for v, one in pairs for row in one.table if row.name == quantity]
            if all(row.theory is None for _, row in rows):
                continue
            found.append(
                Table(
                    f"{title} along {name}, beside the exact law",
                    [Column(name), Column(heading), Column("exact law"), Column("z", places=1)],
                    [(value, row.measured, row.theory, z_of(row)) for value, row in rows],
                    agreement([row for _, row in rows]),
                )
            )
        return found

    def _limits(self) -> str:
        if not any(one.limits for one in self.sweep.checks):
            return "No limit is set."
        return f"Limits: {'passed' if self.passed else 'failed'}."

    # -- shown ------------------------------------------------------------------------------------

    def _title(self) -> str:
        words = list(dict.fromkeys(one.verdict for one in self.sweep.checks))
        return f"{self.setting.model}: {', '.join(words)}"

    def _texts(self) -> list[str]:
        """Each value's verdict, then theory and notes, each once."""
        pairs = zip(self.sweep.values, self.sweep.checks, strict=True)
        told = [f"{self.sweep.argument} {value}: {one}" for value, one in pairs]
        theory = dict.fromkeys(one.theory for one in self.sweep.checks)
        notes = dict.fromkeys(note for one in self.sweep.checks for note in other_notes(one))
        return [*told, *theory, *notes]

    def _capital(self) -> str:
        return self.sweep.sentence[0].upper() + self.sweep.sentence[1:]

    def _judged(self) -> list[str]:
        pairs = zip(self.sweep.values, self.sweep.checks, strict=True)
        return [f"{self.sweep.argument} {v}: {text}" for v, one in pairs for text in one.limits]

    def markdown(self) -> str:
        """For a pull request."""
        return paragraphs(
            f"### {self._title()}",
            self._capital(),
            bullets(self._judged()),
            *(table.markdown() for table in self.tables()),
            "In words:",
            bullets(self._texts()),
        )

    def print(self) -> None:
        """On the terminal."""
        from rich.text import Text

        console = console_()
        console.print(Text(self._title(), style="bold"))
        for text in (self._capital(), *self._judged()):
            console.print(Text(text))
        console.print()
        for table in self.tables():
            console.print(table)
        for text in self._texts():
            console.print(Text(text))

    def page(self) -> Page:
        """As one HTML file."""
        return Page(
            f"Verdicts against {self.sweep.argument}",
            [f"Model {self.setting.model}. {self._capital()}", *self._judged()],
            [
                Section("The numbers", self.tables()),
                Section(f"Against {self.sweep.argument}", plots(self.sweep, self.setting)),
                Section("In words", self._texts()),
            ],
            provenance(self.setting, self.sweep.checks[0].seeds),
        )


def _measured(check: Check, name: str) -> Estimate | None:
    return next((row.measured for row in check.table if row.name == name), None)
