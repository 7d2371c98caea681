"""What `finitewidth law` shows: every quantity exact, by the paper, and in the joint limit."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import exp, log

from finitewidth.cli.results import Results, describe, in_words
from finitewidth.law import JointLimit, KernelLaw, PaperForm
from finitewidth.law.regime import regime

OFF = 0.10
"""From here on the paper's form is said to be off."""


@dataclass(frozen=True)
class Number:
    """A value that may be outside the range of a double: sign and natural log."""

    log: float
    value: float | None = None
    sign: int = 1

    @classmethod
    def read(
        cls, plain: Callable[[], float], logarithm: Callable[[], float], sign: int = 1
    ) -> "Number":
        """The plain form where it exists, else the log form."""
        try:
            value = plain()
        except ValueError:
            return cls(logarithm(), None, sign)
        return cls(log(abs(value)) if value else float("-inf"), value, sign)

    @classmethod
    def from_log(cls, value: float, sign: int = 1) -> "Number":
        return cls(value, sign * exp(value) if -700 < value < 700 else None, sign)

    def __str__(self) -> str:
        if self.value is not None:
            return f"{self.value:.6g}"
        return f"{'-' if self.sign < 0 else ''}e^{self.log:.8g}"


@dataclass(frozen=True)
class Row:
    """One quantity in its three forms; `paper` and `limit` where they exist."""

    key: str
    label: str
    exact: Number
    paper: PaperForm | None = None
    limit: Number | None = None


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

    # -- the other two columns, where they exist ------------------------------------------------

    @cached_property
    def paper(self) -> tuple[dict[str, PaperForm], str]:
        """The paper's forms, or none and the reason."""
        try:
            return self.law.paper(), ""
        except ValueError as error:
            return {}, str(error)

    @cached_property
    def limit(self) -> tuple[JointLimit | None, str]:
        """The joint limit, or none and the reason."""
        try:
            return self.law.joint_limit(), ""
        except ValueError as error:
            return None, str(error)

    def _limit_dispersion(self, limit: JointLimit) -> Number:
        """The whole kernel's limit: its parts' limits weighted with the exact means."""
        law = self.law
        if not law.net.trains_biases:
            return Number.from_log(limit.weights().log)
        w, b = law.mean("weights"), law.mean("biases")
        logs = [
            limit.weights().log + 2 * log(w / (w + b)),
            limit.cross().log + log(2 * w * b) - 2 * log(w + b),
            limit.biases().log + 2 * log(b / (w + b)),
        ]
        top = max(logs)
        return Number.from_log(top + log(sum(exp(value - top) for value in logs)))

    # -- rows -----------------------------------------------------------------------------------

    def start_rows(self) -> Iterator[Row]:
        """K at initialisation."""
        law, (paper, _), (limit, _) = self.law, self.paper, self.limit
        for part, label in (("kernel", "E K"), ("weights", "E K_w"), ("biases", "E K_b")):
            if part == "biases" and not law.net.trains_biases:
                continue
            mean = Number.read(
                lambda part=part: law.mean(part), lambda part=part: law.log_moment(1, part)
            )
            yield Row(f"mean_{part}", label, mean, paper.get(f"{part}_mean"))
        yield Row(
            "dispersion",
            "E K²/(E K)²",
            Number.read(law.dispersion, law.log_dispersion),
            paper.get("dispersion"),
            None if limit is None else self._limit_dispersion(limit),
        )
        spread = Number.read(lambda: law.relative_variance() ** 0.5, lambda: law.log_dispersion() / 2)
        yield Row("relative_sd", "sd of K / E K", spread)
        yield Row(
            "weights_squared",
            "E K_w²",
            Number.read(lambda: law.moment(2, "weights"), lambda: law.log_moment(2, "weights")),
            paper.get("weights_squared"),
            None
            if limit is None
            else Number.from_log(limit.weights().log + 2 * law.log_moment(1, "weights")),
        )

    def step_rows(self) -> Iterator[Row]:
        """ΔK of one step, pattern frozen; nothing without a hidden layer."""
        law, (paper, _), rate = self.law, self.paper, self.rate
        if law.net.depth == 1:
            return
        log_change = law.log_update_mean(rate)
        yield Row(
            "update_mean",
            "E ΔK",
            Number.read(lambda: law.update_mean(rate), lambda: log_change, -1),
        )
        yield Row(
            "relative_update",
            "E ΔK / E K",
            Number.read(
                lambda: law.relative_update(rate), lambda: log_change - law.log_moment(1), -1
            ),
            paper.get("relative_update"),
        )
        natural = log_change - log(rate) - 2 * law.log_moment(1)
        yield Row(
            "natural_relative_update", "E ΔK / E K at λ = 1/E K", Number.from_log(natural, -1)
        )
        yield Row(
            "relative_update_sd",
            "sd of ΔK / E K, target 0",
            Number.read(
                lambda: law.update_variance(rate) ** 0.5 / law.mean(),
                lambda: law.log_update_variance(rate) / 2 - law.log_moment(1),
            ),
        )

    # -- output ---------------------------------------------------------------------------------

    def results(self) -> Results:
        """Everything as JSON; a value outside the range of a double as its log, ``log_<name>``."""
        law = self.law
        inputs = describe(law.net) | {
            "input": self.input_name or "|x|^2 = n_in",
            "learning_rate": self.rate,
            "loss": "(N - t)^2 / 2",
            "step": "one input, activation pattern frozen",
        }
        found = Results(inputs)
        found.exact("beta", law.net.beta)
        for row in (*self.start_rows(), *self.step_rows()):
            if row.exact.value is not None:
                found.exact(row.key, row.exact.value)
            else:
                found.exact(f"log_{row.key}", row.exact.log)
            if row.paper is not None:
                _put(found, f"paper_{row.key}", self._by_paper(row), "paper")
            if row.limit is not None:
                _put(found, f"limit_{row.key}", row.limit, "joint limit")
        found.exact("log_dispersion", law.log_dispersion())
        return found

    def _by_paper(self, row: Row) -> Number:
        """The paper's value; its updates are printed for λ = 1 and without sign."""
        assert row.paper is not None
        factor = self.rate if row.key == "relative_update" else 1.0
        return Number.from_log(row.paper.value.log + log(factor))


def _put(found: Results, name: str, number: Number, method: str) -> None:
    if number.value is None:
        found.approximate(f"log_{name}", number.log, method)
    else:
        found.approximate(name, number.value, method)
