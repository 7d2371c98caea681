"""Real steps of dense networks against the crossing term, the whole mean and the variance.

Learning rates η/E K with η = .05, .1, .2, .4, the same networks at each, and a quadratic
extrapolation to 0: all fixed before the first run. z is over both standard errors.
"""

import numpy as np
import pytest

import finitewidth as fw
from tests.law.crossing.steps import contest, extrapolate

STEPS, DEGREE = np.array([0.05, 0.1, 0.2, 0.4]), 2
X = np.ones((1, 10))
LEAKY, NEGATIVE = (
    {"activation": "leaky_relu", "negative_slope": 0.3, "hidden_gain": 1.8},
    {"activation": "leaky_relu", "negative_slope": -0.5},
)
# network, target, networks
SETTINGS = {
    "1 of 30": (fw.MLP(10, [30]), 0.0, 1_500_000),
    "1 of 100, target": (fw.MLP(10, [100]), 1.0, 400_000),
    "2 of 30, target": (fw.MLP(10, [30, 30]), 1.0, 800_000),
    "3 of 40": (fw.MLP(10, [40] * 3), 0.0, 250_000),
    "2 of 30, leaky": (fw.MLP(10, [30, 30], **LEAKY), 0.0, 600_000),
    "3 of 30, negative slope, target": (fw.MLP(10, [30] * 3, **NEGATIVE), 0.7, 300_000),
    "unequal": (fw.MLP(10, [20, 60, 30]), 0.0, 300_000),
    "standard": (
        fw.MLP(10, [30, 24], parametrization="standard", bias_lr=0.5, output_gain=0.5),
        0.0,
        600_000,
    ),
    "no biases, target": (fw.MLP(10, [40, 20], bias=False, output_gain=2.0), -1.0, 500_000),
    "absolute value": (fw.MLP(10, [30, 30], "abs", hidden_gain=1.0), 0.0, 500_000),
    "5 of 100": (fw.MLP(10, [100] * 5), 0.0, 15_000),
}


def compare(net, target, size, seed=21):
    """z of the crossing term, of the whole mean; the contest and the rates."""
    law = fw.KernelLaw(net, X[0])
    rates = STEPS / law.mean()
    seen = contest(net, X, np.array([target]), np.ones(1), rates, size, seed)
    unit = rates[0]
    term = law.crossing_mean(unit, target, size=200_000, seed=3)
    step = law.step_mean(unit, target, size=200_000, seed=3)
    found = []
    for values, errors, want in (
        (seen.crossing, seen.crossing_error, term),
        (seen.total, seen.total_error, step),
    ):
        value, error, _ = extrapolate(values[:, 0], errors[0], rates, DEGREE)
        spread = np.hypot(error, want.std_error / unit)
        found.append((value - want.value / unit, spread, want.value / unit))
    return law, seen, rates, found


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_real_steps(name):
    """22 comparisons at |z| < 5.6: false alarm below 1e-6."""
    law, seen, rates, found = compare(*SETTINGS[name])
    for gap, spread, want in found:
        print(f"{name}: {want:.4f} {gap:+.4f} z = {gap / spread:.2f}")  # noqa: T201
        assert abs(gap) < 5.6 * spread
    # without the crossing term the mean is far off
    assert abs(found[0][2]) > 9.6 * found[1][1] or name == "5 of 100"
    # the number of crossings at the smallest rate, to 5 of its Poisson errors
    size, target = SETTINGS[name][2], SETTINGS[name][1]
    crossings = float(law.crossings(rates[0], target, size=200_000).value)
    assert abs(seen.crossed[0] - crossings) < 0.02 * crossings + 5 * (2 * crossings / size) ** 0.5


def test_a_real_step_of_one_hidden_layer():
    """2 comparisons at |z| < 5.1; the frozen mean alone is rejected."""
    _, _, _, found = compare(fw.MLP(10, [20]), 0.0, 400_000)
    for gap, spread, _ in found:
        assert abs(gap) < 5.1 * spread
    assert abs(found[0][2]) > 9.6 * found[1][1]


def test_a_real_step_of_two_hidden_layers_with_a_target():
    _, _, _, found = compare(fw.MLP(10, [20, 20]), 1.0, 150_000)
    for gap, spread, _ in found:
        assert abs(gap) < 5.1 * spread
    assert abs(found[0][2]) > 9.6 * found[1][1]


@pytest.mark.parametrize(
    ("net", "target", "size"),
    [(fw.MLP(10, [100]), 0.0, 100_000), (fw.MLP(10, [60, 60]), 1.0, 25_000)],
    ids=["1 of 100", "2 of 60, target"],
)
def test_the_variance_of_a_real_step(net, target, size):
    """Within 5.1 errors and the 1/√n that the leading order leaves; each part is needed."""
    law = fw.KernelLaw(net, X[0])
    rates = STEPS / law.mean()
    seen = contest(net, X, np.array([target]), np.ones(1), rates, size, 5)
    slack = 0.5 / net.widths[0] ** 0.5
    for rate, (value, error) in zip(rates, seen.square, strict=True):
        found = law.step_variance(rate, target)
        want = found.value / rate**2
        assert abs(value - want) < 5.1 * error + slack * (want - found.jumps / rate**2)
        assert found.value == pytest.approx(
            found.jumps + found.drift + found.frozen + found.shared, rel=1e-12
        )
    # the frozen variance alone, or the jumps alone, miss by far
    value, error = seen.square[-1]
    last = law.step_variance(rates[-1], target)
    assert value - last.frozen / rates[-1] ** 2 > 9.6 * error
    assert value - last.jumps / rates[-1] ** 2 > 9.6 * error


@pytest.mark.slow
def test_a_batch_with_a_held_out_input():
    """4-30-1 and 4-24-24-1, three inputs; 12 entries at |z| < 5.4."""
    x = np.random.default_rng(8).standard_normal((3, 4))
    y, shares = np.array([0.5, -0.3, 0.0]), np.array([0.5, 0.5, 0.0])
    for widths, size in (([30], 1_500_000), ([24, 24], 500_000)):
        net = fw.MLP(4, widths)
        rates = STEPS / fw.KernelLaw(net, x[0]).mean()
        seen = contest(net, x, y, shares, rates, size, 3)
        want = fw.law.crossing_matrix(net, x, y, shares, size=200_000, seed=4)
        upper = np.triu_indices(3)
        for e, (value, error) in enumerate(
            zip(want.value[upper], want.std_error[upper], strict=True)
        ):
            found, spread, _ = extrapolate(seen.crossing[:, e], seen.crossing_error[e], rates, 2)
            z = (found - value) / np.hypot(spread, error)
            print(f"{widths} entry {e}: {value:.4f}({error:.4f}) {found:.4f}({spread:.4f}) {z:.2f}")  # noqa: T201
            assert abs(z) < 5.4
