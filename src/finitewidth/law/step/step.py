"""`Step`: the first step of SGD, both parts of its mean and its variance, which shows itself."""

from dataclasses import dataclass, field
from functools import cached_property

from finitewidth.estimate import Estimate
from finitewidth.law.crossing.estimates import StepVariance
from finitewidth.law.exact_law import ExactLaw
from finitewidth.law.step.against_width import Simulated, against_width
from finitewidth.law.step.equal_width import EqualWidth, equal_width_or_why
from finitewidth.law.step.split import Split
from finitewidth.network.words import as_json, in_words
from finitewidth.report import Column, Later, Page, Plot, Provenance, Record, Section, Shown, Table
from finitewidth.statistics.blocks import Progress

PARTS = {
    "jumps": "noise of the few crossings; proportional to λ",
    "drift": "the crossings' mean goes with |N − t|",
    "frozen": "pattern frozen, exact",
    "shared": "twice the covariance of drift and frozen",
}


@dataclass(frozen=True)
class Step(Shown):
    """One real SGD step on ½(N − t)²: pattern frozen, neurons that cross zero, and both together.

    Attributes
    ----------
    law : ExactLaw
    rate, target : float
        λ and t.
    size, seed : int
        Of the conditional Monte Carlo.
    split : Split
        The mean in its two values.
    variance : StepVariance
        Var ΔK over seeds, by parts.
    crossings : Estimate
        Mean number of neurons that cross zero.
    simulated : callable or None
        What draws the figure's points.
    """

    law: ExactLaw
    rate: float
    target: float
    size: int
    seed: int
    split: Split
    variance: StepVariance
    crossings: Estimate
    simulated: Simulated | None = None
    _figure: list[Plot | None] = field(default_factory=list, init=False, repr=False)

    @cached_property
    def equal(self) -> EqualWidth | str:
        """The width of equality, or why there is none."""
        return equal_width_or_why(self.law.net, self.law.squared_norm, self.target, self.seed)

    def against_width(self, progress: Progress | None = None) -> Plot | None:
        """Both parts against the width, with the two slopes and simulated points; computed once.

        Parameters
        ----------
        progress : callable, optional
            Called with (widths done, widths in all).
        """
        if not self._figure:
            self._figure.append(
                against_width(self.law, self.rate, self.target, self.seed, self.simulated, progress)
            )
        return self._figure[0]

    def page(self) -> Page:
        """Both values of the mean, the variance by parts, the linear range, and the figure."""
        equal = self.equal if isinstance(self.equal, str) else self.equal.sentence()
        goal = f"t = {self.target:g}, λ = {self.rate:g}"
        return Page(
            f"The first step: {in_words(self.law.net)}",
            [self.split.sentence()],
            [
                Section(
                    "The mean",
                    [self.split.table(f"Mean ΔK of one SGD step on ½(N − t)², {goal}"), equal],
                ),
                Section("The variance over seeds", [self._variance_table(goal)]),
                Section("Crossings and range", [self._number(), self._range()]),
                Section("Against the width", [Later(self.against_width)]),
                Section("Method", [f"Crossing term: {self._method()}."], detail=True),
            ],
            Provenance.now(self.seed, input=self.law.input_name),
            self._record,
        )

    def _record(self) -> Record:
        term = self.split.crossing
        record = Record(
            {
                "input": self.law.input_name,
                "learning_rate": self.rate,
                "target": self.target,
                "size": self.size,
                "seed": self.seed,
                "loss": "(N - t)^2 / 2",
                "step": "one input",
            },
            as_json(self.law.net),
        )
        record.exact("mean_kernel", self.law.mean())
        record.exact("frozen_mean", self.split.frozen)
        record.estimate("crossing_mean", term)
        record.estimate("step_mean", self.split.real)
        record.estimate("step_variance", self.variance)
        for name in PARTS:
            part = getattr(self.variance, name)
            record.approximate(f"step_variance_{name}", part, self.variance.method)
        record.estimate("crossings", self.crossings)
        if term.largest_rate < float("inf"):
            record.approximate("largest_rate", term.largest_rate, "leading")
        if isinstance(self.equal, EqualWidth):
            self.equal.put(record)
        return record

    def _variance_table(self, goal: str) -> Table:
        mean, total = self.law.mean(), float(self.variance.value)
        rows = [
            (name, getattr(self.variance, name), getattr(self.variance, name) / total, meaning)
            for name, meaning in PARTS.items()
        ]
        closed = self.variance.std_error == 0.0 and self.variance.trusted
        of_all = f"sd of ΔK = {total**0.5 / mean:.3g} E K"
        rows.append(("Var ΔK", total if closed else self.variance, 1.0, of_all))
        columns = [
            Column("part"),
            Column("variance"),
            Column("share", digits=3),
            Column("what it is"),
        ]
        title = f"Variance of ΔK over seeds, leading order in the width, {goal}"
        return Table(title, columns, rows)

    def _number(self) -> str:
        neurons = sum(width * count for width, count in self.law.net.runs)
        return f"Neurons that cross zero in one step: {self.crossings} of {neurons} on average."

    def _range(self) -> str:
        term = self.split.crossing
        if term.largest_rate == float("inf"):
            return "No crossing changes K here, at any learning rate."
        return (
            f"The split is linear in λ up to about {term.largest_rate:.2g}; here λ = "
            f"{self.rate:g}, and λ E K = {self.rate * self.law.mean():.3g} (1: one step reaches "
            "the target, 2: unstable)."
        )

    def _method(self) -> str:
        return self.split.crossing.note.split("; ")[0]
