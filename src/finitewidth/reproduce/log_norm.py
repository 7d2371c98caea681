"""Hanin & Nica (2018): the log of a layer's squared norm is nearly Gaussian."""

from math import erf, exp, log, pi, sqrt

import numpy as np

from finitewidth import simulate
from finitewidth._shapes import Float
from finitewidth.estimate import Estimate
from finitewidth.network import MLP
from finitewidth.report import Column, Curve, Plot, Points, Table
from finitewidth.reproduce.compare import Comparison, Quantity, Steps, all_numbers
from finitewidth.reproduce.networks import label, unit_input
from finitewidth.reproduce.result import Number, Progress, Reproduction

NETS = (
    MLP.equal_width(4, 20, 4),
    MLP.equal_width(4, 50, 10),
    MLP(n_in=4, widths=[100, 25, 100, 25, 100]),
    MLP.equal_width(4, 100, 20),
)
BETA = 0.5
"""β of the networks whose law is compared with the normal one as they grow."""

GROWING = (10, 20, 40, 80)


def exact(net: MLP) -> tuple[float, float]:
    """Mean and variance of ln(|x^(d−1)|²/n_(d−1)) − ln(|x|²/n_0) over networks without dead layer.

    Gaussian weights: each layer multiplies the squared norm a neuron by (2/n) χ²_m, m of Binomial
    (n, ½) given m ≥ 1, so that mean and variance are sums of E ψ(m/2) + ln(4/n) and of
    E ψ′(m/2) + Var ψ(m/2).
    """
    from scipy.special import digamma, gammaln, polygamma

    mean = variance = 0.0
    for width, count in net.runs:
        m = np.arange(1, width + 1)
        log_choose = gammaln(width + 1) - gammaln(m + 1) - gammaln(width - m + 1)
        weight = np.exp(log_choose - width * log(2.0))
        weight /= weight.sum()
        first = float(weight @ digamma(m / 2))
        mean += count * (first + log(4.0 / width))
        spread = weight @ (polygamma(1, m / 2) + (digamma(m / 2) - first) ** 2)
        variance += count * float(spread)
    return mean, variance


def drawn(net: MLP, size: int, seed: int) -> Float[np.ndarray, " alive"]:
    """ln(|x^(d−1)|²/n_(d−1)), |x|² = n_0, of stored networks that have no dead layer."""
    run = simulate.train(
        net, unit_input(net)[None], [0.0], 1e-3, 0, size=size, seed=seed, method="dense",
        record=("features",),
    )  # fmt: skip
    norms = run.features[:, 0, -1, 0, 0]
    return np.log(norms[norms > 0])


def moments(logs: Float[np.ndarray, " n"]) -> tuple[Estimate, Estimate]:
    """Mean and variance with their standard errors."""
    size, centred = len(logs), logs - logs.mean()
    variance = float(centred @ centred) / (size - 1)
    fourth = float(np.mean(centred**4))
    return (
        Estimate(float(logs.mean()), sqrt(variance / size), size, "dense", exact=True),
        Estimate(variance, sqrt((fourth - variance**2) / size), size, "dense", exact=True),
    )


def kolmogorov(logs: Float[np.ndarray, " n"], mean: float, variance: float) -> float:
    """Largest distance of their distribution function from the normal one."""
    order = np.sort(logs)
    normal = np.array([0.5 + 0.5 * erf((z - mean) / sqrt(2.0 * variance)) for z in order])
    above = np.arange(1, len(order) + 1) / len(order) - normal
    return float(np.maximum(above, 1.0 / len(order) - above).max())


