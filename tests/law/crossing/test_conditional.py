"""Conditional Monte Carlo: against the closed form, published values, and its own error bars."""

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.law.crossing import conditional as module
from finitewidth.law.crossing.conditional import BLOCK, conditional
from finitewidth.law.crossing.leading import leading
from finitewidth.law.crossing.one_hidden import one_hidden

RELU = fw.MLP.equal_width(10, 30, 3)


def equal(a, b) -> bool:
    return all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for name in ("value", "std_error", "layers", "heaviest", "size")
    )


ONE = {
    "relu": ({}, 0.0),
    "relu, target": ({}, 1.0),
    "leaky": ({"activation": "leaky_relu", "negative_slope": 0.3}, 0.0),
    "leaky, target": (
        {"activation": "leaky_relu", "negative_slope": -0.5, "hidden_gain": 1.7},
        0.7,
    ),
    "standard": ({"parametrization": "standard", "bias_lr": 0.4, "output_gain": 2.0}, 0.2),
    "no biases": ({"bias": False}, 0.0),
}


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("width", [2, 60])
def test_one_hidden_layer_against_the_closed_form(name, width):
    """12 comparisons at |z| < 5.4: false alarm below 1e-6."""
    fields, target = ONE[name]
    net = fw.MLP(10, [width], **fields)
    found = conditional(net, 10.0, target, 100_000, 4)
    z = (found.value[0] - one_hidden(net, 10.0, target)) / found.std_error[0]
    assert abs(z) < 5.4


