"""How far training moves the kernel: n^(−1) for smooth activations, n^(−1/2) with a kink.

Lee et al. (2019) bound the movement by n^(−1/2) for activations with a Lipschitz derivative; Huang
& Yau (2019) find the kernel's derivative of order 1/n for smooth ones. ReLU is in neither: a share
n^(−1/2) of its neurons crosses zero, and each crossing changes the kernel by about 1/n.
"""

from dataclasses import dataclass

import numpy as np

from finitewidth import simulate
from finitewidth._shapes import Float
from finitewidth.estimate import Estimate
from finitewidth.network import MLP
from finitewidth.report import Column, Curve, Plot, Points, Table
from finitewidth.reproduce.compare import Steps
from finitewidth.reproduce.result import Progress, Reproduction

GAINS = {"tanh": 1.0, "relu": 2.0}
NETWORKS = {32: 200, 64: 200, 128: 200, 256: 120, 512: 60, 1024: 40}
"""Drawn at each width."""

INPUTS, N_IN, RATE, STEPS = 8, 10, 0.1, 30


def task() -> tuple[Float[np.ndarray, "8 10"], Float[np.ndarray, " 8"]]:
    """Eight random inputs with |x|² = n_0 and targets ±1, the same in every run."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(INPUTS, N_IN))
    inputs *= np.sqrt(N_IN / (inputs**2).sum(axis=1, keepdims=True))
    return inputs, np.sign(rng.normal(size=INPUTS))


@dataclass(frozen=True)
class Drift:
    """One activation at all widths.

    Attributes
    ----------
    activation : str
    widths : array [W]
    distances : list of Estimate
        E ‖K_T − K_0‖/‖K_0‖.
    left : float
        Largest mean loss left, as a share of that at the start.
    """

    activation: str
    widths: Float[np.ndarray, " W"]
    distances: list[Estimate]
    left: float

    def fit(self) -> tuple[Estimate, Estimate, float]:
        """a and b of a n^(−1/2) + b n^(−1) by weighted least squares, and χ² per degree."""
        values = np.array([float(one.value) for one in self.distances])
        errors = np.array([float(one.std_error) for one in self.distances])
        design = np.stack([self.widths**-0.5, 1.0 / self.widths], axis=1) / errors[:, None]
        covariance = np.linalg.inv(design.T @ design)
        best = covariance @ design.T @ (values / errors)
        rest = values / errors - design @ best
        size = sum(one.size for one in self.distances)
        a, b = (
            Estimate(float(best[k]), float(covariance[k, k]) ** 0.5, size, "weighted fit")
            for k in (0, 1)
        )
        return a, b, float(rest @ rest) / max(len(values) - 2, 1)

    def exponent(self) -> Estimate:
        """Slope of ln distance against ln n over the wider half of the widths."""
        half = slice(len(self.widths) // 2, None)
        logs = np.log(self.widths[half])
        chosen = self.distances[half]
        relative = np.array([float(one.std_error) / float(one.value) for one in chosen])
        weights = relative**-2.0
        centred = logs - weights @ logs / weights.sum()
        values = np.log([float(one.value) for one in chosen])
        spread = float(weights @ centred**2)
        size = sum(one.size for one in chosen)
        return Estimate(
            float((weights * centred) @ values) / spread, spread**-0.5, size, "weighted fit"
        )


def distance(activation: str, width: int, size: int, seed: int) -> tuple[Estimate, float]:
    """E ‖K_T − K_0‖/‖K_0‖ after training, and the share of the loss that is left."""
    net = MLP.equal_width(
        N_IN, width, 3, activation=activation, hidden_gain=GAINS[activation], bias=False
    )
    place = list(GAINS).index(activation)
    own = int(np.random.SeedSequence([seed, place, width]).generate_state(1)[0])
    inputs, targets = task()
    run = simulate.train(
        net, inputs, targets, RATE, STEPS, size=size, seed=own, record=("kernels",)
    )
    last = run.distance[:, -1]
    loss = run.loss.mean(axis=0)
    error = float(last.std(ddof=1)) / size**0.5
    return (
        Estimate(float(last.mean()), error, size, run.method, exact=True),
        float(loss[-1] / loss[0]),
    )


def reproduce(*, quick: bool, seed: int, progress: Progress | None) -> Reproduction:
    """See `finitewidth.reproduce.reproduce`."""
    widths = list(NETWORKS)[:3] if quick else list(NETWORKS)
    steps = Steps(progress, len(GAINS) * len(widths))
    drifts = []
    for activation in GAINS:
        found, left = [], []
        for width in widths:
            size = 10 if quick else NETWORKS[width]
            one, share = distance(activation, width, size, seed)
            found.append(one)
            left.append(share)
            steps.done()
        drifts.append(Drift(activation, np.array(widths, dtype=float), found, max(left)))
    rows, numbers = [], {}
    for drift in drifts:
        a, b, chi = drift.fit()
        power = drift.exponent()
        rows.append((drift.activation, power, a, float(a.z(0.0)), b, chi, drift.left))
        for name, value in (("exponent", power), ("a", a), ("b", b)):
            numbers[f"{drift.activation}, {name}"] = value
        for width, value in zip(widths, drift.distances, strict=True):
            numbers[f"{drift.activation}, n = {width}, distance"] = value
    return Reproduction(
        "kernel-drift",
        "Lee et al. (2019), Huang & Yau (2019): how far training moves the kernel",
        "J. Lee et al., Wide neural networks of any depth evolve as linear models under gradient "
        "descent, NeurIPS 2019; J. Huang, H.-T. Yau, Dynamics of deep neural networks and neural "
        "tangent hierarchy, ICML 2020",
        "Three hidden layers, no biases, ntk parametrization (derivatives with respect to weights "
        f"of unit variance), hidden gain 1 (tanh) and 2 (ReLU), {INPUTS} random inputs with "
        f"|x|² = n_0 and targets ±1, {STEPS} steps of full-batch gradient descent on "
        f"½ Σ (N − y)² at rate {RATE:g}.",
        [
            (
                "With tanh the kernel moves as 1/n: the published bound n^(−1/2) holds and is not "
                "reached, the published order 1/n is. ReLU, which neither statement covers, "
                "reaches n^(−1/2): its neurons cross zero."
            ),
        ],
        [
            Table(
                "‖K_T − K_0‖/‖K_0‖ = a n^(−1/2) + b n^(−1)",
                [
                    "activation",
                    Column("exponent", meaning="slope over the wider half of the widths"),
                    "a",
                    Column("z of a", places=1, meaning="a from 0"),
                    "b",
                    Column("χ²", digits=2, meaning="of the fit, per degree of freedom"),
                    Column("loss left", digits=2, meaning="at most, of that at the start"),
                ],
                rows,
                "Published for smooth activations: exponent at most −½ (Lee et al.), −1 (Huang & "
                f"Yau), so a = 0. Widths {widths[0]} to {widths[-1]}.",
            ),
        ],
        [_figure(drifts)],
        numbers,
        seed,
    )


def _figure(drifts: list[Drift]) -> Plot:
    series: list[Curve | Points] = []
    for drift in drifts:
        a, b, _ = drift.fit()
        curve = float(a.value) * drift.widths**-0.5 + float(b.value) / drift.widths
        series.append(Curve(f"{drift.activation}, fit", drift.widths, curve))
    series += [Points.of(f"{one.activation}, trained", one.widths, one.distances) for one in drifts]
    first = drifts[0]
    start = float(first.distances[0].value)
    series.append(Curve("slope −1", first.widths, 0.6 * start * first.widths[0] / first.widths))
    return Plot(
        title="Movement of the kernel in training against the width",
        sentence=(
            "With tanh it falls as 1/n, with ReLU in wide networks as n^(−1/2). Points are means "
            "over networks, one standard error; curves a n^(−1/2) + b n^(−1)."
        ),
        x_label="width n",
        y_label="‖K_T − K_0‖/‖K_0‖",
        series=series,
        log_x=True,
        log_y=True,
        x_ticks=list(first.widths),
    )
