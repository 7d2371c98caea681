"""What `finitewidth law` shows: tables, sentences, JSON."""

from collections.abc import Iterator
from functools import cached_property
from math import log

from finitewidth.cli.law_rows import LawRows, Number, Row
from finitewidth.cli.results import Results, describe, in_words
from finitewidth.cli.step_split import EqualWidth, Split, equal_width, put_equal
from finitewidth.law import KernelLaw
from finitewidth.law.regime import regime
from finitewidth.report import Column, Table

OFF = 0.10
"""From here on the paper's form is said to be off."""

FIRST_ORDER = "ΔK is at first order in λ; the identity has no activation pattern to freeze."


class LawView:
    """The answers of one `KernelLaw`, ready to be printed.

    Parameters
    ----------
    law : KernelLaw
    learning_rate : float
        λ of the first step.
    input_name : str or None
        What --input said.
    """

    def __init__(self, law: KernelLaw, learning_rate: float, input_name: str | None) -> None:
        self.law, self.rate, self.input_name = law, learning_rate, input_name
        self.rows = LawRows(law, learning_rate)

    @cached_property
    def split(self) -> Split | str:
        """Both values of the first step at target 0, or why there is only the frozen one."""
        try:
            return Split.of(self.law, self.rate)
        except ValueError as error:
            return f"No value of a real step, which also carries neurons across zero: {error}"

    @cached_property
    def equal(self) -> EqualWidth | str:
        """The width at which frozen mean and crossing term are equal, or why there is none."""
        try:
            return equal_width(self.law.net, float(self.law.squared_norm))
        except ValueError as error:
            return f"No width at which the two are equal: {error}"

    @property
    def _steps(self) -> bool:
        """Whether a step has two values: hidden layers, of an activation with a corner."""
        return self.law.net.depth > 1 and self.law.net.act.has_kink

    def results(self) -> Results:
        """Everything as JSON; a value outside the range of a double as its log, ``log_<name>``."""
        law = self.law
        inputs = describe(law.net) | {
            "input": self.input_name or "|x|^2 = n_in",
            "learning_rate": self.rate,
            "loss": "(N - t)^2 / 2",
            "step": "one input; update: activation pattern frozen; crossing, step: target 0",
        }
        found = Results(inputs)
        found.exact("beta", law.net.beta)
        for row in (*self.rows.start_rows(), *self.rows.step_rows()):
            if row.exact.value is not None:
                found.exact(row.key, row.exact.value)
            else:
                found.exact(f"log_{row.key}", row.exact.log)
            if row.paper is not None:
                _put(found, f"paper_{row.key}", self.rows.by_paper(row), "paper")
            if row.limit is not None:
                _put(found, f"limit_{row.key}", row.limit, "joint limit")
        found.exact("log_dispersion", law.log_dispersion())
        if self._steps and isinstance(self.split, Split):
            found.estimate("crossing_mean", self.split.crossing)
            found.estimate("step_mean", self.split.real)
            put_equal(found, self.equal)
        return found

    def tables(self) -> list[Table]:
        """K at initialisation, ΔK of the first step, and its mean in both values."""
        found = [
            self._table("The kernel K(x, x) over random initialisations", self.rows.start_rows())
        ]
        steps = list(self.rows.step_rows())
        if steps:
            title = f"ΔK of one SGD step, activation pattern frozen, λ = {self.rate:g}"
            found.append(self._table(title, iter(steps)))
        if self._steps and isinstance(self.split, Split):
            title = f"Mean ΔK of one SGD step: both values, target 0, λ = {self.rate:g}"
            found.append(self.split.table(title))
        return found

    def _table(self, title: str, rows: Iterator[Row]) -> Table:
        cells = []
        for row in rows:
            paper = None if row.paper is None else self.rows.by_paper(row)
            cells.append(
                (
                    row.label,
                    row.exact.cell,
                    None if paper is None else paper.cell,
                    None if paper is None else _ratio(row.exact, paper).cell,
                    None if row.limit is None else row.limit.cell,
                )
            )
        columns = [
            Column("quantity"),
            Column("exact", digits=6),
            Column("paper", digits=6),
            Column("exact/paper"),
            Column("limit d/n → Λ", digits=6),
        ]
        return Table(title, columns, cells)

    def sentences(self) -> list[str]:
        """What the tables mean."""
        law = self.law
        state = regime(law.log_dispersion())
        lines = [
            f"Regime: {state.name}. {state.sentence}",
            (
                f"β = Σ 1/n over the hidden layers = {law.net.beta:.5g}; it alone sets the "
                "exponents of the theory (1/β is roughly width over depth)."
            ),
        ]
        lines += self._paper_off()
        lines += [f"No paper column: {self.rows.paper[1]}"] if self.rows.paper[1] else []
        lines += [f"No limit column: {self.rows.limit[1]}"] if self.rows.limit[1] else []
        if law.net.depth == 1:
            lines.append("Without a hidden layer no step changes K, and every seed has the same.")
        elif not self._steps:
            lines.append(FIRST_ORDER)
        elif isinstance(self.split, str):
            lines.append(self.split)
        else:
            lines.append(self.equal if isinstance(self.equal, str) else self.equal.sentence())
        return lines

    def _paper_off(self) -> list[str]:
        """The sentence for forms of the paper that are off by more than 10 %, and why."""
        off = []
        for row in (*self.rows.start_rows(), *self.rows.step_rows()):
            if row.paper is None:
                continue
            ratio = _ratio(row.exact, self.rows.by_paper(row))
            if not log(1 - OFF) <= ratio.log <= log(1 + OFF):
                off.append(f"{row.label} ({ratio}, {row.paper.constant:.3g} as β → 0)")
        if not off:
            return []
        squares = sum(count / width**2 for width, count in self.law.net.runs)
        why = "The exponent e^{5β} is right."
        if 12.5 * squares > OFF:
            why = (
                f"Its error factor 1 + O(Σ 1/n²) is not small either: Σ 1/n² = {squares:.3g}, so "
                "here the exponent is right to first order in 1/n only."
            )
        sentence = (
            f"The paper's form is off by more than 10 % (exact/paper) for {', '.join(off)}: "
            f"its ≃ leaves a bounded constant open. {why}"
        )
        return [sentence]

    def print(self) -> None:
        """Tables and sentences on the terminal."""
        from rich.console import Console
        from rich.text import Text

        tables, lines = self.tables(), self.sentences()  # all before the first line is printed
        console = Console(highlight=False)
        console.print(Text(in_words(self.law.net)))
        console.print()
        for table in tables:
            console.print(table)
        for line in lines:
            console.print(Text(line))


def _ratio(exact: Number, paper: Number) -> Number:
    return Number.from_log(exact.log - paper.log)


def _put(found: Results, name: str, number: Number, method: str) -> None:
    if number.value is None:
        found.approximate(f"log_{name}", number.log, method)
    else:
        found.approximate(name, number.value, method)
