"""Fractions stay what they are, and integers beyond a double are refused in one sentence."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.network import GivenMoments, StudentT, on_line
from finitewidth.network.exact import Exact, double, fraction_of

TENTH, HUGE = Fraction(1, 10), 10**400


@pytest.mark.usefixtures("unchecked")
def test_a_fraction_for_a_slope_is_no_binary_number() -> None:
    """E K_w = 2 C A_2 |x|²/n_0 with A_2 = (1 + 1/100)/2, C = 2 and |x|²/n_0 = 5/2."""
    net = fw.MLP(2, [3], "leaky_relu", TENTH, bias=False)
    for one in (net, replace(net, bias=False), pickle.loads(pickle.dumps(net))):
        assert fw.KernelLaw(one, [1, 2]).fraction("kernel") == Fraction(101, 20)
    binary = fw.KernelLaw(fw.MLP(2, [3], "leaky_relu", 0.1, bias=False), [1, 2])
    assert binary.fraction("kernel") != Fraction(101, 20)  # whichever was asked for first
    assert binary.mean() == fw.KernelLaw(net, [1, 2]).mean()


@pytest.mark.usefixtures("unchecked")
def test_fractions_for_gains_rates_and_inputs() -> None:
    """E K = C_1 |x|²/n_0 + b for one layer, and with a hidden one each gain once in E K_w."""
    net = fw.MLP(2, [], output_gain=Fraction(2, 3), bias_lr=Fraction(1, 7))
    assert fw.KernelLaw(net, [1, 2]).fraction("kernel") == Fraction(5, 3) + Fraction(1, 7)
    x = np.array([Fraction(1, 3), Fraction(2, 3)], dtype=object)
    assert fw.KernelLaw(net, x).fraction("weights") == Fraction(2, 3) * Fraction(5, 18)
    deep = fw.MLP(2, [3], hidden_gain=Fraction(1, 3), output_gain=Fraction(1, 7), bias=False)
    assert fw.KernelLaw(deep, [1, 2]).fraction("kernel") == 2 * Fraction(5, 2) / 21 / 2


def test_a_fraction_for_degrees_of_freedom() -> None:
    law = StudentT(Fraction(28, 3))
    assert law.name == "student_t:9.33333"
    assert law.moment(4) == 3 * (Fraction(28, 3) - 2) / (Fraction(28, 3) - 4)
    assert np.isfinite(law.sample(np.random.default_rng(1), (3,))).all()


def test_a_double_remembers_only_what_it_is_not() -> None:
    assert type(double(Fraction(1, 2), "x")) is float
    assert type(double(3, "x")) is float
    assert isinstance(double(TENTH, "x"), Exact)
    assert double(TENTH, "x") == 0.1
    assert fraction_of(double(TENTH, "x")) == TENTH
    assert fraction_of(0.1) != TENTH
    assert double(HUGE, "x") == -double(-HUGE, "x") == np.inf


def law(**fields: Any) -> fw.KernelLaw:
    return fw.KernelLaw(fw.MLP(**({"n_in": 3, "widths": [4, 4]} | fields)))


BAD: dict[str, tuple[Callable[[], Any], str]] = {
    "gain": (lambda: law(hidden_gain=HUGE), "hidden_gain is inf"),
    "bias_lr": (lambda: law(bias_lr=HUGE), "bias_lr is inf"),
    "slope": (lambda: law(activation="leaky_relu", negative_slope=HUGE), "negative_slope is inf"),
    "n_in": (lambda: law(n_in=HUGE), "n_in is a number of 401 digits"),
    "n_out": (lambda: law(n_out=HUGE), "n_out is a number of 401 digits"),
    "width": (lambda: law(widths=[HUGE]), "width of hidden layer 1 is a number of 401 digits"),
    "equal width": (lambda: fw.MLP.equal_width(3, HUGE, 4), "width is a number of 401 digits"),
    "layers": (lambda: fw.MLP.equal_width(3, 4, HUGE), "hidden_layers is a number of 401 digits"),
    "steep": (
        lambda: law(activation="leaky_relu", negative_slope=1e200).mean(), "slope is 1e.200",
    ),
    "power sums": (lambda: fw.KernelLaw(fw.MLP(3, [4]), power_sums=(1, HUGE)), "is 10.400"),
    "moments": (lambda: GivenMoments({4: HUGE, 6: 1}), "belongs to no law"),
    "rate": (lambda: law().update_mean(HUGE), "learning_rate is"),
    "target": (lambda: law().update_variance(1.0, HUGE), "target is"),
    "large rate": (lambda: law().update_mean(1e308), "outside the range of a double"),
    "large relative": (lambda: law(n_in=1).relative_update(1e308), "outside the range"),
    "crossing": (lambda: law().crossing_mean(1e308), "leaves the range of a double"),
    "seed": (lambda: law().sample(10, HUGE), "seed is a number of 401 digits"),
    "small q": (lambda: law().quantile(1e-320), "are too few for the quantile"),
    "beta": (lambda: on_line(fw.MLP(3, [4]), [3], beta=1e-320), "a width above 1e.60"),
    "huge beta": (lambda: on_line(fw.MLP(3, [4]), [3], beta=HUGE), "beta is inf"),
    "line's depth": (lambda: on_line(fw.MLP(3, [4]), [HUGE], beta=0.1), "depth is a number of"),
    "target dispersion": (lambda: fw.design.width(3, HUGE), "max_dispersion is"),
    "path gain": (
        lambda: fw.paths.loops(fw.MLP(3, [4], hidden_gain=1e200), np.ones(3), "update"), "1e.200",
    ),
    "expansion gain": (
        lambda: fw.expansion.kernel(fw.MLP(3, [4], output_gain=1e308), np.ones(3)), "gain is",
    ),
    "expansion bias_lr": (
        lambda: fw.expansion.kernel(fw.MLP(3, [4], bias_lr=1e308), np.ones(3)), "bias_lr is 1e.308",
    ),
    "expansion rate": (
        lambda: fw.expansion.kernel(fw.MLP(3, [4]), np.ones(3)).first_step([0.0], 1e308),
        "learning_rate is 1e.308",
    ),
}  # fmt: skip


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("case", BAD)
def test_numbers_beyond_a_double_are_one_sentence(case: str) -> None:
    ask, part = BAD[case]
    with pytest.raises(ValueError, match=part) as caught:
        ask()
    assert "\n" not in str(caught.value)


def test_runs_of_equal_widths_are_not_expanded() -> None:
    """The page of 10⁹ layers; before, the paper's column took 8 GB."""
    page = fw.KernelLaw(fw.MLP.equal_width(4, 4, 10**9)).overview().page()
    assert "No paper column" in page.markdown()


@pytest.mark.parametrize("n_in", [11, 392, 394])
def test_the_page_without_a_hidden_layer(n_in: int) -> None:
    """E K² rounds to less than (E K)² in many of these: "math domain error"."""
    law = fw.KernelLaw(fw.MLP(n_in, []))
    assert law.dispersion() == 1.0
    assert law.log_dispersion() == 0.0
    assert "Nearly deterministic" in law.overview().page().markdown()
