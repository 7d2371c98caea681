"""`crossing_matrix`: one input against the pass, two inputs at large width, held-out inputs."""

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.law import crossing_matrix
from finitewidth.law.crossing import several
from finitewidth.law.crossing.conditional import conditional
from finitewidth.law.crossing.pair import output_covariance

rng = np.random.default_rng(3)
X = rng.standard_normal((3, 4))
Y, SHARES = [0.5, -0.3, 0.0], [0.5, 0.5, 0.0]

SINGLE = {
    "relu": (fw.MLP(4, [20, 24]), 0.5),
    "leaky": (fw.MLP(4, [9, 7, 8], "leaky_relu", -0.4), 0.0),
    "leaky, target": (fw.MLP(4, [9, 7], "leaky_relu", 0.3, hidden_gain=1.8), 0.8),
    "standard": (
        fw.MLP(4, [20, 16], parametrization="standard", bias_lr=0.5, output_gain=0.7),
        0.6,
    ),
    "no biases": (fw.MLP(4, [6, 5], bias=False), 0.0),
}


@pytest.mark.parametrize("name", SINGLE)
def test_one_input_agrees_with_the_sweep(name):
    """Two derivations and two samplers; 5 comparisons at |z| < 5.3."""
    net, target = SINGLE[name]
    found = crossing_matrix(net, X[:1], [target], size=60_000, seed=5)
    want = conditional(net, float(X[0] @ X[0]), target, 400_000, 5)
    assert found.value.shape == (1, 1)
    z = (found.value[0, 0] - want.value[0]) / np.hypot(found.std_error[0, 0], want.std_error[0])
    assert abs(z) < 5.3


def test_a_forgotten_own_part_is_noticed(monkeypatch):
    """The speed without the part that the neuron itself adds when it is on."""
    real = several._jumps

    def wrong(overlap, velocity, outgoing, errors, at):
        return real(overlap, 0.5 * velocity, outgoing, errors, at)

    monkeypatch.setattr(several, "_jumps", wrong)
    net, target = SINGLE["leaky"]
    found = crossing_matrix(net, X[:1], [target], size=60_000, seed=5)
    want = conditional(net, float(X[0] @ X[0]), target, 400_000, 5)
    assert abs(found.value[0, 0] - want.value[0]) > 9.6 * found.std_error[0, 0]


def test_the_weight_of_one_input_is_a_learning_rate():
    net = SINGLE["relu"][0]
    one = crossing_matrix(net, X[:1], [0.5], size=2000)
    half = crossing_matrix(net, X[:1], [0.5], [0.5], size=2000)
    small = crossing_matrix(net, X[:1], [0.5], learning_rate=0.5, size=2000)
    np.testing.assert_allclose(half.value, 0.5 * one.value, rtol=1e-12)
    np.testing.assert_allclose(small.value, 0.5 * one.value, rtol=1e-12)
    np.testing.assert_allclose(small.std_error, 0.5 * one.std_error, rtol=1e-12)


@pytest.mark.parametrize("slope", [0.0, 0.4, -0.7])
def test_one_input_of_the_leading_pair_is_the_closed_form_at_large_width(slope):
    net = fw.MLP(4, [10**8], "leaky_relu", slope)
    pair = crossing_matrix(net, X[:1], [0.4], method="leading").value[0, 0]
    law = fw.KernelLaw(net, X[0])
    assert pair == pytest.approx(law.crossing_mean(1.0, 0.4, method="closed").value, rel=1e-7)


@pytest.mark.parametrize("slope", [0.0, 0.4, -0.7])
def test_two_inputs_of_one_hidden_layer_tend_to_the_closed_form(slope):
    """Width 1000; off the diagonal the next order is n^(−1/2), relative to the diagonal here."""
    net, points = fw.MLP(4, [1000], "leaky_relu", slope), np.stack([X[0], X[0] + 0.4 * X[1]])
    want = crossing_matrix(net, points, [2.0, 1.5], SHARES[:2], method="leading").value
    found = crossing_matrix(net, points, [2.0, 1.5], SHARES[:2], size=14_000, seed=2)
    next_order = np.abs(want).max() * 3 / 1000**0.5
    assert (np.abs(found.value - want) < 5.3 * found.std_error + next_order).all()
    assert np.array_equal(found.value, found.value.T)


@pytest.mark.parametrize("slope", [0.0, 0.4, -0.7])
def test_the_means_of_the_leading_pair_by_sampling(slope):
    """The folded normal means drawn; 9 comparisons at |z| < 5.3."""
    net = fw.MLP(4, [50], "leaky_relu", slope)
    y, w, kappa = np.array([0.5, -0.3]), (0.5, 0.8), (2 / 4) * X[:2] @ X[:2].T + 1
    e = np.random.default_rng(1).multivariate_normal(
        -y, output_covariance(net, X[:2] @ X[:2].T), 1_000_000
    )
    side = np.random.default_rng(2).choice([1.0, slope], 1_000_000)
    found = np.zeros((1_000_000, 2, 2))
    for i, k in ((0, 1), (1, 0)):
        rest, own = w[k] * e[:, k] * kappa[i, k] * side, w[i] * e[:, i] * kappa[i, i]
        speed = np.abs(rest + slope * own) - np.abs(rest + own)
        speed *= 50 * 50**-1.5 * np.sqrt(2 / np.pi) / np.sqrt(np.pi * X[i] @ X[i])
        found[:, i, i] += (1 - slope**2) * kappa[i, i] * speed
        found[:, i, k] += (1 - slope) * kappa[i, k] * side * speed
        found[:, k, i] += (1 - slope) * kappa[i, k] * side * speed
    want = crossing_matrix(net, X[:2], y, w, method="leading").value
    assert (np.abs(found.mean(axis=0) - want) < 5.3 * found.std(axis=0) / 1000).all()


