"""``python -m benchmarks.evidence_crossing [PART …]``: tables of docs/guide/crossing.md.

Everything a run is made of (settings, seeds, sizes, learning rates, the degree of the
extrapolation) is fixed here; a run that fails is a row like every other.
"""

import sys

import numpy as np

import finitewidth as fw
from tests.confront.smoothed import predicted, simulate
from tests.law.crossing.steps import Contest, contest, extrapolate

STEPS, DEGREE, SEED, NETWORKS = np.array([0.05, 0.1, 0.2, 0.4]), 2, 21, 200_000
"""Learning rates in units of 1/E K, degree of the extrapolation to 0, seeds and size."""

LEAKY = {"activation": "leaky_relu", "negative_slope": 0.3, "hidden_gain": 1.8}
NEGATIVE = {"activation": "leaky_relu", "negative_slope": -0.5}
SETTINGS = {
    "10-30": (fw.MLP(10, [30]), 0.0, 1_500_000),
    "10-100, t = 1": (fw.MLP(10, [100]), 1.0, 400_000),
    "10-30-30, t = 1": (fw.MLP(10, [30, 30]), 1.0, 800_000),
    "10-30-30, slope .3, gain 1.8": (fw.MLP(10, [30, 30], **LEAKY), 0.0, 600_000),
    "10-20-60-30": (fw.MLP(10, [20, 60, 30]), 0.0, 300_000),
    "10-40-40-40": (fw.MLP(10, [40] * 3), 0.0, 250_000),
    "10-30-30-30, slope −.5, t = .7": (fw.MLP(10, [30] * 3, **NEGATIVE), 0.7, 300_000),
    "10-30-24, standard, bias rate .5, output gain .5": (
        fw.MLP(10, [30, 24], parametrization="standard", bias_lr=0.5, output_gain=0.5),
        0.0,
        600_000,
    ),
    "10-40-20, no biases, output gain 2, t = −1": (
        fw.MLP(10, [40, 20], bias=False, output_gain=2.0),
        -1.0,
        500_000,
    ),
    "10-30-30, absolute value, gain 1": (
        fw.MLP(10, [30, 30], "abs", hidden_gain=1.0),
        0.0,
        500_000,
    ),
    "10-100 × 5": (fw.MLP(10, [100] * 5), 0.0, 15_000),
    "10-10-10-10 (rates beyond the range)": (fw.MLP(10, [10] * 3), 0.0, 400_000),
    "10-10-10-10 (twice these rates)": (fw.MLP(10, [10] * 3), 0.0, 3_000_000),
}
TWICE = "10-10-10-10 (twice these rates)"
"""Far beyond the range on purpose: here the extrapolation is expected to fail."""


def table(head: str, rows: object) -> None:
    """Print a Markdown table, row by row as they come."""
    names = head.split(" | ")
    print("| " + " | ".join(names) + " |", "|" + " --- |" * len(names), sep="\n")
    for row in rows:  # type: ignore[attr-defined]
        print("| " + " | ".join(row) + " |", flush=True)
    print()


def shown(value: float, error: float) -> str:
    """1.283(4)."""
    return str(fw.Estimate(value, error, NETWORKS, ""))


def compared(seen: Contest, what: str, rates: np.ndarray, want: fw.Estimate) -> list[str]:
    """Formula, extrapolated steps, z and χ² of the fit."""
    means, covariance = getattr(seen, what)[:, 0], getattr(seen, f"{what}_error")[0]
    value, error, chi = extrapolate(means, covariance, rates, DEGREE)
    exact, spread = float(want.value) / rates[0], float(want.std_error) / rates[0]
    said = f"{exact:.5g}" if spread == 0 else shown(exact, spread)
    return [
        said,
        shown(value, error),
        f"{(value - exact) / np.hypot(error, spread):.2f}",
        f"{chi:.1f}",
    ]


def steps() -> None:
    """Real steps of dense networks against the formula."""

    def rows():
        for name, (net, target, size) in SETTINGS.items():
            x = np.ones((1, 10))
            law = fw.KernelLaw(net, x[0])
            rates = STEPS / law.mean() * (2.0 if name == TWICE else 1.0)
            seen = contest(net, x, np.array([target]), np.ones(1), rates, size, SEED)
            term = law.crossing_mean(rates[0], target, method="conditional", size=NETWORKS, seed=3)
            step = law.step_mean(rates[0], target, size=NETWORKS, seed=3)
            crossing, total = (
                compared(seen, what, rates, want)
                for what, want in (("crossing", term), ("total", step))
            )
            inside = sum(rates <= term.largest_rate)
            yield [name, f"{size:,}", *crossing, *total[:3], f"{inside} of 4"]

    table(
        "network, target | networks | crossing term: formula | steps | z | χ² | whole mean: formula"
        " | steps | z | rates in range",
        rows(),
    )


EPSILONS, RATES = (0.0, 0.01, 0.03, 0.1), (0.03, 0.1, 0.3)


