"""`SampleSummary`: what a sample of any size says about the law of K, which shows itself."""

from dataclasses import dataclass, replace
from functools import cached_property
from math import exp, inf, log, sqrt

from finitewidth.estimate import Estimate
from finitewidth.law.inputs import from_sums
from finitewidth.law.moments import moment
from finitewidth.law.sampler.density import density
from finitewidth.law.sampler.quantile import (
    Levels,
    Quantile,
    checked_levels,
    from_ordered,
    log_from_ordered,
)
from finitewidth.network import MLP, Widths
from finitewidth.network.words import as_json, in_words
from finitewidth.report import Bars, Column, Page, Plot, Provenance, Record, Section, Shown, Table
from finitewidth.statistics.ordered import Ordered

LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
BINS, ALL_BINS = 12, 20
"""Lines of the terminal's histogram, in brief and in full."""


@dataclass(frozen=True)
class LogLaw:
    """The law of a logarithm over the networks without a dead layer.

    Attributes
    ----------
    mean, variance, skewness, excess_kurtosis : Estimate
        The last two are 0 for a normal law.
    """

    mean: Estimate
    variance: Estimate
    skewness: Estimate
    excess_kurtosis: Estimate

    def row(self) -> tuple[Estimate, ...]:
        """Its four numbers, for a table."""
        return self.mean, self.variance, self.skewness, self.excess_kurtosis