def test_the_covariance_of_two_outputs():
    net = fw.MLP(4, [7], "leaky_relu", -0.4, output_gain=1.3)
    drawn = np.random.default_rng(0).standard_normal((4, 400_000)).T @ X.T * np.sqrt(2 / 4)
    act = np.where(drawn > 0, drawn, -0.4 * drawn)
    np.testing.assert_allclose(
        output_covariance(net, X @ X.T), 1.3 * act.T @ act / 400_000, rtol=0.03, atol=0.02
    )


@pytest.mark.slow
def test_held_out_entries_are_of_the_next_order():
    """Four widths: √n × term tends to a constant for trained inputs and to 0 like n^(−1/2) else."""
    widths, sizes = np.array([20, 80, 320, 1280]), [400_000, 100_000, 40_000, 25_000]
    own, held, errors = [], [], []
    for n, size in zip(widths, sizes, strict=True):
        net = fw.MLP(4, [int(n)])
        found = crossing_matrix(net, X, Y, SHARES, size=size, seed=1)
        own.append(found.value[0, 0] * n**0.5)
        held.append(found.value[2, 2] * n)
        errors.append((found.std_error[0, 0] * n**0.5, found.std_error[2, 2] * n))
    errors = np.array(errors)
    # the trained input against its limit, the held-out one against a constant at order 1/n
    want = crossing_matrix(fw.MLP(4, [1]), X[:2], Y[:2], SHARES[:2], method="leading").value[0, 0]
    assert (np.abs(np.array(own) - want) < 5.3 * errors[:, 0] + 3 * abs(want) / widths**0.5).all()
    weights = 1 / errors[:, 1] ** 2
    mean = (held * weights).sum() / weights.sum()
    assert (np.abs(np.array(held) - mean) / errors[:, 1] < 5.3).all()
    # at order n^(−1/2) the last would be 8 times the first
    assert abs(held[-1] - 8 * held[0]) > 4 * np.hypot(errors[-1, 1], 8 * errors[0, 1])


def test_numbers_depend_on_the_seed_alone():
    net = fw.MLP(4, [20, 20])
    first = crossing_matrix(net, X, Y, SHARES, size=600, seed=1, workers=1)
    done = []
    again = crossing_matrix(
        net, X, Y, SHARES, size=600, seed=1, workers=2, progress=lambda a, b: done.append((a, b))
    )
    assert np.array_equal(first.value, again.value)
    assert done[-1] == (3600, 3600)
    assert sorted(done) == done
    assert first.size == 3600
    other = crossing_matrix(net, X, Y, SHARES, size=600, seed=2)
    assert not np.array_equal(first.value, other.value)


@pytest.mark.parametrize(
    ("fields", "arguments", "message"),
    [
        ({}, {"X": [X[0], -2 * X[0]], "y": [0, 0]}, "are parallel"),
        ({}, {"X": [X[0], 0 * X[0]], "y": [0, 0]}, r"X\[1\] is zero"),
        ({}, {"X": X[:, :3]}, r"shape \[3, 3\], expected \[B, 4\]"),
        ({}, {"X": X[0]}, r"shape \[4\]"),
        ({}, {"X": X * np.nan}, "not finite"),
        ({}, {"y": [1.0]}, r"y has shape \[1\], expected \[3\]"),
        ({}, {"weights": [1, 1, -1]}, "at least 0"),
        ({}, {"learning_rate": 0.0}, "above 0"),
        ({}, {"method": "exact"}, "'conditional' or 'leading'"),
        ({}, {"method": "leading"}, "at most two inputs"),
        ({}, {"size": 1}, "at least 2 networks"),
        ({"widths": [12, 30]}, {}, "12 neurons and may be dead at one input"),
        ({"weight_law": "uniform"}, {}, "only simulation covers"),
        ({"activation": "tanh"}, {}, "'tanh'; use fw.simulate.first_step"),
        ({"bias_variance": 0.1}, {}, "bias_variance=0.1"),
        ({"n_out": 2}, {}, "n_out=2"),
        ({"residual": (1.0, 1.0)}, {}, "residual"),
        ({"widths": [10**9, 10**9]}, {}, "use fewer inputs or narrower"),
    ],
)
def test_refusals(fields, arguments, message):
    net = fw.MLP(**({"n_in": 4, "widths": [20, 20]} | fields))
    with pytest.raises(ValueError, match=message) as caught:
        crossing_matrix(net, **({"X": X, "y": Y, "size": 100} | arguments))
    assert "\n" not in str(caught.value)


def test_narrow_layers_that_are_not_below_another_are_fine():
    found = crossing_matrix(fw.MLP(4, [30, 3]), X, Y, SHARES, size=100)
    assert np.isfinite(found.value).all()


def test_no_corner_no_term():
    for net in (fw.MLP(4, [5, 5], "identity"), fw.MLP(4, [])):
        found = crossing_matrix(net, X, Y)
        assert found.exact
        assert not found.value.any()
