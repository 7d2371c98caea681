"""Networks at the edge of what doubles and integers hold: right numbers, or one sentence."""

from math import log

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.statistics import ordered as module


@pytest.mark.parametrize("slope", [1e-170, 1e-150, -1e-200, 5e-324])
def test_slopes_whose_square_is_below_a_double_are_refused(slope: float) -> None:
    """A layer without active neurons has Y = a² χ², and is not dead."""
    law = fw.KernelLaw(fw.MLP(3, [1, 2], "leaky_relu", slope))
    with pytest.raises(ValueError, match=r"negative_slope is .* too small"):
        law.sample(1000, 1)
    small = fw.KernelLaw(fw.MLP(3, [1, 2], "leaky_relu", 1e-99)).log_sample(1000, 1)
    assert small.alive.all()
    assert np.isfinite(small.weights).all()


def test_gains_whose_product_is_above_a_double() -> None:
    """K_w has one factor of each gain: 2·10²⁰⁰ and 10²⁰⁰ for one hidden layer."""
    plain = fw.KernelLaw(fw.MLP(3, [4])).log_sample(500, 1)
    for gain in (1e200, 1e-200):
        net = fw.MLP(3, [4], hidden_gain=2 * gain, output_gain=gain)
        scaled = fw.KernelLaw(net).log_sample(500, 1)
        living = plain.alive
        moved = scaled.weights[living] - plain.weights[living]
        np.testing.assert_allclose(moved, 2 * log(gain), rtol=1e-14)


@pytest.mark.parametrize("counted", [False, True], ids=["sorted", "counted"])
@pytest.mark.parametrize("fields", [{"bias": False}, {"bias_lr": 0.0}], ids=str)
def test_a_part_that_is_zero_has_the_quantile_zero(
    fields: dict, counted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if counted:
        monkeypatch.setattr(module, "SORTED_UP_TO", 100)
    law = fw.KernelLaw(fw.MLP(3, [40, 30], **fields))
    found = law.quantile([0.3, 0.5], 1000, 1, part="biases")
    assert found.value.tolist() == found.low.tolist() == found.high.tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match="logarithm") as caught:
        law.log_quantile(0.5, 1000, 1, part="biases")
    assert "dead layer" not in str(caught.value), "no layer of this network is dead"


def test_a_summary_of_networks_that_are_all_dead() -> None:
    """1200 layers of one neuron: a living network has probability 2⁻¹²⁰⁰."""
    for net in (fw.MLP(3, [1] * 1200), fw.MLP(3, [1] * 1200, bias=False)):
        law = fw.KernelLaw(net)
        with pytest.raises(ValueError, match="100 of 100 networks have a dead layer") as caught:
            law.summary(100, 1)
        assert str(caught.value).endswith("draw more, or use wider layers.")
        assert law.quantile(0.5, 100, 1).value == (1.0 if net.bias else 0.0)


def test_a_constant_kernel_has_no_shape() -> None:
    """Rounding is not skewness."""
    found = fw.KernelLaw(fw.MLP(3, [])).summary(1000, 1)
    assert found.log_kernel.variance.value < 1e-28
    assert found.log_kernel.skewness.value == 0.0
    assert found.log_kernel.excess_kurtosis.value == 0.0
    assert found.mean.value == pytest.approx(1.0, rel=1e-14)
    assert (found.dead.value, found.exact_dead) == (0.0, 0.0)
    assert not np.signbit(found.exact_dead)
    assert not np.signbit(found.dead.std_error)


def test_widths_beyond_the_integers_of_numpy() -> None:
    draws = fw.KernelLaw(fw.MLP(3, [2**62, 2**62])).sample(100, 1)
    np.testing.assert_allclose(draws.kernel, 3 + 2, rtol=1e-7)  # infinite width
    with pytest.raises(ValueError, match=r"width|wide"):
        fw.KernelLaw(fw.MLP(3, [2**63])).sample(100, 1)


def test_slopes_whose_square_is_above_a_double() -> None:
    draws = fw.KernelLaw(fw.MLP(3, [1, 2], "leaky_relu", 1e100)).log_sample(1000, 1)
    for part in (draws.output, draws.weights, draws.kernel):
        assert np.isfinite(part).all()
    for slope in (1e170, -1e300):
        with pytest.raises(ValueError, match="negative_slope"):
            fw.KernelLaw(fw.MLP(3, [1, 2], "leaky_relu", slope)).log_sample(1000, 1)
