"""The exact law against networks that are drawn and differentiated one by one.

Each comparison is the mean of a quantity over independent networks, in standard errors of that
mean, against the exact expectation. One threshold for the whole file:

- |z| < 7. At most `COMPARISONS` = 200 are made; normal tails alone would give a false alarm in
  200 · 2.6e-12 = 5e-10 of all seeds. What is left up to 1e-6, a factor 2000, is for skewness:
  the tail of a studentised mean is inflated by exp(|γ| z³/(3 √n)) at skewness γ (Edgeworth), and
  that stays below 2000 if |γ|/√n < 0.066, which every comparison asserts of its sample.
- Moments of deep or narrow networks fail that bound at any affordable size, so the networks here
  are shallow, and a quantity is compared where the bound holds: fourth moments of N and squares of
  ΔK (which goes like N² at t = 0) only in the largest samples.
- A relative error of 7 + 4.75 = 11.8 standard errors is missed at most once in a million. The
  tests state that size for every quantity and assert it (`DETECTS`). Errors of one order in
  1/width are larger: at widths near 20 they change second moments by 10 % and more.

Seeds are fixed, so a pass is a pass for ever; the numbers say how likely it was.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import pytest

import finitewidth as fw

# Run-time checks of shapes and types, several for each network, would take most of the time.
pytestmark = pytest.mark.usefixtures("unchecked")

THRESHOLD, CERTAIN, SKEW = 7.0, 11.8, 0.066
COMPARISONS = 200

X = np.array([1.0, -0.5, 2.0])


@dataclass(frozen=True)
class Comparison:
    """A sample mean against a value: distance and detectable relative error."""

    z: float
    detectable: float
    skew: float


def compare(sample: np.ndarray, value: float) -> Comparison:
    """`skew` is |γ|/√n of the sample."""
    size, mean, spread = len(sample), sample.mean(), sample.std(ddof=1)
    error = spread / np.sqrt(size)
    skewness = ((sample - mean) ** 3).mean() / spread**3
    return Comparison(
        (mean - value) / error, CERTAIN * error / abs(value), abs(skewness) / np.sqrt(size)
    )


def assert_agree(sample: np.ndarray, value: float, detects: float, name: str) -> None:
    found = compare(sample, value)
    assert found.skew < SKEW, (name, found)
    assert found.detectable < detects, (name, found)
    assert abs(found.z) < THRESHOLD, (name, found)


def assert_differ(sample: np.ndarray, value: float, name: str) -> None:
    """A sabotaged value is rejected, with the same threshold."""
    found = compare(sample, value)
    assert found.skew < SKEW, (name, found)
    assert abs(found.z) > THRESHOLD, (name, found)


# -- kernels at initialisation --------------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """One input's numbers in every network."""

    w: np.ndarray
    b: np.ndarray
    n: np.ndarray

    @property
    def k(self) -> np.ndarray:
        return self.w + self.b


Statistic = tuple[Callable[[Sample], np.ndarray], Callable[[fw.KernelLaw], float], float]

# Sample, law, and the relative error that is certainly detected in every case below.
STATISTICS: dict[str, Statistic] = {
    "K_w": (lambda s: s.w, lambda law: law.mean("weights"), 0.02),
    "K_b": (lambda s: s.b, lambda law: law.mean("biases"), 0.02),
    "K": (lambda s: s.k, lambda law: law.mean(), 0.02),
    "K_w²": (lambda s: s.w**2, lambda law: law.moment(2, "weights"), 0.055),
    "K_b²": (lambda s: s.b**2, lambda law: law.moment(2, "biases"), 0.035),
    "K_w K_b": (lambda s: s.w * s.b, lambda law: law.cross_moment(), 0.04),
    "K²": (lambda s: s.k**2, lambda law: law.moment(2), 0.045),
    "K³": (lambda s: s.k**3, lambda law: law.moment(3), 0.06),
    "K⁴": (lambda s: s.k**4, lambda law: law.moment(4), 0.1),
    "N²": (lambda s: s.n**2, lambda law: law.output_moment(2), 0.065),
    "N²K": (lambda s: s.n**2 * s.k, lambda law: law.output_kernel_moment(), 0.08),
    "N⁴": (lambda s: s.n**4, lambda law: law.output_moment(4), 0.12),
}
LIGHT = ("K_w", "K_b", "K", "K_w²", "K_b²", "K_w K_b", "K²", "N²")
MEANS = ("K_w", "K_b", "K")


