"""The paper's closed forms: the fast sums against slow ones, and the constants that ≃ leaves open.

The slow sums are written index by index as Hanin & Nica (2020) print them, with the corrections
that the package states: every sum over 1/n stops at the last hidden layer.
"""

from math import exp, log

import numpy as np
import pytest

import finitewidth as fw

LAYOUTS = {
    "no hidden layer": [],
    "one layer": [7],
    "two layers": [9, 4],
    "equal": [30] * 12,
    "narrowing": [60, 31, 17, 9, 5],
    "widening": [4, 8, 16, 64, 256],
    "bottleneck": [50, 50, 3, 50, 50, 50],
    "width 1": [1, 6, 1],
    "longer": np.random.default_rng(5).integers(5, 200, 40).tolist(),
}
U = 0.37  # |x|²/n_in


def slow_forms(widths: list[int], u: float) -> dict[str, float]:
    """Theorems 1 and 2, Propositions 3 to 5."""
    d = len(widths) + 1

    def over_n(first: int, last: int) -> float:
        """Σ 1/n_i for first ≤ i ≤ last, hidden layers only."""
        return sum(1 / widths[i - 1] for i in range(first, last + 1) if i < d)

    beta = over_n(1, d)
    growth = exp(5 * beta)
    alive = [np.prod([1 - 2.0**-n for n in widths[: j - 1]]) for j in range(1, d)]
    biases = 1 + 0.5 * sum(alive)
    single = sum(exp(-5 * over_n(1, j)) for j in range(1, d + 1))
    double = sum(exp(-5 * over_n(1, j)) for j in range(1, d + 1) for i in range(1, j + 1))
    found = {
        "weights_mean": d * u,
        "biases_mean": biases,
        "kernel_mean": d * u + biases,
        "weights_squared": d**2 * u**2 * growth,
        "biases_squared": growth * double,
        "cross": d * u * growth * single,
        "kernel_squared": growth * (d**2 * u**2 + d * u * single + double),
    }
    equal = len(set(widths)) < 2
    found["dispersion"] = growth if equal else found["kernel_squared"] / found["kernel_mean"] ** 2
    if d == 1:
        return found
    ww = sum(
        exp(-5 * over_n(k, k) - 6 * over_n(i1, k - 1)) / widths[k - 1]
        for i1 in range(1, d + 1)
        for i2 in range(i1 + 1, d + 1)
        for k in range(i1, i2)
    )
    wb = sum(
        exp(-5 * over_n(1, j) - 6 * over_n(j + 1, k - 1)) / widths[k - 1]
        for j in range(1, d + 1)
        for i in range(j + 1, d + 1)
        for k in range(j, i)
    )
    found["update_ww"], found["update_wb"] = u**2 * growth * ww, u * growth * wb
    found["update"] = 2 * (found["update_ww"] + 2 * found["update_wb"])
    relative = d * beta * u * growth if equal else found["update"] / found["kernel_mean"]
    found["relative_update"] = relative
    return found


def paper_law(widths: list[int], u: float) -> fw.KernelLaw:
    return fw.KernelLaw(fw.MLP(n_in=8, widths=widths), power_sums=(8 * u,))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_fast_sums_equal_slow_sums(layout):
    """Sums of at most 10⁴ positive terms: 1e-12 is rounding."""
    widths = LAYOUTS[layout]
    got = {
        name: form.value.to_float(name, "") for name, form in paper_law(widths, U).paper().items()
    }
    want = slow_forms(widths, U)
    assert got.keys() == want.keys()
    for name, value in want.items():
        assert got[name] == pytest.approx(value, rel=1e-12), name


def exact_logs(law: fw.KernelLaw) -> dict[str, float]:
    """Logarithms of what the forms stand for; the paper's updates have no sign."""
    found = {
        "weights_mean": law.log_moment(1, "weights"),
        "biases_mean": law.log_moment(1, "biases"),
        "kernel_mean": law.log_moment(1),
        "weights_squared": law.log_moment(2, "weights"),
        "biases_squared": law.log_moment(2, "biases"),
        "cross": law.log_cross_moment(),
        "kernel_squared": law.log_moment(2),
        "dispersion": law.log_dispersion(),
    }
    if law.net.depth > 1:
        parts = law.update_parts()
        found |= {
            "update_ww": log(parts["ww"]),
            "update_wb": log(parts["wb"]),
            "update": law.log_update_mean(),
            "relative_update": law.log_update_mean() - law.log_moment(1),
        }
    return found


def excess(widths: list[int], u: float) -> dict[str, float]:
    """exact/(printed · constant) − 1 for every form."""
    law = paper_law(widths, u)
    exact = exact_logs(law)
    forms = law.paper()
    assert forms.keys() == exact.keys()
    return {
        name: exp(exact[name] - form.value.log - log(form.constant)) - 1
        for name, form in forms.items()
    }