@dataclass(frozen=True)
class SampleSummary(Shown):
    """A sample of the law in a few numbers, sampled and exact side by side.

    Attributes
    ----------
    mean, second_moment : Estimate
        Sampled E K/(exact E K) and E K²/(exact E K²): 1 within their errors. The errors are the
        exact ones, from the exact moments of order 2 and 4; where those are too large for this
        sample `trusted` is False.
    dispersion : Estimate
        Sampled E K²/(E K)², with its jackknife error; trusted where `second_moment` is.
    log_exact_mean, log_exact_second_moment : float
        Natural logs of the exact E K and E K².
    dead : Estimate
        Fraction of networks with a dead layer; its exact value is `exact_dead`.
    exact_dead : float
        1 − Π (1 − 2^(−n)) for ReLU, 0 for a ≠ 0.
    log_kernel : LogLaw
        Of ln K.
    log_norm : LogLaw
        Of ln (|x^(d−1)|²/n_{d−1})/(|x|²/n_0), the last hidden layer's squared norm a neuron.
    reference_mean, reference_variance : float
        What that log tends to at large width: a normal law of this mean and variance,
        Σ_j ln(C_W A_2) − (ν/2) Σ 1/n and ν Σ 1/n, ν = 3A_4/A_2² − 1 (ReLU: 5; Hanin & Nica 2018,
        arXiv 1812.05994).
    ordered : Ordered
        K in order, by log2.
    dead_value : float
        K of a dead network: the output bias alone.
    net : MLP
        The network.
    squared_norm : float
        |x|² of the input.
    log_dispersion : float
        Natural log of the exact E K²/(E K)².
    seed : int
        Of the draws.
    input_name : str
        What the input is called.
    """

    mean: Estimate
    second_moment: Estimate
    dispersion: Estimate
    log_exact_mean: float
    log_exact_second_moment: float
    dead: Estimate
    exact_dead: float
    log_kernel: LogLaw
    log_norm: LogLaw
    reference_mean: float
    reference_variance: float
    ordered: Ordered
    dead_value: float
    net: MLP
    squared_norm: float
    log_dispersion: float
    seed: int
    input_name: str = ""

    def quantile(self, q: Levels) -> Quantile:
        """Quantiles of K; raises as `KernelLaw.quantile`."""
        return from_ordered(self.ordered, checked_levels(q), self.dead_value)

    def log_quantile(self, q: Levels) -> Quantile:
        """Quantiles of ln K; raises among dead networks whose K is 0."""
        dead = log(self.dead_value) if self.dead_value else -inf
        return log_from_ordered(self.ordered, checked_levels(q), dead)

    # -- what is shown ----------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """Number of networks."""
        return self.ordered.size

    @property
    def _in_logs(self) -> bool:
        """Whether K of some networks is beyond a double."""
        return self.log_kernel.mean.value + 8 * sqrt(self.log_kernel.variance.value) > 600.0

    @cached_property
    def _quantiles(self) -> list[tuple[float, Quantile]]:
        """The levels that the sample reaches, and their quantiles."""
        ask, least = self.log_quantile if self._in_logs else self.quantile, 6.0 / self.size
        return [(level, ask(level)) for level in LEVELS if least <= level <= 1 - least]

    def page(self) -> Page:
        """Mean against median, quantiles and a histogram; sampled against exact in detail."""
        sections = [
            Section("Quantiles", [self._quantile_table()]),
            Section("The law of K", [self._bars(BINS, "Share of networks by K"), self._density()]),
            Section(
                "Moments, dead networks and logarithms",
                [*self._moment_tables(), self._bars(ALL_BINS, "Share of networks in more bins")],
                detail=True,
            ),
        ]
        return Page(
            f"K over random initialisations: {in_words(self.net)}",
            [self._sentence()],
            sections,
            Provenance.now(self.seed, input=self.input_name),
            self._record,
        )

    def _record(self) -> Record:
        inputs = {"input": self.input_name, "size": self.size, "seed": self.seed}
        record = Record(inputs, as_json(self.net))
        prefix = "log_quantile" if self._in_logs else "quantile"
        for level, value in self._quantiles:
            record.estimate(f"{prefix}_{level:g}", value)
        record.estimate("mean_over_exact", self.mean)
        record.estimate("second_moment_over_exact", self.second_moment)
        record.exact("log_mean", self.log_exact_mean)
        record.exact("log_second_moment", self.log_exact_second_moment)
        record.exact("log_dispersion", self.log_dispersion)
        record.estimate("dead_fraction", self.dead)
        record.exact("exact_dead_fraction", self.exact_dead)
        for name, one in (("log_kernel", self.log_kernel), ("log_norm", self.log_norm)):
            for quantity in ("mean", "variance", "skewness", "excess_kurtosis"):
                record.estimate(f"{name}_{quantity}", getattr(one, quantity))
        record.approximate("log_norm_mean_wide", self.reference_mean, "Hanin & Nica 2018")
        record.approximate("log_norm_variance_wide", self.reference_variance, "Hanin & Nica 2018")
        return record

    def _quantile_table(self) -> Table:
        name = "ln K" if self._in_logs else "K"
        return Table(
            f"Quantiles of {name} over {self.size} random initialisations",
            [Column("quantile"), Column(name), Column("95 % from"), Column("to")],
            [
                (f"{100 * level:g} %", value, value.low, value.high)
                for level, value in self._quantiles
            ],
        )

    def _moment_tables(self) -> list[Table]:
        """Sampled against exact, and the law of ln K."""
        moments = Table(
            "Sampled over exact moments, and dead networks",
            [Column("quantity"), Column("sampled"), Column("expected", digits=6)],
            [
                ("E K over the exact one", self.mean, 1.0),
                ("E K² over the exact one", self.second_moment, 1.0),
                ("fraction with a dead layer", self.dead, self.exact_dead),
            ],
        )
        logs = Table(
            "Logarithms over living networks, and the normal law of a wide one",
            [Column("quantity"), Column("mean"), Column("variance"), Column("skewness"),
             Column("excess kurtosis")],
            [
                ("ln K", *self.log_kernel.row()),
                ("ln |x^(d−1)|²/n_(d−1) − ln |x|²/n_0", *self.log_norm.row()),
                ("  wide: drift − ν/2 Σ1/n, ν Σ1/n", self.reference_mean,
                 self.reference_variance, 0.0, 0.0),
            ],
        )  # fmt: skip
        return [moments, logs]

    def _bars(self, bins: int, title: str) -> Bars:
        edges, counts = self.ordered.coarse(bins)
        rows = [
            (
                f"{_rounded(left):>9} – {_rounded(right):<9} {100 * count / self.size:5.2f} %",
                float(count),
            )
            for left, right, count in zip(edges[:-1], edges[1:], counts, strict=True)
        ]
        return Bars(f"{title} (logarithmic bins, the outer 0.1 % left out)", rows)

    def _sentence(self) -> str:
        """Mean, median and what carries the mean."""
        ratio = self.log_exact_mean - self.log_quantile(0.5).value
        shown = f"{exp(ratio):.4g}" if ratio < 20 else f"e^{ratio:.5g}"
        spread = self.log_dispersion
        return (
            f"The exact mean is {shown} times the median, the exact dispersion E K²/(E K)² is "
            f"{f'{exp(spread):.6g}' if spread < 20 else f'e^{spread:.6g}'}."
        )

    def _density(self) -> Plot:
        """The density of ln K with mean, median, and a log-normal law of the exact moments."""
        variance = self.log_dispersion
        return density(
            self.ordered,
            (self.log_exact_mean - variance / 2, variance),
            {
                "exact mean": self.log_exact_mean,
                "infinite width: the same K for every seed": self._log_infinite_width(),
                "median": self.log_quantile(0.5).value,
            },
            f"Density of ln K for {in_words(self.net)}; {self.size} networks. {self._sentence()}",
        )

    def _log_infinite_width(self) -> float:
        """ln K at infinite width: the exact mean where no layer can be dead."""
        wide = Widths((width * 10**9, count) for width, count in self.net.runs)
        sums = from_sums((self.squared_norm,))
        return moment(replace(self.net, widths=wide), sums, 1, "kernel").log


def _rounded(log_value: float) -> str:
    return f"{exp(log_value):.4g}" if abs(log_value) < 20 else f"e^{log_value:.2f}"
