"""What `finitewidth step` shows: both parts of the mean, the variance, the range, a figure."""

from functools import cached_property

from finitewidth.cli.results import Results, describe, in_words
from finitewidth.cli.step_plot import split_plot
from finitewidth.law.step.equal_width import EqualWidth, equal_width
from finitewidth.law.step.split import Split
from finitewidth.report import Column, Plot, Table
from finitewidth.statistics.blocks import Progress

PARTS = {
    "jumps": "noise of the few crossings; proportional to λ",
    "drift": "the crossings' mean goes with |N − t|",
    "frozen": "pattern frozen, exact",
    "shared": "twice the covariance of drift and frozen",
}


class StepView:
    """A split, ready to be printed.

    Parameters
    ----------
    split : Split
        At the learning rate and target given.
    learning_rate, target : float
    size, seed : int
        Of the conditional Monte Carlo.
    workers : int or None
        Threads.
    input_name : str or None
        What --input said.
    """

    def __init__(
        self,
        split: Split,
        learning_rate: float,
        target: float,
        size: int,
        seed: int,
        workers: int | None,
        input_name: str | None,
    ) -> None:
        self.split, self.rate, self.target = split, learning_rate, target
        self.size, self.seed, self.input_name = size, seed, input_name
        law, ask = split.law, {"size": size, "seed": seed, "workers": workers}
        self.variance = law.step_variance(learning_rate, target, **ask)
        self.crossings = law.crossings(learning_rate, target, **ask)

    @cached_property
    def equal(self) -> EqualWidth | str:
        """The width of equality, or why there is none."""
        law = self.split.law
        try:
            return equal_width(law.net, float(law.squared_norm), self.target, self.seed)
        except ValueError as error:
            return f"No width at which the two are equal: {error}"

    def results(self) -> Results:
        """Everything as JSON."""
        split, term = self.split, self.split.crossing
        found = Results(
            describe(split.law.net)
            | {
                "input": self.input_name or "|x|^2 = n_in",
                "learning_rate": self.rate,
                "target": self.target,
                "size": self.size,
                "seed": self.seed,
                "loss": "(N - t)^2 / 2",
                "step": "one input",
            }
        )
        found.exact("mean_kernel", split.law.mean())
        found.exact("frozen_mean", split.frozen)
        found.estimate("crossing_mean", term)
        found.estimate("step_mean", split.real)
        found.estimate("step_variance", self.variance)
        for name in PARTS:
            found.approximate(
                f"step_variance_{name}", getattr(self.variance, name), self.variance.method
            )
        found.estimate("crossings", self.crossings)
        if term.largest_rate < float("inf"):
            found.approximate("largest_rate", term.largest_rate, "leading")
        if isinstance(self.equal, EqualWidth):
            self.equal.put(found)
        return found

    def tables(self) -> list[Table]:
        """Means, and the variance by parts."""
        goal = f"t = {self.target:g}, λ = {self.rate:g}"
        mean, total = self.split.law.mean(), float(self.variance.value)
        rows = [
            (name, getattr(self.variance, name), getattr(self.variance, name) / total, meaning)
            for name, meaning in PARTS.items()
        ]
        rows.append(("Var ΔK", self.variance, 1.0, f"sd of ΔK = {total**0.5 / mean:.3g} E K"))
        return [
            self.split.table(f"Mean ΔK of one SGD step on ½(N − t)², {goal}"),
            Table(
                f"Variance of ΔK over seeds, leading order in the width, {goal}",
                [
                    Column("part"),
                    Column("variance"),
                    Column("share", digits=3),
                    Column("what it is"),
                ],
                rows,
            ),
        ]

    def sentences(self) -> list[str]:
        """Crossings, range, width of equality, and how it was computed."""
        term, law = self.split.crossing, self.split.law
        neurons = sum(width * count for width, count in law.net.runs)
        lines = [
            f"Neurons that cross zero in one step: {self.crossings} of {neurons} on average.",
            (
                f"The split is linear in λ up to about {term.largest_rate:.2g}; here λ = "
                f"{self.rate:g}, and λ E K = {self.rate * law.mean():.3g} (1: one step reaches the "
                "target, 2: unstable)."
                if term.largest_rate < float("inf")
                else "No crossing changes K here, at any learning rate."
            ),
            self.equal if isinstance(self.equal, str) else self.equal.sentence(),
            f"Crossing term: {term.note.split('; ')[0]}.",
        ]
        return lines

    def print(self) -> None:
        """Tables and sentences on the terminal."""
        from rich.console import Console
        from rich.text import Text

        tables, lines = self.tables(), self.sentences()
        console = Console(highlight=False)
        console.print(Text(in_words(self.split.law.net)))
        console.print()
        for table in tables:
            console.print(table)
        for line in lines:
            console.print(Text(line))

    def plot(self, progress: Progress | None = None) -> Plot:
        """Both parts against the width, with the two slopes and simulated points."""
        return split_plot(self.split.law, self.rate, self.target, self.seed, progress)