def reproduce(*, quick: bool, seed: int, progress: Progress | None) -> Reproduction:
    """See `finitewidth.reproduce.reproduce`."""
    nets, growing = (NETS[:3], GROWING[:3]) if quick else (NETS, GROWING)
    steps = Steps(progress, len(nets) + len(growing))
    means, variances = [], []
    for net in nets:
        found = moments(drawn(net, 1_000 if quick else 20_000, seed))
        mean, variance = exact(net)
        means.append(Quantity(label(net), -2.5 * net.beta, exact=mean, simulated=found[0]))
        variances.append(Quantity(label(net), 5.0 * net.beta, exact=variance, simulated=found[1]))
        steps.done()
    distances: list[tuple[str, float, float, float, float]] = []
    logs = np.zeros(1)
    for width in growing:
        net = MLP.equal_width(4, width, round(BETA * width))
        logs = drawn(net, 1_000 if quick else 20_000, seed)
        mean, variance = exact(net)
        distances.append(
            (
                label(net),
                kolmogorov(logs, -2.5 * net.beta, 5.0 * net.beta),
                kolmogorov(logs, mean, variance),
                0.8687 / sqrt(len(logs)),
                1.95 / sqrt(len(logs)),
            )
        )
        steps.done()
    comparisons = [
        Comparison(
            "mean",
            "Mean of the log norm",
            "Published: −(5/2) β at leading order; the next order is Σ 1/n². Exact: sums of the "
            "digamma function.",
            means,
        ),
        Comparison("variance", "Variance of the log norm", "Published: 5 β.", variances),
    ]
    return Reproduction(
        "log-norm",
        "Hanin & Nica (2018): the log norm of a layer is nearly Gaussian",
        "B. Hanin, M. Nica, Products of many large random matrices and gradients in deep neural "
        "networks, arXiv 1812.05994",
        "ReLU, Gaussian weights of variance 2/n, biases zero. The log norm is "
        "ln(|x^(d−1)|²/n_(d−1)) − ln(|x|²/n_0), over networks without a dead layer; no derivative "
        "is taken, so that no parametrization enters.",
        [
            (
                "Mean and variance tend to −(5/2) β and 5 β, and at fixed β the law comes closer "
                "to the normal one as the network grows."
            ),
        ],
        [
            *(one.table() for one in comparisons),
            Table(
                f"Distance from the normal law at β = {BETA:g}",
                [
                    Column("network", meaning="n_0-…-n_d"),
                    Column("published", meaning="from Normal(−5β/2, 5β)"),
                    Column("moments", meaning="from the normal law of the exact mean and variance"),
                    Column("by chance", meaning="mean distance of as many normal numbers"),
                    Column("at most", meaning="what normal numbers exceed once in a thousand"),
                ],
                distances,
                "Kolmogorov's distance: the largest difference of the distribution functions.",
            ),
        ],
        [_figure(logs, growing[-1])],
        {**all_numbers(comparisons), **_distance_numbers(distances)},
        seed,
        main=3,
    )


def _distance_numbers(
    distances: list[tuple[str, float, float, float, float]],
) -> dict[str, Number]:
    return {f"distance, {name}": published for name, published, *_ in distances}


def _figure(logs: Float[np.ndarray, " n"], width: int) -> Plot:
    """The density of the widest network's log norm."""
    mean, variance = -2.5 * BETA, 5.0 * BETA
    edges = np.linspace(mean - 3.5 * sqrt(variance), mean + 3.5 * sqrt(variance), 29)
    counts, _ = np.histogram(logs, edges)
    share = counts / (len(logs) * np.diff(edges))
    errors = np.sqrt(np.maximum(counts, 1)) / (len(logs) * np.diff(edges))
    fine = np.linspace(edges[0], edges[-1], 120)
    normal = [exp(-((z - mean) ** 2) / (2 * variance)) / sqrt(2 * pi * variance) for z in fine]
    layers = round(BETA * width)
    return Plot(
        title="Density of the log norm",
        sentence=(
            f"{layers} hidden layers of width {width}, β = {BETA:g}: the published normal law, and "
            f"{len(logs)} networks drawn at random with one standard error a bin."
        ),
        x_label="ln(|x^(d−1)|²/n) − ln(|x|²/n_0)",
        y_label="density",
        series=[
            Curve("Normal(−5β/2, 5β)", fine, normal),
            Points("simulated", (edges[1:] + edges[:-1]) / 2, share, errors),
        ],
        from_zero=True,
    )