def smooth() -> None:
    """ReLU smoothed over ε, against the step's size."""

    def rows():
        for epsilon in EPSILONS:
            seen = simulate(epsilon, RATES, 100, 600_000, 1)
            cells = []
            for value, error, rate in zip(seen.excess, seen.excess_error, RATES, strict=True):
                want = predicted(epsilon, rate, 100) if epsilon else RELU
                cells += [shown(value, error), f"{want:.4f}"]
            slope = shown(seen.derivative, seen.derivative_error)
            yield [f"{epsilon:g}", *cells, slope]

    RELU = fw.KernelLaw(fw.MLP(10, [100])).crossing_mean().value
    heads = " | ".join(f"η = {rate:g} | theory" for rate in RATES)
    table(f"ε | {heads} | dK/dη at 0", rows())


def widths() -> None:
    """Conditional over leading, and local exponents in the width."""

    def term(width: int, hidden: int) -> fw.Estimate:
        net = fw.MLP.equal_width(10, width, hidden)
        method = "closed" if hidden == 1 else "conditional"
        return fw.KernelLaw(net).crossing_mean(1e-6, method=method, size=400_000, seed=5)

    def rows():
        for hidden in (1, 2, 3, 5, 8):
            cells, last = [], None
            for width in (25, 50, 100, 200, 400, 800):
                found = term(width, hidden)
                law = fw.KernelLaw(fw.MLP.equal_width(10, width, hidden))
                guide = law.crossing_mean(1e-6, method="leading").value
                ratio, error = found.value / guide, found.std_error / abs(guide)
                said = f"{ratio:.4f}" if error == 0 else shown(ratio, error)
                cells.append(said + ("" if "% of the mean" not in found.note else " (heavy)"))
                if width == 100:
                    last = found
            assert last is not None
            end = term(400, hidden)
            slope = np.log(end.value / last.value) / np.log(4.0)
            error = np.hypot(end.std_error / end.value, last.std_error / last.value) / np.log(4.0)
            yield [str(hidden), *cells, f"{slope:.4f}" if error == 0 else shown(slope, error)]

    table("hidden layers | n = 25 | 50 | 100 | 200 | 400 | 800 | exponent, 100 to 400", rows())


def depths() -> None:
    """Growth with the depth L of the leading term and of its ratio to the frozen mean."""

    def rows():
        wide = 10**9
        for hidden in (1, 2, 5, 10, 50, 200, 1000):
            law, more = (
                fw.KernelLaw(fw.MLP.equal_width(10, wide, size)) for size in (hidden, hidden + 1)
            )
            one, two = (-each.crossing_mean(1e-6, method="leading").value for each in (law, more))
            unit = 9.0 / (2.0 * np.pi**1.5 * wide**0.5) * 1e-6
            ratio = one / -law.update_mean(1e-6)
            slope = np.log(two / one) / np.log1p(1.0 / hidden)
            yield [
                str(hidden),
                f"{one * wide**0.5 / 1e-6:.5g}",
                f"{one / unit / hidden**3.5:.4f}",
                f"{slope:.3f}",
                f"{ratio / (wide * hidden) ** 0.5:.4f}",
            ]

    table("hidden layers L | √n · term | ΣA/L^(7/2) | local exponent in L | ratio/√(nL)", rows())


def held_out() -> None:
    """Kernel entries of trained and held-out inputs over four widths."""
    x = np.random.default_rng(8).standard_normal((3, 4))
    y, shares = np.array([0.5, -0.3, 0.0]), np.array([0.5, 0.5, 0.0])
    sizes = {30: 400_000, 60: 300_000, 120: 200_000, 240: 100_000}
    names = ("trained: K_00", "trained: K_11", "held out: K_22")
    seen, exact = {}, {}
    for width, size in sizes.items():
        net = fw.MLP(4, [width])
        rates = STEPS / fw.KernelLaw(net, x[0]).mean()
        steps_seen = contest(net, x, y, shares, rates, size, 3)
        want = fw.law.crossing_matrix(net, x, y, shares, size=NETWORKS, seed=4)
        for e, entry, name in zip((0, 3, 5), range(3), names, strict=True):
            value, error, _ = extrapolate(
                steps_seen.crossing[:, e], steps_seen.crossing_error[e], rates, DEGREE
            )
            seen[name, width] = value, error
            exact[name, width] = want.value[entry, entry], want.std_error[entry, entry]

    def exponent(found: dict, name: str) -> str:
        logs = np.log(list(sizes))
        pairs = np.array([found[name, width] for width in sizes])
        weight = (pairs[:, 0] / pairs[:, 1]) ** 2
        centred = logs - np.average(logs, weights=weight)
        information = float((weight * centred**2).sum())
        slope = float((weight * centred * np.log(np.abs(pairs[:, 0]))).sum()) / information
        return shown(slope, information**-0.5)

    def rows():
        for name in names:
            for found, how in ((exact, "formula"), (seen, "steps")):
                cells = [shown(*found[name, width]) for width in sizes]
                yield [name, how, *cells, exponent(found, name)]

    table(" | ".join(["entry", "from", *map(str, sizes), "exponent"]), rows())


PARTS = {
    "steps": steps,
    "smooth": smooth,
    "widths": widths,
    "depths": depths,
    "held_out": held_out,
}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        if part not in PARTS:
            sys.exit(f"{part!r} is no part, expected some of {', '.join(PARTS)}.")
        PARTS[part]()
