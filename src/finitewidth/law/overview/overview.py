"""`Overview`: the exact law of K beside the paper's forms, the joint limit and the first step."""

from collections.abc import Iterable
from functools import cached_property
from math import exp, expm1, log, sqrt

from finitewidth.law.exact_law import ExactLaw
from finitewidth.law.overview.rows import Number, Quantities, Quantity
from finitewidth.law.step.equal_width import EqualWidth, equal_width_or_why
from finitewidth.law.step.split import Split
from finitewidth.network.words import as_json, in_words
from finitewidth.report import Column, Page, Provenance, Record, Section, Shown, Table
from finitewidth.statistics import regime

OFF = 0.10
"""From here on the paper's form is said to be off."""

FIRST_ORDER = "ΔK is at first order in λ; the identity has no activation pattern to freeze."


class Overview(Shown):
    """The answers of one law.

    Parameters
    ----------
    law : KernelLaw
    learning_rate : float
        λ of the first step.
    """

    def __init__(self, law: ExactLaw, learning_rate: float = 1.0) -> None:
        self.law, self.rate = law, learning_rate
        self.quantities = Quantities(law, learning_rate)

    @cached_property
    def split(self) -> Split | str:
        """Both values of the first step at target 0, or why there is only the frozen one."""
        try:
            term = self.law.crossing_mean(self.rate)
            return Split(self.law, self.law.update_mean(self.rate), term)
        except ValueError as error:
            return f"No value of a real step, which also carries neurons across zero: {error}"

    @cached_property
    def equal(self) -> EqualWidth | str:
        """The width at which frozen mean and crossing term are equal, or why there is none."""
        return equal_width_or_why(self.law.net, self.law.squared_norm)

    @property
    def _steps(self) -> bool:
        """Whether a step has two values: hidden layers, of an activation with a corner."""
        return self.law.net.depth > 1 and self.law.net.act.has_kink

    @cached_property
    def _start(self) -> list[Quantity]:
        return list(self.quantities.at_start())

    @cached_property
    def _step(self) -> list[Quantity]:
        return list(self.quantities.of_step())

    def page(self) -> Page:
        """Regime, moments, both values of the step, and how far the paper's forms hold."""
        word, sentence = spread_in_words(self.law.log_dispersion())
        tables = [self._table("The kernel K(x, x) over random initialisations", self._start)]
        if self._step:
            title = f"ΔK of one SGD step, activation pattern frozen, λ = {self.rate:g}"
            tables.append(self._table(title, self._step))
        if self._steps and isinstance(self.split, Split):
            title = f"Mean ΔK of one SGD step: both values, target 0, λ = {self.rate:g}"
            tables.append(self.split.table(title))
        return Page(
            f"{word.capitalize()}: {in_words(self.law.net)}",
            [sentence],
            [
                Section("The law of K and of its first change", tables),
                Section("What leads", self._leading()),
                Section("The paper's forms and the limit", self._forms(), detail=True),
            ],
            Provenance.now(0 if self._steps else None, input=self.law.input_name),
            self._record,
        )

    def _record(self) -> Record:
        """A value outside the range of a double stands as its log, ``log_<name>``."""
        found = Record(
            {
                "input": self.law.input_name,
                "learning_rate": self.rate,
                "loss": "(N - t)^2 / 2",
                "step": "one input; update: activation pattern frozen; crossing, step: target 0",
            },
            as_json(self.law.net),
        )
        found.exact("beta", self.law.net.beta)
        for one in (*self._start, *self._step):
            if one.exact.value is not None:
                found.exact(one.key, one.exact.value)
            else:
                found.exact(f"log_{one.key}", one.exact.log)
            if one.paper is not None:
                _put(found, f"paper_{one.key}", self.quantities.by_paper(one), "paper")
            if one.limit is not None:
                _put(found, f"limit_{one.key}", one.limit, "joint limit")
        found.exact("log_dispersion", self.law.log_dispersion())
        if self._steps and isinstance(self.split, Split):
            found.estimate("crossing_mean", self.split.crossing)
            found.estimate("step_mean", self.split.real)
            if isinstance(self.equal, EqualWidth):
                self.equal.put(found)
        return found

    def _table(self, title: str, quantities: Iterable[Quantity]) -> Table:
        cells = []
        for one in quantities:
            paper = None if one.paper is None else self.quantities.by_paper(one)
            cells.append(
                (
                    one.label,
                    one.exact.cell,
                    None if paper is None else paper.cell,
                    None if paper is None else _ratio(one.exact, paper).cell,
                    None if one.limit is None else one.limit.cell,
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

    def _leading(self) -> list[str]:
        """Which part of a step is the larger one, and from which width on."""
        if self.law.net.depth == 1:
            return ["Without a hidden layer no step changes K, and every seed has the same."]
        if not self._steps:
            return [FIRST_ORDER]
        if isinstance(self.split, str):
            return [self.split]
        return [self.equal if isinstance(self.equal, str) else self.equal.sentence()]

    def _forms(self) -> list[str]:
        lines = [
            (
                f"β = Σ 1/n over the hidden layers = {self.law.net.beta:.5g}; it alone sets the "
                "exponents of the theory (1/β is roughly width over depth)."
            ),
            *self._paper_off(),
        ]
        for column, reason in (
            ("paper", self.quantities.paper[1]),
            ("limit", self.quantities.limit[1]),
        ):
            lines += [f"No {column} column: {reason}"] if reason else []
        return lines

    def _paper_off(self) -> list[str]:
        """The sentence for forms of the paper that are off by more than 10 %, and why."""
        off = []
        for one in (*self._start, *self._step):
            if one.paper is None:
                continue
            ratio = _ratio(one.exact, self.quantities.by_paper(one))
            if not log(1 - OFF) <= ratio.log <= log(1 + OFF):
                off.append(f"{one.label} ({ratio}, {one.paper.constant:.3g} as β → 0)")
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


def spread_in_words(log_dispersion: float) -> tuple[str, str]:
    """The regime of a kernel with this ln E K²/(E K)², and a sentence."""
    log_sd = regime.log_sd_of(log_dispersion)
    word = regime.regime(log_sd)
    if log_dispersion > 1400.0:
        shown = f"e^{log_dispersion / 2:.5g} times"
    else:
        spread = exp(log_dispersion / 2) * sqrt(-expm1(-log_dispersion))
        shown = f"{100 * spread:.3g} % of" if spread < 1 else f"{spread:.4g} times"
    meaning = {
        regime.NEARLY_DETERMINISTIC: "two seeds start from almost the same kernel",
        regime.WEAKLY_RANDOM: "seeds start from visibly different kernels",
        regime.STRONGLY_RANDOM: f"if ln K is normal, {regime.typical(log_sd)}",
    }[word]
    return word, f"The standard deviation of K over seeds is {shown} its mean: {meaning}."


def _ratio(exact: Number, paper: Number) -> Number:
    return Number.from_log(exact.log - paper.log)


def _put(found: Record, name: str, number: Number, method: str) -> None:
    if number.value is None:
        found.approximate(f"log_{name}", number.log, method)
    else:
        found.approximate(name, number.value, method)
