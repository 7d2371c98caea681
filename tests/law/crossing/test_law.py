"""The crossing term on `KernelLaw`: the method that is picked, its notes, and what is refused."""

import math

import numpy as np
import pytest

import finitewidth as fw

SMALL = 1e-3
SENTENCES = [
    ({"weight_law": "uniform"}, {}, "only simulation covers other laws: fw.simulate.first_step"),
    ({"widths": [4, 30]}, {"target": 0.5}, "has 4 neurons"),
    ({"widths": [13, 30]}, {"target": 0.5}, "below the last hidden layer it does not exist"),
    (
        {"widths": [2, 30], "activation": "leaky_relu"},
        {"target": 0.5},
        "has 2 neurons",
    ),
    ({}, {"learning_rate": 0.0}, "learning_rate is 0.0, expected a finite number above 0"),
    ({}, {"learning_rate": math.inf}, "learning_rate is inf"),
    ({}, {"target": math.nan}, "target is nan"),
    ({}, {"method": "exact"}, "expected one of auto, closed, leading, conditional"),
    ({}, {"method": "closed"}, "one hidden layer and this network has 2"),
    ({}, {"method": "conditional", "size": 10}, "at least 64 networks"),
    ({}, {"method": "conditional", "seed": -1}, "seed is -1"),
]


@pytest.mark.parametrize(("fields", "arguments", "message"), SENTENCES)
def test_refusals(fields, arguments, message):
    net = fw.MLP(**({"n_in": 10, "widths": [30, 30]} | fields))
    with pytest.raises(ValueError, match=message) as caught:
        fw.KernelLaw(net).crossing_mean(**arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["step_mean", "step_variance", "crossings"])
def test_the_other_questions_refuse_the_same(name):
    for fields, arguments, message in SENTENCES[:4]:
        net = fw.MLP(**({"n_in": 10, "widths": [30, 30]} | fields))
        with pytest.raises(ValueError, match=message):
            getattr(fw.KernelLaw(net), name)(SMALL, **arguments)


def test_types_are_refused(unchecked):
    law = fw.KernelLaw(fw.MLP(10, [30]))
    for arguments, message in (
        ({"learning_rate": "1"}, "learning_rate is '1', expected a number"),
        ({"target": True}, "target is True, expected a number"),
    ):
        with pytest.raises(TypeError, match=message):
            law.crossing_mean(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("net", "method", "exact"),
    [
        (fw.MLP(10, [30]), "closed", True),
        (fw.MLP(10, [30, 30]), "conditional", True),
        (fw.MLP.equal_width(10, 10_000, 3), "leading", False),
        (fw.MLP.equal_width(10, 100_000, 2000), "leading", False),
    ],
    ids=["one layer", "narrow", "wide", "deep"],
)
def test_what_auto_picks_and_says(net, method, exact):
    found = fw.KernelLaw(net).crossing_mean(1e-9, 0.5)
    assert (found.method, found.exact, found.trusted) == (method, exact, True)
    assert found.note.startswith(f"method {method} (")
    assert found.value < 0
    assert found.layers.sum() == pytest.approx(found.value, rel=0.05)
    assert (found.std_error > 0) == (method == "conditional")


def test_the_rate_beyond_the_linear_range():
    law = fw.KernelLaw(fw.MLP.equal_width(10, 100, 3))
    inside = law.crossing_mean(0.05)
    assert inside.trusted
    assert 0.05 < inside.largest_rate < 0.3
    beyond = law.crossing_mean(1.5 * inside.largest_rate)
    assert not beyond.trusted
    assert f"{inside.largest_rate:.2g}" in beyond.note
    assert beyond.value == pytest.approx(inside.value * 30 * inside.largest_rate, rel=1e-12)
    for name in ("step_mean", "step_variance", "crossings"):
        assert not getattr(law, name)(1.5 * inside.largest_rate).trusted
        assert getattr(law, name)(0.05).trusted


@pytest.mark.parametrize("target", [0.0, 50.0])
def test_a_far_target_shortens_the_range(target):
    law = fw.KernelLaw(fw.MLP(10, [100]))
    want = 0.1 / (3.0 / 10 / math.sqrt(2.0) * math.sqrt(1 + target**2)) * math.exp(-5 / 100)
    assert law.crossing_mean(1e-6, target).largest_rate == pytest.approx(want, rel=1e-9)


