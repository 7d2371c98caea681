"""The width-free draws against networks with stored matrices, moment by moment."""

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.law.crossing import neurons
from finitewidth.law.crossing.at_zero import draw_at_zero
from tests.law.crossing.dense import events

X = np.array([0.9, -1.3, 0.4])
CASES = {
    "relu, lowest layer": (fw.MLP(3, [6, 5, 4]), 1),
    "relu, middle layer": (fw.MLP(3, [6, 5, 4]), 2),
    "relu, top layer": (fw.MLP(3, [6, 5, 4]), 3),
    "relu, narrow": (fw.MLP(3, [2, 3, 2]), 3),
    "leaky": (fw.MLP(3, [5, 4, 6], "leaky_relu", 0.4, hidden_gain=1.7), 3),
    "leaky, narrow": (fw.MLP(3, [2, 1, 2], "leaky_relu", -0.6), 3),
    "absolute value": (fw.MLP(3, [4, 3], "abs", hidden_gain=1.0), 2),
    "standard": (fw.MLP(3, [5, 6], parametrization="standard", bias_lr=0.3, output_gain=0.5), 2),
    "no biases": (fw.MLP(3, [5, 6], bias=False), 2),
}
SIZE = 150_000
# 9 cases with 12 moments each: |z| < 5.6 leaves a false alarm below 1e-6 x 9 x 12 / 45
BOUND = 5.6


def statistics(output, spread, q, m, outgoing):
    """Bounded functions, so that every mean has a standard error at any width."""
    tame = [np.tanh(v / c) for v, c in ((q, 8.0), (m, 3.0), (outgoing, 0.5), (output, 1.0))]
    squeezed = np.tanh(spread / 10.0)
    a, b, c, n = tame
    products = a * n * n, b * b * a, b * b * c, squeezed * a * c
    return np.stack([a, a * a, b * b, b**4, c, n * n, n**4, squeezed, *products])


def drawn(net, place, seed):
    rng = np.random.default_rng(seed)
    event = draw_at_zero(net, float(X @ X), np.full(SIZE, place), rng)
    with np.errstate(divide="ignore"):
        spread = np.where(event.alive, 1.0 / event.density**2, 0.0)
    found = np.stack([event.output, spread, event.velocity, event.overlap, event.outgoing])
    return found, event.alive


def compare(net, place, seed=1):
    sampled, alive = drawn(net, place, seed)
    dense = np.concatenate(
        [
            np.stack(events(net, X, place, SIZE // 10, np.random.default_rng((seed, part))))
            for part in range(10)
        ],
        axis=1,
    )
    first = statistics(*sampled[:, alive])
    second = statistics(*dense[:, dense[0] != 0.0])
    error = (first.var(axis=1) / first.shape[1] + second.var(axis=1) / second.shape[1]) ** 0.5
    # in the lowest layer q and the density are constants, equal but for rounding
    z = (first.mean(axis=1) - second.mean(axis=1)) / np.maximum(error, 1e-12)
    dead = alive.mean() - (dense[0] != 0).mean()
    return np.append(z, dead / (0.5 / SIZE) ** 0.5)


@pytest.mark.parametrize("case", CASES)
def test_the_sweep_has_the_law_of_stored_matrices(case):
    assert np.abs(compare(*CASES[case])).max() < BOUND


def test_a_forgotten_correlation_is_noticed(monkeypatch):
    """v drawn without its component along δ: m loses its spread in the lower layers."""
    real = neurons.Neurons.through

    def wrong(self, rng, variance, ratio, sensitivity, length, product):
        return real(self, rng, variance, ratio, sensitivity, length, 0.0 * product)

    monkeypatch.setattr(neurons.Neurons, "through", wrong)
    assert np.abs(compare(*CASES["relu, top layer"])).max() > 9.6


def test_a_forgotten_orthogonality_is_noticed(monkeypatch):
    """The row of the neuron at zero left with its component along x."""
    real = neurons._chi_square

    def wrong(rng, degrees):
        return real(rng, degrees + 1)

    monkeypatch.setattr(neurons, "_chi_square", wrong)
    assert np.abs(compare(*CASES["relu, middle layer"])).max() > 9.6
