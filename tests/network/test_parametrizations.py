"""The tables of exponents, the layers they make, and theory against simulation on them."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.network.parametrizations import ABC, PARAMETRIZATIONS, Parametrization, scaling

NAMES = ["ntk", "standard", "mup", "mean_field"]
X = np.array([0.9, -1.1, 0.4])

# Exponents of n in (Var Ŵ, factor of a step on Ŵ) of a first, hidden and output layer: what
# Yang & Hu's Table 1 comes to after the symmetry of their abc-parametrizations is divided out.
EXPONENTS = {
    "ntk": [(0, 0), (-1, -1), (-1, -1)],
    "standard": [(0, 0), (-1, 0), (-1, 0)],
    "mup": [(0, 1), (-1, 0), (-2, -1)],
    "mean_field": [(0, 1), (-1, 0), (-2, -1)],
}


@pytest.mark.parametrize("name", NAMES)
def test_the_exponents(name):
    found = scaling(name)
    rows = [(row.variance, row.rate) for row in (found.first, found.hidden, found.output)]
    assert rows == EXPONENTS[name]
    assert found.source


def test_every_parametrization_is_tested():
    assert list(PARAMETRIZATIONS) == NAMES == list(EXPONENTS)


LAYERS = {  # (c_j, λ_j) at n_in = 2, widths 3, 5, gains 2 and 1
    "ntk": [(2 / 2, 2 / 2), (2 / 3, 2 / 3), (1 / 5, 1 / 5)],
    "standard": [(2 / 2, 1), (2 / 3, 1), (1 / 5, 1)],
    "mup": [(2 / 2, 3), (2 / 3, 1), (1 / 25, 1 / 5)],
    "mean_field": [(2 / 2, 2 / 2 * 3), (2 / 3, 2), (1 / 25, 1 / 5)],
}


@pytest.mark.parametrize("name", NAMES)
def test_layers_of_unequal_widths(name):
    net = fw.MLP(2, [3, 5], parametrization=name)
    found = [(layer.weight_variance, layer.weight_lr) for layer in net.layers()]
    assert found == LAYERS[name]


@pytest.mark.parametrize("name", NAMES)
def test_without_hidden_layer_there_is_no_width(name):
    (layer,) = fw.MLP(4, [], output_gain=3.0, parametrization=name).layers()
    assert layer.weight_variance == 3 / 4
    assert layer.weight_lr == (3 / 4 if name in ("ntk", "mean_field") else 1.0)


@pytest.mark.parametrize("name", NAMES)
def test_fractions_stay_fractions(name):
    for first, last in ((True, False), (False, False), (False, True), (True, True)):
        exact = scaling(name).scale(7, 11, Fraction(5, 3), is_first=first, is_output=last)
        rounded = scaling(name).scale(7, 11, 5 / 3, is_first=first, is_output=last)
        assert all(type(value) is Fraction for value in exact)
        np.testing.assert_allclose([float(value) for value in exact], rounded, rtol=1e-15)


def test_a_root_of_the_width_is_refused():
    half = Fraction(1, 2)
    odd = Parametrization(ABC(0, 0, 0), ABC(0, Fraction(1, 4), half), ABC(0, 0, 0), False, "")
    with pytest.raises(ValueError, match=r"power -1/2, expected a whole power"):
        odd.scale(3, 3, 2.0, is_first=False, is_output=False)
    assert type(ABC(half, half, 0).variance) is int


def test_an_unknown_name():
    with pytest.raises(ValueError, match="expected one of ntk, standard, mup, mean_field"):
        fw.MLP(2, [3], parametrization="sp")


# 40,000 networks: |z| < 4.9 is a false alarm of 1e-6 a comparison, 1.6e-5 over all 16; an error of
# 9.6 standard errors (10 % of the mean of the weights' part) is missed once in a million.
CASES = [(name, gains) for name in ("mup", "mean_field") for gains in ((2.0, 1.0), (1.3, 2.5))]


def _drawn(name: str, gains: tuple[float, float]) -> tuple[fw.MLP, "fw.simulate.Ensemble"]:
    net = fw.MLP(
        3, [4, 7, 5], parametrization=name, hidden_gain=gains[0], output_gain=gains[1], bias_lr=0.3
    )
    return net, fw.simulate.ensemble(net, X, 40_000, seed=5)


@pytest.mark.parametrize(("name", "gains"), CASES)
def test_the_exact_law_is_that_of_simulated_networks(name, gains):
    net, drawn = _drawn(name, gains)
    law = fw.KernelLaw(net, X)
    for part in ("weights", "biases", "kernel"):
        assert abs(drawn.mean(part).z(law.mean(part))) < 4.9
    assert abs(drawn.moment(2, "weights").z(law.moment(2, part="weights"))) < 4.9
    wrong = fw.KernelLaw(replace(net, parametrization="standard"), X)
    assert abs(drawn.mean("weights").z(wrong.mean("weights"))) > 9.6


@pytest.mark.parametrize("name", ["mup", "mean_field"])
def test_exact_fractions_chain_and_sampler_agree(name):
    """Three implementations of the law; the sampler of 200,000 is within 4.9 standard errors."""
    net = fw.MLP(3, [4, 7, 5], parametrization=name)
    law = fw.KernelLaw(net, X)
    assert law.mean() == pytest.approx(float(law.fraction("kernel")), rel=1e-13)
    drawn = law.sample(200_000, 3).kernel
    error = drawn.std() / np.sqrt(len(drawn))
    assert abs(drawn.mean() - law.mean()) < 4.9 * error


def test_mean_field_starts_with_the_kernel_of_ntk_and_an_output_smaller_by_root_width():
    """Bordelon & Pehlevan 2022: equal widths, no biases; every network, not only the mean."""
    kwargs = {"n_in": 3, "widths": [8, 8, 8], "bias": False}
    batch = np.stack([X, X[::-1]])
    ntk = fw.simulate.ensemble(fw.MLP(**kwargs), batch, 20, seed=1)
    field = fw.simulate.ensemble(fw.MLP(**kwargs, parametrization="mean_field"), batch, 20, seed=1)
    np.testing.assert_allclose(field.kernels, ntk.kernels, rtol=1e-12)
    np.testing.assert_allclose(field.outputs * np.sqrt(8), ntk.outputs, rtol=1e-12)


@pytest.mark.parametrize("name", ["mup", "mean_field"])
def test_features_move_at_any_width_where_those_of_ntk_freeze(name):
    """The kernel's mean relative change in one step, at width 64 over width 1024.

    A change of order width^(−1/2), as that of "ntk", makes the ratio 4; one that does not depend
    on the width makes it 1. The ratios over 40 networks have a standard error of 0.2 and 0.9.
    """

    def change(width: int, parametrization: str) -> float:
        net = fw.MLP(3, [width, width], parametrization=parametrization, bias=False)
        step = fw.simulate.first_step(net, X, [1.0], 0.3, 40, seed=2)
        return float(np.mean(step.after / step.before - 1))

    assert 0.6 < change(64, name) / change(1024, name) < 1.6
    assert change(64, "ntk") / change(1024, "ntk") > 2.5