# Independent conditional Monte Carlo with vectors of length n, value and standard error; last t.
PUBLISHED = {
    "2 of 10": (fw.MLP(10, [10] * 2), -2.4548, 0.0009, 0.0),
    "2 of 30": (fw.MLP(10, [30] * 2), -1.4524, 0.0045, 0.0),
    "2 of 100": (fw.MLP(10, [100] * 2), -0.7968, 0.0047, 0.0),
    "2 of 400": (fw.MLP(10, [400] * 2), -0.3971, 0.0008, 0.0),
    "3 of 10": (fw.MLP(10, [10] * 3), -8.230, 0.016, 0.0),
    "3 of 30": (fw.MLP(10, [30] * 3), -4.515, 0.018, 0.0),
    "3 of 100": (fw.MLP(10, [100] * 3), -2.439, 0.016, 0.0),
    "3 of 400": (fw.MLP(10, [400] * 3), -1.2001, 0.0039, 0.0),
    "5 of 30": (fw.MLP(10, [30] * 5), -22.47, 0.15, 0.0),
    "5 of 100": (fw.MLP(10, [100] * 5), -11.24, 0.10, 0.0),
    "5 of 400": (fw.MLP(10, [400] * 5), -5.473, 0.031, 0.0),
    "8 of 200": (fw.MLP(10, [200] * 8), -35.9, 0.4, 0.0),
    "unequal": (fw.MLP(10, [20, 60, 30]), -4.235, 0.021, 0.0),
    "target 1": (fw.MLP(10, [30] * 2), -2.1715, 0.0072, 1.0),
    "leaky": (fw.MLP(10, [30] * 2, "leaky_relu", 0.3, hidden_gain=1.8), -0.8292, 0.0032, 0.0),
    "negative slope": (fw.MLP(10, [30] * 3, "leaky_relu", -0.5), -11.508, 0.067, 0.0),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_values(name):
    """16 comparisons at |z| < 5.5: false alarm below 1e-6."""
    net, value, error, target = PUBLISHED[name]
    found = conditional(net, 10.0, target, 200_000, 8)
    z = (found.value[0] - value) / np.hypot(found.std_error[0], error)
    assert abs(z) < 5.5
    assert found.std_error[0] < 0.009 * abs(value)


def test_a_wrong_density_is_noticed():
    net, value, error, _ = PUBLISHED["3 of 30"]
    found = conditional(net, 11.0, 0.0, 200_000, 8)
    assert abs(found.value[0] - value) > 9.6 * np.hypot(found.std_error[0], error)


@pytest.mark.parametrize("target", [0.0, 0.6])
def test_the_standard_error_is_the_spread_over_seeds(target):
    """400 seeds: the ratio of the spread to the error has a deviation of 4 %; 20 % is 5 of them."""
    net = fw.MLP(10, [20, 16])
    found = [conditional(net, 10.0, target, 1000, seed, 1) for seed in range(400)]
    values = np.array([one.value for one in found])
    errors = np.array([one.std_error for one in found])
    ratio = values.std(axis=0) / np.sqrt((errors**2).mean(axis=0))
    assert (np.abs(ratio - 1)[:2] < 0.2).all()
    # and the controls leave no bias: the mean of all is that of one large sample
    large = conditional(net, 10.0, target, 400_000, 1000)
    z = (values.mean(axis=0) - large.value) / np.hypot(values.std(axis=0) / 20, large.std_error)
    assert np.abs(z).max() < 5.1


def test_the_controls_help_and_do_not_move_the_value(monkeypatch):
    with_controls = conditional(RELU, 10.0, 0.5, 50_000, 3)
    monkeypatch.setattr(
        module,
        "_controlled",
        lambda p, _: (
            p[0, 3:] / p[0, 0],
            np.sqrt((np.diag(p)[3:] / p[0, 0] - (p[0, 3:] / p[0, 0]) ** 2) / p[0, 0]),
        ),
    )
    without = conditional(RELU, 10.0, 0.5, 50_000, 3)
    assert (with_controls.std_error < 0.8 * without.std_error)[:2].all()
    z = (with_controls.value - without.value) / without.std_error
    assert np.abs(z).max() < 5.1


def test_the_layers_sum_to_the_mean():
    wide = fw.MLP.equal_width(10, 3000, 3)
    found = conditional(wide, 10.0, 0.0, 400_000, 3)
    assert found.layers.shape == (3,)
    assert found.layers.sum() == pytest.approx(found.value[0], rel=0.02)
    np.testing.assert_allclose(-found.layers, np.exp(leading(wide, 10.0, 0.0).terms), rtol=0.04)


def test_numbers_depend_on_the_seed_alone():
    size = 5 * BLOCK + 7
    first = conditional(RELU, 10.0, 0.5, size, 1, workers=1)
    assert equal(conditional(RELU, 10.0, 0.5, size, 1, workers=3), first)
    assert not equal(conditional(RELU, 10.0, 0.5, size, 2, workers=1), first)
    done = []
    told = conditional(
        RELU, 10.0, 0.5, size, 1, workers=2, progress=lambda now, all_: done.append((now, all_))
    )
    assert equal(told, first)
    assert done == [(min(k * BLOCK, size), size) for k in range(1, 7)]


def test_a_sample_is_made_of_its_blocks():
    """Block b holds the same networks in every sample: two blocks are the sum of each."""
    both = conditional(RELU, 10.0, 0.0, 2 * BLOCK, 1).layers
    first = conditional(RELU, 10.0, 0.0, BLOCK, 1).layers
    assert not np.array_equal(both, first)
    assert np.abs(both - first).max() < 0.2 * np.abs(first).max()


@pytest.mark.parametrize("workers", [0, 1025])
def test_workers_out_of_range(workers):
    with pytest.raises(ValueError, match="from 1 to 1024"):
        conditional(RELU, 10.0, 0.0, 100, 1, workers=workers)


def test_numbers_outside_a_double_are_refused():
    net = fw.MLP.equal_width(10, 30, 700, hidden_gain=8.0)
    with pytest.raises(ValueError, match="leaves the range of a double"):
        conditional(net, 10.0, 0.0, 100, 1)


def test_the_leading_form_is_the_limit_with_a_relative_error_of_order_one_over_n():
    """Four widths: the gap to the leading form falls like 1/n; slope within 5 errors."""
    widths, size = np.array([20, 40, 80, 160]), 1_000_000
    gaps, errors = [], []
    for n in widths:
        net = fw.MLP.equal_width(10, int(n), 4)
        found = conditional(net, 10.0, 0.0, size, 6)
        wide = -np.exp(leading(net, 10.0, 0.0).total)
        gaps.append(found.value[0] / wide - 1)
        errors.append(found.std_error[0] / abs(wide))
    gaps, errors = np.array(gaps), np.array(errors)
    # gap = c/n + c'/n², fitted; without the 1/n² term the narrowest widths would decide
    design = np.stack([1 / widths, 1 / widths**2], axis=1)
    inverse = np.linalg.inv(design.T @ (design / errors[:, None] ** 2))
    fit = inverse @ design.T @ (gaps / errors**2)
    left = (gaps - design @ fit) / errors
    assert (left**2).sum() < 30  # χ² with 2 degrees of freedom: 3e-7
    assert 0.5 < fit[0] / 4 < 0.7
    assert fit[0] > 9.6 * inverse[0, 0] ** 0.5
    # a form that missed a constant factor of 1 % would not tend to 0
    assert (((gaps + 0.01 - design @ fit) / errors) ** 2).sum() > 100