@pytest.mark.parametrize("shape", [[1], [1, 1, 1, 1], [1, 2, 1], [4, 1, 2, 3, 2, 1]], ids=str)
@pytest.mark.parametrize("u", [0.05, 1.0, 3.0])
def test_constants_as_the_widths_grow(shape, u):
    """exact/printed = constant · (1 + a/n + b/n² + …): the excess is of order β and vanishes.

    Two steps of Richardson extrapolation over widths n, 2n, 4n remove a and b. With the right
    constant what is left is O(1/n³), less than the second step changed; a wrong constant would
    be left in full by both steps. For E Δ_ww the printed form has the 1/n right: a = 0.
    """
    v_1, v_2, v_4 = (excess([n * scale for n in shape], u) for scale in (2**10, 2**11, 2**12))
    beta = sum(1 / n for n in shape) / 2**10
    for name in v_1:
        assert abs(v_1[name]) < 40 * beta, name
        linear = 2 * v_4[name] - v_2[name]
        quadratic = (8 * v_4[name] - 6 * v_2[name] + v_1[name]) / 3
        assert abs(quadratic) <= abs(quadratic - linear) / 2 + 1e-12, name
    exact = {name for name, value in v_1.items() if abs(value) < 1e-12}
    # One hidden layer: E Δ ∝ 1/n exactly, and e^(5β) of the printed forms cancels.
    updates = {"update_ww", "update_wb", "update"} if len(shape) == 1 else set()
    assert exact == {"weights_mean", "biases_mean", "kernel_mean"} | updates
    assert v_4["update_ww"] == pytest.approx(v_2["update_ww"] / 4, rel=0.02, abs=1e-12)


def test_stated_constants():
    """1, (d + 1)/(2d), (d + 1)/(2d), 4 and 1, for d = 5."""
    forms = paper_law([2**20] * 4, 1.0).paper()
    constants = {name: form.constant for name, form in forms.items()}
    assert constants["weights_squared"] == 1
    assert constants["biases_squared"] == constants["cross"] == 6 / 10
    assert constants["update_ww"] == 4
    assert constants["update_wb"] == 1
    assert constants["dispersion"] == 1
    # E K² = (du + (d + 1)/2)² at β = 0, printed d²u² + d²u + d(d + 1)/2.
    assert constants["kernel_squared"] == pytest.approx((5 + 3) ** 2 / (25 + 25 + 15))
    # 2 (4 ww + 2 wb) over 2 (ww + 2 wb), with ww/wb → u.
    assert constants["update"] == pytest.approx(6 / 3)


def test_what_is_printed_and_wrong():
    """The corrections, each as a number: β, E K_b, and the sign of E ΔK."""
    law = paper_law([20, 20], U)
    # Σ_{i ≤ d} 1/n_i would add 1/n_d = 1, a factor e⁵ in E K².
    assert law.paper()["weights_squared"].value.to_float("", "") == pytest.approx(
        (3 * U) ** 2 * exp(5 * 0.1), rel=1e-12
    )
    assert law.paper()["biases_mean"].value.to_float("", "") == pytest.approx(2.0, rel=1e-5)
    assert law.mean("biases") != pytest.approx(3 / 2, rel=0.1)  # printed: d/2
    assert law.update_mean() < 0


@pytest.mark.parametrize("widths", [[1], [2] * 7, [3, 1, 4, 1, 5], [1200, 3], [5] * 1000])
def test_the_mean_of_the_bias_part_is_the_laws(widths):
    law = paper_law(widths, U)
    value = law.paper()["biases_mean"].value.to_float("", "")
    assert value == pytest.approx(law.mean("biases"), rel=1e-12)


def test_forms_of_a_very_deep_network():
    """A hundred thousand layers: finite logarithms, and e^(5β) in front."""
    law = fw.KernelLaw(fw.MLP.equal_width(5, 20, 100_000))
    forms = law.paper()
    assert forms["dispersion"].value.log == pytest.approx(25_000, rel=1e-12)
    for form in forms.values():
        assert np.isfinite(form.value.log)
        assert form.source
        assert form.constant > 0


DIFFERENT = {
    "activation='leaky_relu'": {"activation": "leaky_relu"},
    "hidden_gain=1.5": {"hidden_gain": 1.5},
    "output_gain=2.0": {"output_gain": 2.0},
    "parametrization='standard'": {"parametrization": "standard"},
    "bias=False": {"bias": False},
    "bias_lr=0.5": {"bias_lr": 0.5},
}


@pytest.mark.parametrize(("named", "fields"), DIFFERENT.items(), ids=DIFFERENT)
def test_networks_that_the_paper_does_not_cover(named, fields):
    law = fw.KernelLaw(fw.MLP(n_in=3, widths=[5], **fields))
    with pytest.raises(ValueError, match="the paper's closed forms are for ReLU") as caught:
        law.paper()
    assert str(caught.value).endswith(f"this network has {named}.")
