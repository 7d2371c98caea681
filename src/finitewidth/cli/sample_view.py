"""What `finitewidth sample` shows: quantiles, sampled against exact, the law of ln K, a density."""

from dataclasses import replace
from math import exp, pi, sqrt

import numpy as np

from finitewidth.cli.bars import coarse, lines
from finitewidth.cli.results import Results, describe, in_words
from finitewidth.estimate import Estimate
from finitewidth.law import KernelLaw
from finitewidth.law.sampler import LogLaw, Quantile, SampleSummary
from finitewidth.network import Widths
from finitewidth.report import Column, Curve, Plot, Points, Steps, Table

LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


class SampleView:
    """A summary of a sample, ready to be printed.

    Parameters
    ----------
    law : KernelLaw
    summary : SampleSummary
        Of `size` networks drawn with `seed`.
    input_name : str or None
        What --input said.
    """

    def __init__(
        self, law: KernelLaw, summary: SampleSummary, size: int, seed: int, input_name: str | None
    ) -> None:
        self.law, self.summary, self.size, self.seed = law, summary, size, seed
        self.input_name = input_name
        least = 6.0 / size
        self.levels = [level for level in LEVELS if least <= level <= 1 - least]
        self.in_logs = (
            summary.log_kernel.mean.value + 8 * sqrt(summary.log_kernel.variance.value) > 600.0
        )

    # -- numbers ----------------------------------------------------------------------------------

    def _quantiles(self) -> list[Quantile]:
        ask = self.summary.log_quantile if self.in_logs else self.summary.quantile
        return [ask(level) for level in self.levels]

    def results(self) -> Results:
        """Everything as JSON."""
        inputs = describe(self.law.net) | {
            "input": self.input_name or "|x|^2 = n_in", "size": self.size, "seed": self.seed,
        }  # fmt: skip
        found = Results(inputs)
        prefix = "log_quantile" if self.in_logs else "quantile"
        for level, value in zip(self.levels, self._quantiles(), strict=True):
            found.estimate(f"{prefix}_{level:g}", value)
        summary = self.summary
        found.estimate("mean_over_exact", summary.mean)
        found.estimate("second_moment_over_exact", summary.second_moment)
        found.exact("log_mean", summary.log_exact_mean)
        found.exact("log_second_moment", summary.log_exact_second_moment)
        found.exact("log_dispersion", self.law.log_dispersion())
        found.estimate("dead_fraction", summary.dead)
        found.exact("exact_dead_fraction", summary.exact_dead)
        for name, one in (("log_kernel", summary.log_kernel), ("log_norm", summary.log_norm)):
            for moment in ("mean", "variance", "skewness", "excess_kurtosis"):
                found.estimate(f"{name}_{moment}", getattr(one, moment))
        found.approximate("log_norm_mean_wide", summary.reference_mean, "Hanin & Nica 2018")
        found.approximate("log_norm_variance_wide", summary.reference_variance, "Hanin & Nica 2018")
        return found

    # -- tables -----------------------------------------------------------------------------------

    def tables(self) -> list[Table]:
        """Quantiles, sampled against exact, the law of ln K."""
        summary = self.summary
        name = "ln K" if self.in_logs else "K"
        quantiles = Table(
            f"Quantiles of {name} over {self.size} random initialisations",
            [Column("quantile"), Column(name), Column("95 % from"), Column("to")],
            [
                (f"{100 * level:g} %", value, value.low, value.high)
                for level, value in zip(self.levels, self._quantiles(), strict=True)
            ],
        )
        moments = Table(
            "Sampled over exact moments, and dead networks",
            [Column("quantity"), Column("sampled"), Column("expected", digits=6)],
            [
                ("E K over the exact one", summary.mean, 1.0),
                ("E K² over the exact one", summary.second_moment, 1.0),
                ("fraction with a dead layer", summary.dead, summary.exact_dead),
            ],
        )
        laws = Table(
            "Logarithms over living networks, and the normal law of a wide one",
            [Column("quantity"), Column("mean"), Column("variance"), Column("skewness"),
             Column("excess kurtosis")],
            [
                ("ln K", *_row(summary.log_kernel)),
                ("ln |x^(d−1)|²/n_(d−1) − ln |x|²/n_0", *_row(summary.log_norm)),
                ("  wide: drift − ν/2 Σ1/n, ν Σ1/n", summary.reference_mean,
                 summary.reference_variance, 0.0, 0.0),
            ],
        )  # fmt: skip
        return [quantiles, moments, laws]

    def print(self) -> None:
        """Tables, sentences and a histogram on the terminal."""
        from rich.console import Console
        from rich.text import Text

        tables = self.tables()
        console = Console(highlight=False)
        console.print(Text(in_words(self.law.net)))
        console.print()
        for table in tables:
            console.print(table)
        console.print(Text("Share of networks by K (logarithmic bins, the outer 0.1 % left out)"))
        for line in lines(self.summary.histogram, console.width):
            console.print(Text(line), no_wrap=True)
        console.print()
        console.print(Text(self.sentence()))

    def sentence(self) -> str:
        """Mean, median and what carries the mean."""
        log_median = self.summary.log_quantile(0.5).value
        ratio = self.summary.log_exact_mean - log_median
        shown = f"{exp(ratio):.4g}" if ratio < 20 else f"e^{ratio:.5g}"
        return (
            f"The exact mean is {shown} times the median, the exact dispersion E K²/(E K)² is "
            f"{self._dispersion()}."
        )

    def _dispersion(self) -> str:
        value = self.law.log_dispersion()
        return f"{exp(value):.6g}" if value < 20 else f"e^{value:.6g}"

    def _with_errors(self) -> Points:
        """The density in a few wide bins, with the binomial standard errors of their counts."""
        edges, counts = coarse(self.summary.histogram, 16)
        size, width = self.summary.histogram.size, np.diff(edges)
        share = counts / size
        errors = np.sqrt(share * (1 - share) / size) / width
        middle = (edges[:-1] + edges[1:]) / 2
        return Points("the same in wide bins, one standard error", middle, share / width, errors)

    def _log_infinite_width(self) -> float:
        """ln K at infinite width: the exact mean where no layer can be dead."""
        net = self.law.net
        wide = Widths((width * 10**9, count) for width, count in net.runs)
        sums = (self.law.squared_norm,)
        return KernelLaw(replace(net, widths=wide), power_sums=sums).log_moment(1)

    # -- figure -----------------------------------------------------------------------------------

    def plot(self) -> Plot:
        """The density of ln K with mean, median, and a log-normal law of the exact moments."""
        summary, histogram = self.summary, self.summary.histogram
        edges, counts = coarse(histogram, 80)
        heights = counts / (histogram.size * np.diff(edges))
        top = 1.1 * float(heights.max())
        variance = self.law.log_dispersion()
        middle = summary.log_exact_mean - variance / 2
        grid = np.linspace(edges[0], edges[-1], 300)
        series: list[Steps | Curve | Points] = [
            Steps("density of the sampled law", edges, heights),
            self._with_errors(),
        ]
        if variance > 0:
            normal = np.exp(-((grid - middle) ** 2) / (2 * variance)) / sqrt(2 * pi * variance)
            label = f"log-normal with the exact mean and dispersion {self._dispersion()}"
            series.append(Curve(label, grid, normal))
        for label, place in (
            ("exact mean", summary.log_exact_mean),
            ("infinite width: the same K for every seed", self._log_infinite_width()),
            ("median", summary.log_quantile(0.5).value),
        ):
            if edges[0] <= place <= edges[-1]:
                series.append(Curve(label, [place, place], [0.0, top]))
        return Plot(
            title="The law of K over random initialisations",
            sentence=(
                f"Density of ln K for {in_words(self.law.net)}; {self.size} networks. "
                + self.sentence()
            ),
            x_label="ln K(x, x)",
            y_label="density",
            series=series,
        )


def _row(law: LogLaw) -> tuple[Estimate, ...]:
    return law.mean, law.variance, law.skewness, law.excess_kurtosis
