"""From a summary to numbers with errors, and when such an error deserves trust."""

from collections.abc import Collection
from dataclasses import dataclass
from math import inf, log, sqrt

from finitewidth.estimate import Estimate
from finitewidth.law.sampler.from_draws import TRUSTED_UP_TO
from finitewidth.simulate.averages import FOR_MEANS, FOR_MOMENTS
from finitewidth.statistics.carriers import from_sums
from finitewidth.statistics.grouped_sums import GroupedSums
from finitewidth.statistics.quantiles import one_error
from finitewidth.statistics.trust import few_carry, large_true_error
from finitewidth.sweep.summary import Summary

CARRIERS = 20.0
"""Networks that must carry the variance of a quantity, n/kurtosis, for the error of its mean to be
trusted: the error's own relative error is then about 1/√80, 11 %."""

MORE = "ask for more networks"

QUANTILES = {"kernel_q05": 0.05, "kernel_median": 0.5, "kernel_q95": 0.95}


@dataclass(frozen=True)
class Observable:
    """A number that a sweep reports.

    Attributes
    ----------
    meaning : str
        In one line.
    unit : str
        ``1`` for pure numbers.
    """

    meaning: str
    unit: str


_K = "gradient squared"
OBSERVABLES = {
    "kernel_mean": Observable("E K(x, x) at initialisation", _K),
    "kernel_dispersion": Observable("E K²/(E K)²", "1"),
    "log_dispersion": Observable("ln of E K²/(E K)²", "1"),
    "log_kernel_mean": Observable("E ln K over networks with K > 0", "1"),
    "log_kernel_variance": Observable("Var ln K over networks with K > 0", "1"),
    "kernel_q05": Observable("5 % quantile of K over networks", _K),
    "kernel_median": Observable("median of K over networks", _K),
    "kernel_q95": Observable("95 % quantile of K over networks", _K),
    "zero_fraction": Observable("share of networks with K = 0", "1"),
    "output_square_mean": Observable("E N² at initialisation", "output squared"),
    "update_mean": Observable("E ΔK of one SGD step, activation pattern frozen", _K),
    "step_mean": Observable("E ΔK of one real SGD step", _K),
}
"""Everything that some method gives; what is missing in a cell its method does not give."""


def estimates(
    summary: Summary, method: str, of: Collection[str] = OBSERVABLES
) -> dict[str, Estimate]:
    """Observables of a summary, all that it has or some, in the order of `OBSERVABLES`.

    Notes
    -----
    A mean is trusted where at least 30 networks (by (Σ|q|)²/Σq²) carry it and 20 carry its
    variance; a dispersion where 100 carry E K². Where the exact law knows the true error of the
    sampled moment, that decides instead: a sample that missed the tail cannot know.
    """
    found = {
        name: Estimate(value, 0.0, 0, method, exact=method == "law")
        for name, value in summary.values.items()
    }
    if summary.networks >= 2:
        for name in OBSERVABLES:
            if name in of:
                one = _sampled(name, summary)
                if one is not None:
                    value, error, note = one
                    drawn = Estimate(value, error, summary.networks, method)
                    found[name] = drawn.doubted(note)
    return {name: found[name] for name in OBSERVABLES if name in found and name in of}


def _sampled(name: str, summary: Summary) -> tuple[float, float, str] | None:
    """Value, standard error and why that is not trusted; None where the summary has no such."""
    size, sums, known = summary.networks, summary.sums, summary.known
    quantity = name.removesuffix("_mean")
    if quantity in sums and quantity != name:
        one = sums[quantity]
        if one.groups_held < 2:
            return None
        note = _few_for_mean(one, size)
        if quantity == "kernel" and "relative_variance" in known:
            note = _true_error("E K", known["relative_variance"], size)
        return *one.estimate(lambda m: m[0]), note
    histogram = summary.histogram
    if name == "kernel_dispersion" and sums["kernel"].central()[0] > 0:
        note = _few_for_square(sums["kernel"], size)
        if "relative_variance_of_square" in known:
            note = _true_error("E K²", known["relative_variance_of_square"], size)
        return *sums["kernel"].estimate(lambda m: 1.0 + _variance(m) / m[0] ** 2), note
    if name == "log_kernel_variance" and sums["log_kernel"].groups_held >= 2:
        logs = sums["log_kernel"]
        return *logs.estimate(_variance), _few_for_mean(logs, size)
    if name in QUANTILES and histogram is not None:
        found = one_error(histogram, QUANTILES[name])
        return None if found is None else (*found, "")
    if name == "zero_fraction" and histogram is not None:
        # Agresti and Coull's interval: an error above 0 even where no network was counted.
        middle = (histogram.lowest + 2) / (size + 4)
        return histogram.lowest / size, sqrt(middle * (1 - middle) / (size + 4)), ""
    return None


def _variance(moments: list[float]) -> float:
    """Of mean and central moments: rounding takes that of a constant below 0."""
    return max(moments[1], 0.0)


def _few_for_mean(sums: GroupedSums, size: int) -> str:
    """The note of a mean whose error cannot be trusted, or empty."""
    moments = sums.central()
    carriers = from_sums(size * _variance(moments), size * moments[3], size)
    return few_carry(size, size, FOR_MEANS, "this average", MORE) or few_carry(
        carriers, size, CARRIERS, "the variance of this quantity", MORE
    )


def _few_for_square(sums: GroupedSums, size: int) -> str:
    """The note of a second moment whose error cannot be trusted, or empty."""
    _, _, second, _, fourth = sums.raw()
    carriers = from_sums(second, fourth, size)
    return few_carry(carriers, size, FOR_MOMENTS, "E K²", f"{MORE}, or for method law")


def _true_error(name: str, relative_variance: float, size: int) -> str:
    """The note of a moment whose true error, by the exact law, is too large, or empty."""
    log_error = 0.5 * log(relative_variance / size) if relative_variance else -inf
    return large_true_error(name, size, log_error, TRUSTED_UP_TO, "use method law")
