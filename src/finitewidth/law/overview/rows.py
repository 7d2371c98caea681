"""Every quantity of the law in three forms: exact, by the paper, and in the joint limit."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import exp, log

from finitewidth.law.exact_law import ExactLaw
from finitewidth.law.limit import JointLimit
from finitewidth.law.magnitude import Magnitude
from finitewidth.law.paper import PaperForm


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
        """sign · e^value."""
        return cls(value, sign * exp(value) if -700 < value < 700 else None, sign)

    @property
    def cell(self) -> float | str:
        """For a table: the number, or e to its log."""
        if self.value is not None:
            return self.value
        return f"{'-' if self.sign < 0 else ''}e^{self.log:.8g}"

    def __str__(self) -> str:
        cell = self.cell
        return cell if isinstance(cell, str) else f"{cell:.3g}"


@dataclass(frozen=True)
class Quantity:
    """One quantity in its three forms; `paper` and `limit` where they exist."""

    key: str
    label: str
    exact: Number
    paper: PaperForm | None = None
    limit: Number | None = None


class Quantities:
    """The answers of one `ExactLaw`.

    Parameters
    ----------
    law : ExactLaw
    learning_rate : float
        λ of the first step.
    """

    def __init__(self, law: ExactLaw, learning_rate: float) -> None:
        self.law, self.rate = law, learning_rate

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
        if self.law.net.depth == 1:
            return None, ""
        try:
            return self.law.joint_limit(), ""
        except ValueError as error:
            return None, str(error)

    def _limit_dispersion(self, limit: JointLimit) -> Number:
        biases = self.law.mean("biases") if self.law.net.trains_biases else 0.0
        return Number.from_log(limit.dispersion(self.law.mean("weights"), biases).log)

    def _limit_update(self, limit: JointLimit) -> Number:
        """−2λ(E Δ_ww + 2 E Δ_wb)/E K with the limits of the two parts and the exact mean."""
        change = (
            limit.update(self.law.net, self.law.squared_norm)
            * Magnitude(2.0)
            * Magnitude(self.rate)
        )
        return Number.from_log(change.log - self.law.log_moment(1), -1)

    # -- rows -----------------------------------------------------------------------------------

    def at_start(self) -> Iterator[Quantity]:
        """K at initialisation."""
        law, (paper, _), (limit, _) = self.law, self.paper, self.limit
        for part, label in (("kernel", "E K"), ("weights", "E K_w"), ("biases", "E K_b")):
            if part == "biases" and not law.net.trains_biases:
                continue
            mean = Number.read(
                lambda part=part: law.mean(part), lambda part=part: law.log_moment(1, part)
            )
            yield Quantity(f"mean_{part}", label, mean, paper.get(f"{part}_mean"))
        yield Quantity(
            "dispersion",
            "E K²/(E K)²",
            Number.read(law.dispersion, law.log_dispersion),
            paper.get("dispersion"),
            None if limit is None else self._limit_dispersion(limit),
        )
        spread = Number.read(
            lambda: law.relative_variance() ** 0.5, lambda: law.log_dispersion() / 2
        )
        yield Quantity("relative_sd", "sd of K / E K", spread)
        yield Quantity(
            "weights_squared",
            "E K_w²",
            Number.read(lambda: law.moment(2, "weights"), lambda: law.log_moment(2, "weights")),
            paper.get("weights_squared"),
            self._times_means(limit and limit.weights(), "weights", "weights"),
        )
        if law.net.trains_biases:
            yield Quantity(
                "biases_squared",
                "E K_b²",
                Number.read(lambda: law.moment(2, "biases"), lambda: law.log_moment(2, "biases")),
                paper.get("biases_squared"),
                self._times_means(limit and limit.biases(), "biases", "biases"),
            )
            yield Quantity(
                "cross",
                "E K_w K_b",
                Number.read(law.cross_moment, law.log_cross_moment),
                paper.get("cross"),
                self._times_means(limit and limit.cross(), "weights", "biases"),
            )

    def _times_means(self, ratio: Magnitude | None, first: str, second: str) -> Number | None:
        """A limit of second moments over means, times the exact means."""
        if ratio is None:
            return None
        logs = self.law.log_moment(1, first) + self.law.log_moment(1, second)
        return Number.from_log(ratio.log + logs)

    def of_step(self) -> Iterator[Quantity]:
        """ΔK of one step, pattern frozen; nothing without a hidden layer."""
        law, rate = self.law, self.rate
        (paper, _), (limit, _) = self.paper, self.limit
        if law.net.depth == 1:
            return
        log_change = law.log_update_mean(rate)
        yield Quantity(
            "update_mean",
            "E ΔK",
            Number.read(lambda: law.update_mean(rate), lambda: log_change, -1),
        )
        yield Quantity(
            "relative_update",
            "E ΔK / E K",
            Number.read(
                lambda: law.relative_update(rate), lambda: log_change - law.log_moment(1), -1
            ),
            paper.get("relative_update"),
            None if limit is None else self._limit_update(limit),
        )
        natural = log_change - log(rate) - 2 * law.log_moment(1)
        yield Quantity(
            "natural_relative_update", "E ΔK / E K at λ = 1/E K", Number.from_log(natural, -1)
        )
        yield Quantity(
            "relative_update_sd",
            "sd of ΔK / E K, t = 0",
            Number.read(
                lambda: law.update_variance(rate) ** 0.5 / law.mean(),
                lambda: law.log_update_variance(rate) / 2 - law.log_moment(1),
            ),
        )

    def by_paper(self, row: Quantity) -> Number:
        """The paper's value; its updates are printed for λ = 1 and without sign."""
        assert row.paper is not None
        value = row.paper.value
        if row.key == "relative_update":
            value = value * Magnitude(self.rate)
        return Number.read(lambda: value.to_float(row.label, "see its log"), lambda: value.log)
