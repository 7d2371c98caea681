"""Theorems 1 and 2, Propositions 3 to 5: quick runs against numbers written down by hand."""

from functools import cache
from math import exp

import pytest

from finitewidth.law import KernelLaw
from finitewidth.network import MLP
from finitewidth.reproduce import Reproduction, networks, open_constants, reproduce
from finitewidth.reproduce.theorem1 import mean
from finitewidth.reproduce.theorem2 import equal_width_form
from tests.reproduce.checking import FAR, distances, value

ENUMERATED = {
    "theorem1": 2, "theorem2": 1, "proposition3": 3, "proposition4": 2, "proposition5": 2,
}  # fmt: skip
"""Quantities for which the small network is enumerated."""


@cache
def quick(name: str) -> Reproduction:
    return reproduce(name, quick=True, seed=3)


@pytest.mark.parametrize("name", ENUMERATED)
def test_simulation_agrees_with_the_law(name: str) -> None:
    found = distances(quick(name))
    assert len(found) >= 2
    assert max(map(abs, found.values())) < FAR, found


@pytest.mark.parametrize("name", ENUMERATED)
def test_enumeration_agrees_with_the_law(name: str) -> None:
    numbers, seen = quick(name).numbers, 0
    for one in numbers:
        row, _, kind = one.rpartition(", ")
        if kind == "enumeration":
            assert value(quick(name), one) == pytest.approx(numbers[f"{row}, exact law"], rel=1e-10)
            seen += 1
    assert seen == ENUMERATED[name]


def test_the_printed_mean_is_rejected() -> None:
    """d = 4 and |x|² = n_0: 4 + 1 + 3/2, for the output bias counts 1; 4 (1 + ½) is printed."""
    row = mean(networks.Drawn(networks.WIDER[0], 8_000, 0))
    assert row.simulated is not None
    assert row.exact == pytest.approx(6.5)
    assert row.printed == pytest.approx(6.0)
    assert abs(row.simulated.z(6.5)) < FAR
    assert row.simulated.z(6.0) > 2 * FAR


def test_printed_forms_by_hand() -> None:
    """Network 2-3-3-1, |x|² = n_0, d = 3, the sums written out."""
    hidden = [1 / 3, 1 / 3]
    found = quick("theorem1")
    for output, kind in (([1.0], "printed"), ([], "corrected")):
        sums = [sum((hidden + (output or [0.0]))[:j]) for j in (1, 2, 3)]
        beta = sums[-1]
        form = 9 + 3 * sum(exp(-5 * s) for s in sums)
        form += sum(j * exp(-5 * s) for j, s in zip((1, 2, 3), sums, strict=True))
        assert value(found, f"second-moment, 2-3-3-1, {kind}") == pytest.approx(
            exp(5 * beta) * form, rel=1e-12
        )
        assert value(found, f"dispersion, 2-3-3-1, {kind}") == pytest.approx(exp(5 * beta))
        relative = 3 * beta * exp(5 * beta)
        sign = 1 if output else -1
        # d β |x|²/n_0 e^(5β)
        assert value(quick("theorem2"), f"relative, 2-3-3-1, {kind}") == pytest.approx(
            sign * relative, rel=1e-12
        )


def test_a_wrong_gain_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The law of hidden gain 2.4 beside networks of gain 2: the mean is off by 13 % and more."""
    monkeypatch.setattr(
        networks,
        "KernelLaw",
        lambda net, x: KernelLaw(MLP(net.n_in, net.widths, hidden_gain=2.4), x),
    )
    drawn = networks.Drawn(networks.WIDER[0], 4_000, 0)
    assert abs(drawn.kernels.mean().z(drawn.law.mean())) > 2 * FAR


@pytest.mark.parametrize("name", ["theorem1", "theorem2"])
def test_the_constants_are_bounded_and_the_right_ones(name: str) -> None:
    found = quick(name).numbers
    ratios = {k: v for k, v in found.items() if k.startswith("exact/form")}
    assert len(ratios) == 14
    if name == "theorem1":
        # β → 0 at |x|² = n_0: ((d + (d+1)/2)²)/(d² + d² + d(d+1)/2), d = 100
        expected = 150.5**2 / (20_000 + 5_050)
        assert value(quick(name), "exact/form, kernel_squared, d/n = 0") == pytest.approx(
            expected, rel=2e-3
        )
    else:
        assert value(quick(name), "exact/form, update, d/n = 0") == pytest.approx(2, rel=2e-3)


def test_the_exponent_tends_to_five() -> None:
    assert open_constants.exponent(0.1, 400) < 3.5
    assert open_constants.exponent(8.0, 800) == pytest.approx(5.0, rel=0.03)


def test_the_equal_width_form_of_theorem_2_loses_a_factor() -> None:
    """Exact laws, extrapolated by their 1/n, follow, and 4/9 is the limit of ratio · d/n."""
    assert equal_width_form(1e-6) == pytest.approx(4 / 3, rel=1e-5)
    assert 1e4 * equal_width_form(1e4) == pytest.approx(4 / 9, rel=1e-3)
    small, large = (
        open_constants.over_form(open_constants.law_at(4.0, n), "relative_update")
        for n in (2_000, 4_000)
    )
    assert 2 * large - small == pytest.approx(equal_width_form(4.0), rel=1e-3)


def test_powers() -> None:
    assert value(quick("theorem2"), "exponent of n, d = 5") == pytest.approx(-1, abs=2e-3)
    assert value(quick("theorem2"), "exponent of d, n = 10⁷") == pytest.approx(2, abs=5e-3)


def test_no_second_derivative_along_biases() -> None:
    """Δ_bb = 0 in every network; the same combination of other changes is not 0."""
    drawn = networks.Drawn(networks.WIDER[0], 100, 0)
    one = drawn.first_step(1.0)
    largest = abs(one.first_order).max()
    assert abs(drawn.update_bb).max() < 1e-12 * largest
    drawn._steps[2.0] = one
    assert abs(drawn.update_bb).max() > 1e-3 * largest
    found = quick("proposition4").numbers
    largest = [float(value(quick("proposition4"), name)) for name in found if "Δ_bb" in name]
    assert len(largest) == 3
    assert max(largest) < 1e-12


def test_the_parts_add_up_to_the_change() -> None:
    """−2 (Δ_ww + 2 Δ_wb) is the change, in the mean of any sample."""
    drawn = networks.Drawn(networks.WIDER[0], 200, 0)
    parts = drawn.update_ww.value + 2 * drawn.update_wb.value
    assert -2 * parts == pytest.approx(drawn.update.value, rel=1e-12)


def test_limits_of_the_constants() -> None:
    """As β → 0: 1 and 4 of Proposition 3, (d+1)/(2d) of 4 and 5, 1 of E Δ_wb; d = 100."""
    for name, quantity, expected in (
        ("proposition3", "weights_squared", 1.0),
        ("proposition3", "update_ww", 4.0),
        ("proposition4", "biases_squared", 0.505),
        ("proposition5", "cross", 0.505),
        ("proposition5", "update_wb", 1.0),
    ):
        assert value(quick(name), f"exact/form, {quantity}, d/n = 0") == pytest.approx(
            expected, rel=2e-3
        )