@dataclass(frozen=True)
class Case:
    """A network, the number of copies, and what is compared."""

    widths: tuple[int, ...]
    size: int
    compared: tuple[str, ...] = LIGHT
    fields: dict = field(default_factory=dict)
    slack: float = 1.0  # how much coarser than in `STATISTICS`

    @property
    def net(self) -> fw.MLP:
        return fw.MLP(n_in=len(X), widths=self.widths, **self.fields)


CASES = {
    "relu, gaussian": Case((30, 20), 200_000, (*LIGHT, "K³", "K⁴", "N²K")),
    "relu, uniform": Case((20, 20), 150_000, (*LIGHT, "K³", "N²K"), {"weight_law": "uniform"}),
    "relu, laplace": Case((40, 20), 200_000, LIGHT, {"weight_law": "laplace"}),
    "relu, student": Case((40,), 100_000, LIGHT, {"weight_law": "student_t:9"}),
    "relu, one layer": Case((60,), 200_000, (*LIGHT, "K³", "K⁴", "N²K", "N⁴")),
    "leaky, gains": Case((25, 20), 150_000, LIGHT, {
        "activation": "leaky_relu", "negative_slope": 0.3, "hidden_gain": 1.7,
        "output_gain": 3.0, "bias_lr": 0.5}),
    "leaky, uniform": Case((15, 15), 150_000, (*LIGHT, "K³", "N²K"), {
        "activation": "leaky_relu", "negative_slope": -0.6, "hidden_gain": 1.5,
        "weight_law": "uniform"}),
    "abs": Case((20, 20), 150_000, (*LIGHT, "K³", "N²K"), {
        "activation": "abs", "hidden_gain": 1.0}),
    "identity, laplace": Case((25, 25), 150_000, LIGHT, {
        "activation": "identity", "hidden_gain": 1.0, "weight_law": "laplace"}),
    "standard": Case((12, 30), 200_000, LIGHT, {
        "parametrization": "standard", "weight_law": "uniform", "output_gain": 2.0}),
    "dead layers": Case((2, 1, 2), 200_000, ("K_b",), slack=4.0),
}  # fmt: skip


@cache
def drawn(name: str) -> Sample:
    case = CASES[name]
    found = fw.simulate.ensemble(case.net, X, case.size, seed=20_000 + list(CASES).index(name))
    return Sample(found.weights[:, 0, 0], found.biases[:, 0, 0], found.outputs[:, 0])


def number_of_comparisons() -> int:
    """Of everything in this file that has to agree."""
    return (
        sum(len(case.compared) for case in CASES.values())
        + 2 * len(UPDATES | LONG_TAILS)
        + 6  # in tests of their own
    )


def test_the_threshold_covers_all_comparisons():
    from scipy.stats import norm

    assert number_of_comparisons() <= COMPARISONS
    tails = COMPARISONS * 2 * norm.sf(THRESHOLD)
    assert tails * np.exp(SKEW * THRESHOLD**3 / 3) < 1e-6
    assert norm.sf(CERTAIN - THRESHOLD) < 1.01e-6


@pytest.mark.parametrize("name", CASES)
def test_moments_of_the_kernel(name):
    """For each quantity the detectable relative error of `STATISTICS`, 2 % to 12 %."""
    case, sample = CASES[name], drawn(name)
    law = fw.KernelLaw(case.net, X)
    for quantity in case.compared:
        draw, exact, detects = STATISTICS[quantity]
        assert_agree(draw(sample), exact(law), case.slack * detects, f"{name}: {quantity}")


def test_another_input():
    """x along one axis, where |x|_4⁴ is largest: with other weights than Gaussian it matters."""
    net, spike = fw.MLP(n_in=3, widths=[10], weight_law="uniform"), np.array([0.0, 3.0, 0.0])
    found = fw.simulate.ensemble(net, spike, 60_000, seed=31)
    sample = found.weights[:, 0, 0] ** 2
    exact = fw.KernelLaw(net, spike).moment(2, "weights")
    assert_agree(sample, exact, 0.05, "K_w² along an axis")
    flat = fw.KernelLaw(net, np.full(3, np.sqrt(3.0)))  # of the same length
    assert_differ(sample, flat.moment(2, "weights"), "the law at another |x|_4⁴")