def test_the_step_is_the_frozen_change_and_the_crossings():
    law = fw.KernelLaw(fw.MLP(10, [40, 30]))
    for target in (0.0, 0.8):
        step, term = law.step_mean(SMALL, target), law.crossing_mean(SMALL, target)
        assert step.value == pytest.approx(law.update_mean(SMALL) + term.value, rel=1e-14)
        assert step.std_error == term.std_error
        assert step.method == "exact frozen mean + conditional"
        variance = law.step_variance(SMALL, target)
        assert variance.frozen == pytest.approx(law.update_variance(SMALL, target), rel=1e-12)


def test_narrow_layers_without_a_target_are_fine():
    assert fw.KernelLaw(fw.MLP(10, [4, 3])).crossing_mean(SMALL).value < 0
    assert fw.KernelLaw(fw.MLP(10, [4])).crossing_mean(SMALL, 2.0).value < 0


@pytest.mark.parametrize("net", [fw.MLP(10, [5, 5], "identity"), fw.MLP(10, [])], ids=repr)
def test_no_corner_no_crossings(net):
    law = fw.KernelLaw(net)
    term = law.crossing_mean(1.0, 3.0)
    assert (term.value, term.exact, term.trusted) == (0.0, True, True)
    assert law.step_mean(1.0).value == law.update_mean(1.0)
    assert law.crossings(1.0).value == 0.0
    assert law.step_variance(1.0).value == pytest.approx(law.update_variance(1.0), rel=1e-12)


def test_a_law_of_weights_does_not_matter_without_a_corner():
    law = fw.KernelLaw(fw.MLP(10, [5], "identity", weight_law="uniform"))
    assert law.crossing_mean().value == 0.0


def test_heavy_tails_are_not_trusted():
    found = fw.KernelLaw(fw.MLP.equal_width(10, 5, 40)).crossing_mean(1e-9, size=2000)
    assert not found.trusted
    assert "one network of 2000" in found.note
    # nor does a regression carry it across zero
    assert fw.KernelLaw(fw.MLP.equal_width(10, 64, 1000)).crossing_mean(1e-9, size=1024).value < 0


def test_the_leading_term_far_from_its_range_is_not_trusted():
    found = fw.KernelLaw(fw.MLP.equal_width(10, 5, 40)).crossing_mean(1e-9, method="leading")
    assert not found.trusted
    assert "conditional" in found.note


def test_the_published_variance_of_one_hidden_layer():
    """E (ΔK/λ)² of the crossings alone, seen in real steps at width 100: within 4 %."""
    law = fw.KernelLaw(fw.MLP(10, [100]))
    for rate, seen in ((0.0143, 1.379), (0.0571, 0.3760), (0.229, 0.1291)):
        found = law.step_variance(rate)
        square = (found.jumps + found.drift + law.crossing_mean(rate).value ** 2) / rate**2
        assert square == pytest.approx(seen, rel=0.05)


def test_the_jumps_of_one_layer_are_those_of_the_sample():
    from finitewidth.law.crossing.conditional import conditional

    for net, target in (
        (fw.MLP(10, [40]), 0.0),
        (fw.MLP(10, [40], "leaky_relu", -0.4, parametrization="standard", bias_lr=0.3), 0.9),
    ):
        sampled = conditional(net, 10.0, target, 100_000, 2)
        found = fw.KernelLaw(net).step_variance(1e-3, target)
        assert abs(found.jumps / 1e-3 - sampled.value[2]) < 5.1 * sampled.std_error[2]


def test_the_moments_of_the_error():
    from finitewidth.law.crossing.step_variance import _errors

    normal = np.random.default_rng(0).standard_normal(4_000_000) * 1.3
    for target in (0.0, 0.7, -2.0):
        e = normal - target
        found = _errors(1.3, target)
        want = np.mean(np.abs(e)), np.mean(e * e), np.cov(np.abs(e), e * normal)[0, 1]
        np.testing.assert_allclose(
            [found.size, found.square, found.with_output], want, rtol=4e-3, atol=4e-3
        )


def test_the_old_names_are_the_new_ones():
    assert fw.KernelLaw.kink_mean is fw.KernelLaw.crossing_mean
    assert fw.law.kink_matrix is fw.law.crossing_matrix