# -- sabotage: what must be rejected --------------------------------------------------------------


def test_another_weight_law_is_rejected():
    """Uniform networks against the Gaussian law: E K_w² differs by O((μ_4 − 3)/n), here 12 %."""
    sample = drawn("relu, uniform")
    wrong = fw.KernelLaw(replace(CASES["relu, uniform"].net, weight_law="gaussian"), X)
    for quantity in ("K_w²", "K²", "K_w K_b"):
        draw, exact, _ = STATISTICS[quantity]
        assert_differ(draw(sample), exact(wrong), quantity)
    for quantity in MEANS:  # and the first moments do not know the law
        draw, exact, detects = STATISTICS[quantity]
        assert_agree(draw(sample), exact(wrong), detects, quantity)


def test_dead_layers_cannot_be_left_out():
    """E K_b without the probability that all layers below are alive; and as the paper prints it."""
    sample, widths = drawn("dead layers"), CASES["dead layers"].widths
    assert_differ(sample.b, 1 + len(widths) / 2, "alive factor 1")
    assert_differ(drawn("relu, gaussian").b, 3 / 2, "d/2, as printed")


def test_another_parametrization_is_rejected():
    sample = drawn("standard")
    wrong = fw.KernelLaw(replace(CASES["standard"].net, parametrization="ntk"), X)
    for quantity in ("K_w", "K²"):
        draw, exact, _ = STATISTICS[quantity]
        assert_differ(draw(sample), exact(wrong), quantity)


@pytest.mark.parametrize("quantity", ["K_w", "K_b", "K_w²", "K_b²", "K_w K_b", "K²", "K³", "N²K"])
def test_an_error_of_the_stated_size_is_rejected(quantity):
    """By either sign: the exact value off by the relative error that should be detected."""
    sample, law = drawn("relu, gaussian"), fw.KernelLaw(CASES["relu, gaussian"].net, X)
    draw, exact, detects = STATISTICS[quantity]
    for factor in (1 - detects, 1 + detects):
        assert_differ(draw(sample), factor * exact(law), quantity)


# -- the first step, pattern frozen ---------------------------------------------------------------


@dataclass(frozen=True)
class Update:
    """A network, a target, the number of copies, and whether the spread is compared too."""

    widths: tuple[int, ...]
    target: float
    size: int
    spread: bool
    fields: dict = field(default_factory=dict)

    @property
    def net(self) -> fw.MLP:
        return fw.MLP(n_in=len(X), widths=self.widths, **self.fields)


RATE = 0.01
LEAKY = {"activation": "leaky_relu", "negative_slope": 0.3, "hidden_gain": 1.7, "bias_lr": 0.5}
# (ΔK)² goes like N² (gᵀHg)² and t² (gᵀHg)²: products of six and eight weights, with long tails
# that two layers of ReLU make longer. Large targets shorten them, one layer does, slopes do.
UPDATES = {
    "relu, t = 0": Update((30,), 0.0, 200_000, True),
    "relu, t = 4": Update((50,), 4.0, 150_000, True),
    "relu, two layers": Update((30, 20), 0.7, 80_000, False),
    "leaky, uniform": Update((40, 20), 4.0, 200_000, True, LEAKY | {"weight_law": "uniform"}),
    "abs, laplace": Update((50,), 3.0, 150_000, True, {
        "activation": "abs", "hidden_gain": 1.0, "weight_law": "laplace"}),
    "identity": Update((30, 30), 3.0, 100_000, True, {
        "activation": "identity", "hidden_gain": 1.0}),
    "standard": Update((20, 30), 0.7, 60_000, False, {"parametrization": "standard"}),
    "standard, one layer": Update((50,), 4.0, 150_000, True, {
        "parametrization": "standard", "weight_law": "uniform", "output_gain": 2.0}),
}  # fmt: skip
LONG_TAILS = {
    "relu, two layers, t = 4": Update((40, 30), 4.0, 1_000_000, True),
    "standard, two layers": Update((40, 40), 4.0, 800_000, True, {"parametrization": "standard"}),
}


@cache
def moved(name: str) -> np.ndarray:
    """First-order change of K at learning rate RATE."""
    case = (UPDATES | LONG_TAILS)[name]
    found = fw.simulate.first_step(
        case.net, X, np.array([case.target]), RATE, case.size, seed=40_000 + len(name)
    )
    return found.first_order[:, 0, 0]


def assert_update(name: str, case: Update, mean_detects: float, spread_detects: float) -> None:
    sample, law = moved(name), fw.KernelLaw(case.net, X)
    mean = law.update_mean(RATE)
    assert_agree(sample, mean, mean_detects, f"{name}: ΔK")
    assert sample.mean() < -THRESHOLD * sample.std() / np.sqrt(case.size)  # and it is below zero
    if case.spread:  # around the exact mean, so that the mean square is the variance
        variance = law.update_variance(RATE, case.target)
        assert_agree((sample - mean) ** 2, variance, spread_detects, f"{name}: Var ΔK")


@pytest.mark.parametrize("name", UPDATES)
def test_first_order_update(name):
    """E ΔK to 12 %, Var ΔK to 15 %; E ΔK is negative although ΔK is of either sign."""
    assert_update(name, UPDATES[name], 0.12, 0.15)
    if UPDATES[name].target:
        assert (moved(name) > 0).mean() > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG_TAILS)
def test_first_order_update_with_long_tails(name):
    assert_update(name, LONG_TAILS[name], 0.06, 0.12)


def test_small_frozen_steps():
    """(K after − K before)/λ of a step that keeps the slopes, its O(λ) removed by a second step.

    Both steps start from the same networks, so 2 f(λ/2) − f(λ) is taken network by network. What
    is left is O(λ²), and λ|x|² = 5e-3. Detects 15 %.
    """
    net, size = fw.MLP(n_in=3, widths=[40]), 60_000
    found = {}
    for rate in (1e-3, 5e-4):
        step = fw.simulate.first_step(net, X, np.array([0.5]), rate, size, seed=9, pattern="frozen")
        found[rate] = (step.after - step.before)[:, 0, 0] / rate
    sample = 2 * found[5e-4] - found[1e-3]
    mean = fw.KernelLaw(net, X).update_mean()
    assert_agree(sample, mean, 0.15, "frozen step")
    assert_differ(sample, -mean, "the other sign")


def test_the_target_does_not_move_the_mean_but_the_spread():
    """The law at t = 0 against networks trained towards t = 4: E ΔK fits, Var ΔK does not."""
    name = "relu, t = 4"
    sample, law = moved(name), fw.KernelLaw(UPDATES[name].net, X)
    mean = law.update_mean(RATE)
    assert_differ((sample - mean) ** 2, law.update_variance(RATE, 0.0), "target left out")


@pytest.mark.parametrize("name", ["relu, t = 0", "relu, t = 4", "identity"])
def test_an_update_off_by_the_stated_size_is_rejected(name):
    sample, law = moved(name), fw.KernelLaw(UPDATES[name].net, X)
    mean, variance = law.update_mean(RATE), law.update_variance(RATE, UPDATES[name].target)
    for factor in (0.88, 1.12):
        assert_differ(sample, factor * mean, "ΔK")
    for factor in (0.85, 1.15):
        assert_differ((sample - mean) ** 2, factor * variance, "Var ΔK")


def test_the_bias_term_cannot_be_left_out():
    """E ΔK = −2λ (ww + 2 wb): without the biases, or with them once, it is another number."""
    name = "relu, t = 0"
    parts = fw.KernelLaw(UPDATES[name].net, X).update_parts()
    for biases in (0, 1):
        wrong = -2 * RATE * (parts["ww"] + biases * parts["wb"])
        assert_differ(moved(name), wrong, f"wb counted {biases} times")


def test_a_real_step_is_not_the_frozen_one():
    """Neurons pushed through zero change the mean at first order too: the crossing term.

    The kernel jumps when a neuron crosses, and the number of crossings is proportional to the
    learning rate, so the mean change of a real step has a term of order λ n^(−1/2) beside the
    frozen λ/n. At width 128 it is about as large as the frozen change itself.
    """
    net, rate, size = fw.MLP(n_in=3, widths=[128]), 5e-3, 100_000
    real = fw.simulate.first_step(net, X, np.array([0.0]), rate, size, seed=3)
    change = (real.after - real.before)[:, 0, 0]
    frozen = fw.KernelLaw(net, X).update_mean(rate)
    assert real.crossed.mean() > 0.01
    assert_differ(change, frozen, "a real step against the frozen mean")
    assert_agree(real.first_order[:, 0, 0], frozen, 0.1, "the frozen part of it")
