"""The law against values worked out by hand and published ones.

Equality of Fractions where a closed form is rational; 1e-12 where the package works in doubles,
which is rounding: sums of terms of one sign, a few roundings a layer.
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction as F
from functools import reduce
from math import prod, sqrt

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.network import GivenMoments

ROUNDING = 1e-12
MOMENTS: Mapping[str, tuple[F, F, F]] = {
    "gaussian": (F(3), F(15), F(105)),
    "uniform": (F(9, 5), F(27, 7), F(9)),
    "laplace": (F(6), F(90), F(2520)),
    "given moments": (F(2), F(7), F(50)),
}


def law_named(name: str) -> str | GivenMoments:
    if name == "given moments":
        return GivenMoments(dict(zip((4, 6, 8), MOMENTS[name], strict=True)))
    return name


# -- reference values -----------------------------------------------------------------------------

SMALL = fw.KernelLaw(fw.MLP(n_in=2, widths=[3, 4, 3]), np.array([1.0, -0.5]))
SMALL_VALUES: list[tuple[str, Callable[[], float], float, float]] = [
    # name, value, reference, half a unit of its last digit
    ("E K_w", lambda: SMALL.mean("weights"), 2.5, 1e-14),
    ("E K_b", lambda: SMALL.mean("biases"), 2.34765625, 1e-14),
    ("E K", lambda: SMALL.mean(), 4.84765625, 1e-14),
    ("E K_w²", lambda: SMALL.moment(2, "weights"), 58.506944, 5e-7),
    ("E K_b²", lambda: SMALL.moment(2, "biases"), 15.0546875, 1e-13),
    ("E K_w K_b", lambda: SMALL.cross_moment(), 22.1180556, 5e-8),
    ("E Δ_ww", lambda: SMALL.update_parts()["ww"], 20.74653, 5e-6),
    ("E Δ_wb", lambda: SMALL.update_parts()["wb"], 5.60764, 5e-6),
]


@pytest.mark.parametrize(("name", "value", "reference", "tolerance"), SMALL_VALUES)
def test_reference_values_of_a_small_network(name, value, reference, tolerance):
    assert abs(value() - reference) <= tolerance, name


def test_the_same_values_as_fractions():
    assert SMALL.fraction("weights") == F(5, 2)
    assert SMALL.fraction("biases") == 1 + F(1, 2) * (1 + F(7, 8) * (1 + F(15, 16)))
    assert SMALL.fraction("weights", 2) == F(58506944, 10**6) + F(4, 9 * 10**6)  # 58.506944 4…


@pytest.mark.parametrize(
    ("layers", "dispersion", "update", "half_digit"),
    [(10, 1.283179765492038, -2.0530308713, 5e-11), (50, 4.888922933625666, -180.934749918, 5e-10)],
)
def test_reference_values_of_equal_widths(layers, dispersion, update, half_digit):
    """Width 100, n_in = 1000, every input coordinate 1."""
    law = fw.KernelLaw(fw.MLP.equal_width(1000, 100, layers), np.ones(1000))
    assert law.dispersion() == pytest.approx(dispersion, rel=ROUNDING)
    assert law.relative_update() == pytest.approx(update, rel=0, abs=half_digit)
    default = fw.KernelLaw(fw.MLP.equal_width(1000, 100, layers))
    assert default.dispersion() == law.dispersion()


# -- closed forms by hand ------------------------------------------------------------------------

CONSTANTS = [
    # parametrization, slope a, hidden gain, output gain, bias learning rate
    ("ntk", F(0), F(2), F(1), F(1)),
    ("standard", F(0), F(5, 4), F(3), F(1)),
    ("standard", F(1, 4), F(7, 4), F(3), F(5, 2)),
    ("ntk", F(-1), F(1), F(1, 2), F(1)),
    ("ntk", F(1), F(1), F(1), F(3)),
]
X = (F(1), F(-2), F(1, 2))
SQUARE, FOURTH = sum(x**2 for x in X), sum(x**4 for x in X)

every_law = pytest.mark.parametrize("name", MOMENTS)
every_constant = pytest.mark.parametrize(
    ("parametrization", "slope", "gain", "readout", "bias_lr"), CONSTANTS
)


def described(name, parametrization, slope, gain, readout, bias_lr, widths) -> fw.KernelLaw:
    net = fw.MLP(
        n_in=len(X),
        widths=widths,
        activation="leaky_relu" if slope else "relu",
        negative_slope=float(slope),
        weight_law=law_named(name),
        hidden_gain=float(gain),
        output_gain=float(readout),
        bias_lr=float(bias_lr),
        parametrization=parametrization,
    )
    return fw.KernelLaw(net, list(X))


@every_law
@every_constant
def test_without_hidden_layer(name, parametrization, slope, gain, readout, bias_lr):
    """N = √c w·x + b: K = λ|x|² + bias_lr is the same in every network and never moves.

    E N² = c|x|². E N⁴ = c² (μ_4 Σ x_i⁴ + 3 Σ_{i≠j} x_i² x_j²) = c² (3|x|⁴ + (μ_4 − 3)|x|_4⁴).
    """
    law = described(name, parametrization, slope, gain, readout, bias_lr, [])
    c = readout / 3
    rate = c if parametrization == "ntk" else F(1)
    mu_4 = MOMENTS[name][0]
    for order in (1, 2, 3, 4):
        assert law.fraction("weights", order) == (rate * SQUARE) ** order
        assert law.fraction("biases", order) == bias_lr**order
        assert law.fraction("kernel", order) == (rate * SQUARE + bias_lr) ** order
    assert law.fraction("cross") == rate * SQUARE * bias_lr
    assert law.fraction("output", 2) == c * SQUARE
    assert law.fraction("output", 4) == c**2 * (3 * SQUARE**2 + (mu_4 - 3) * FOURTH)
    assert law.fraction("output_kernel") == c * SQUARE * (rate * SQUARE + bias_lr)
    for quantity in ("update_ww", "update_wb", "update_squared", "hessian_squared"):
        assert law.fraction(quantity) == 0
    assert law.update_mean() == 0.0
    assert law.update_variance(target=2.0) == 0.0
    assert law.dispersion() == pytest.approx(1.0, rel=ROUNDING)
    assert law.relative_variance() == 0.0


@every_law
@every_constant
@pytest.mark.parametrize("n", [1, 4])
def test_one_hidden_layer(name, parametrization, slope, gain, readout, bias_lr, n):
    """Neurons i are independent, with y_i = √c_1 w_i·x, slope s_i, readout weight √c_2 v_i.

    Write R = Σ s_i² y_i² = |x^(1)|² and S = c_2 Σ s_i² v_i² = |δ^(1)|². Then
    K_w = λ_2 R + λ_1 |x|² S, K_b = bias_lr (1 + S), and by symmetry s_i² is independent of y_i²:
    E s^2m = A_2m. No layer lies below the hidden one, so no layer need be alive.

    N = √c_2 Σ v_i s_i y_i. A first-layer weight w_ij and v_i have ∂_w N = √c_2 v_i s_i x_j,
    ∂_v N = s_i y_i, ∂_w∂_v N = s_i x_j in the scaled weights, so with a_i = √c_2 v_i s_i y_i

        gᵀHg = 2 λ_2 (λ_1 |x|² + bias_lr) Σ a_i s_i²,   N = Σ a_i,
        E a_i² s_i^2m = c_1 c_2 |x|² A_2m+2.

    The a_i are odd and independent, hence E (Σ a_i)² (Σ a_i s_i²)² = n E a⁴ s⁴ +
    n(n−1) (E a² · E a² s⁴ + 2 (E a² s²)²).
    """
    law = described(name, parametrization, slope, gain, readout, bias_lr, [n])
    mu_4, mu_6, mu_8 = MOMENTS[name]
    a_2, a_4, a_6, a_8 = ((1 + slope**order) / 2 for order in (2, 4, 6, 8))
    c_1, c_2 = gain / 3, readout / n
    rate_1, rate_2 = (c_1, c_2) if parametrization == "ntk" else (F(1), F(1))
    pairs, triples, quadruples = n * (n - 1), n * (n - 1) * (n - 2), prod(n - i for i in range(4))
    y_2 = c_1 * SQUARE
    y_4 = c_1**2 * (3 * SQUARE**2 + (mu_4 - 3) * FOURTH)
    r_1, r_2 = n * a_2 * y_2, n * a_4 * y_4 + pairs * (a_2 * y_2) ** 2
    s_1, s_2 = c_2 * n * a_2, c_2**2 * (n * a_4 * mu_4 + pairs * a_2**2)
    s_3 = c_2**3 * (n * a_6 * mu_6 + 3 * pairs * a_4 * mu_4 * a_2 + triples * a_2**3)
    s_4 = c_2**4 * (
        n * a_8 * mu_8
        + pairs * (4 * a_6 * mu_6 * a_2 + 3 * (a_4 * mu_4) ** 2)
        + 6 * triples * a_4 * mu_4 * a_2**2
        + quadruples * a_2**4
    )
    r_s = c_2 * y_2 * (n * a_4 + pairs * a_2**2)
    below = rate_1 * SQUARE

    assert law.fraction("weights") == rate_2 * r_1 + below * s_1
    assert law.fraction("biases") == bias_lr * (1 + s_1)
    weights_2 = rate_2**2 * r_2 + 2 * rate_2 * below * r_s + below**2 * s_2
    assert law.fraction("weights", 2) == weights_2
    assert law.fraction("biases", 2) == bias_lr**2 * (1 + 2 * s_1 + s_2)
    assert law.fraction("biases", 3) == bias_lr**3 * (1 + 3 * s_1 + 3 * s_2 + s_3)
    assert law.fraction("biases", 4) == bias_lr**4 * (1 + 4 * s_1 + 6 * s_2 + 4 * s_3 + s_4)
    cross = bias_lr * (rate_2 * (r_1 + r_s) + below * (s_1 + s_2))
    assert law.fraction("cross") == cross
    assert law.fraction("kernel", 2) == weights_2 + 2 * cross + law.fraction("biases", 2)

    a_square = c_2 * y_2  # E v² y² in real units
    assert law.fraction("output", 2) == n * a_square * a_2
    a_fourth = c_2**2 * mu_4 * y_4
    n_fourth = n * a_fourth * a_4 + 3 * pairs * (a_square * a_2) ** 2
    assert law.fraction("output", 4) == n_fourth
    assert law.fraction("update_ww") == 2 * rate_2 * below * n * a_square * a_4
    assert law.fraction("update_wb") == rate_2 * bias_lr * n * a_square * a_4
    front = (2 * rate_2 * (below + bias_lr)) ** 2
    squared = n * a_fourth * a_8 + pairs * a_square**2 * (a_2 * a_6 + 2 * a_4**2)
    assert law.fraction("update_squared") == front * squared
    assert law.fraction("hessian_squared") == front * n * a_square * a_6

    moved = -2 * (law.fraction("update_ww") + 2 * law.fraction("update_wb"))
    assert law.update_mean() == pytest.approx(float(moved), rel=ROUNDING)
    total = 4 * front * (squared + F(9, 4) * n * a_square * a_6)
    spread = law.update_variance(target=1.5)
    assert abs(spread - float(total - moved**2)) <= ROUNDING * float(total)


# -- widths 1 and 2: dead layers ------------------------------------------------------------------


def polynomial_powers(terms: Sequence[Mapping[tuple[int, ...], F | int]], highest: int):
    """Powers 1 … highest of a sum of monomials in w_1², …, w_d²."""
    base: dict[tuple[int, ...], F] = {}
    for term in terms:
        for key, value in term.items():
            base[key] = base.get(key, F(0)) + value

    def times(a, b):
        found: dict[tuple[int, ...], F] = {}
        for (k, u), (m, v) in ((p, q) for p in a.items() for q in b.items()):
            key = tuple(i + j for i, j in zip(k, m, strict=True))
            found[key] = found.get(key, F(0)) + u * v
        return found

    return [reduce(times, [base] * order) for order in range(1, highest + 1)]


@every_law
@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("slope", [F(0), F(1, 2)])
def test_a_chain_of_single_neurons(name, depth, slope):
    """n_in = 1 and width 1: N = x Π √c_j w_j Π s_j.

    With q_j = c_j w_j² (E q_j^m = c_j^m μ_2m) and t_j = s_j²:
    K_w = Σ_j c_j x² Π_{i≠j} q_i Π t_i and K_b = 1 + Σ_{j<d} Π_{i>j} q_i Π_{j≤i<d} t_i.
    ReLU: if one neuron is closed, all above it stand at exactly 0 and are closed too, so K = 1;
    all d − 1 are open with probability 2^(1−d). For slope a, t_i is 1 or a² by independent coins.
    """
    x, mu = F(3, 2), (F(1), F(1), *MOMENTS[name])
    net = fw.MLP(
        n_in=1,
        widths=[1] * (depth - 1),
        activation="leaky_relu" if slope else "relu",
        negative_slope=float(slope),
        weight_law=law_named(name),
    )
    law = fw.KernelLaw(net, [x])
    gains = [F(2)] * (depth - 1) + [F(1)]

    def moments_given(t: list[F]) -> dict[str, list[F]]:
        """E K^1 … E K^4 of the three parts for slopes squared t."""
        weights = [
            {tuple(int(i != j) for i in range(depth)): x**2 * prod(gains) * prod(t)}
            for j in range(depth)
        ]
        biases = [
            {tuple(int(i > j) for i in range(depth)): prod(gains[j + 1 :]) * prod(t[j:])}
            for j in range(depth)
        ]
        return {
            part: [
                sum((v * prod(mu[k] for k in key) for key, v in power.items()), F(0))
                for power in polynomial_powers(terms, 4)
            ]
            for part, terms in (
                ("weights", weights), ("biases", biases), ("kernel", weights + biases)
            )
        }  # fmt: skip

    want = {part: [F(0)] * 4 for part in ("weights", "biases", "kernel")}
    for pattern in range(2 ** (depth - 1)):
        opened = [bool(pattern >> i & 1) for i in range(depth - 1)]
        if slope == 0:  # one closed neuron closes the rest
            given = moments_given([F(all(opened))] * (depth - 1))
        else:
            given = moments_given([F(1) if o else slope**2 for o in opened])
        for part, values in given.items():
            want[part] = [w + v / 2 ** (depth - 1) for w, v in zip(want[part], values, strict=True)]
    for part, values in want.items():
        assert [law.fraction(part, order) for order in (1, 2, 3, 4)] == values


@pytest.mark.parametrize("widths", [[1], [2], [1, 1, 1], [2, 2, 2], [1, 2], [2, 1], [3, 1, 2, 1]])
@pytest.mark.parametrize("n_in", [1, 4])
def test_mean_of_the_bias_part_counts_dead_layers(widths, n_in):
    """E K_b = 1 + ½ Σ_j Π_{i<j} (1 − 2^(−n_i)), not d/2; (d+1)/2 for wide layers."""
    law = fw.KernelLaw(fw.MLP(n_in=n_in, widths=widths))
    alive, want = F(1), F(1)
    for n in widths:
        want += alive / 2
        alive *= 1 - F(1, 2**n)
    assert law.fraction("biases") == want
    assert law.mean("biases") == pytest.approx(float(want), rel=ROUNDING)
    leaky = fw.KernelLaw(
        fw.MLP(n_in=n_in, widths=widths, activation="leaky_relu", negative_slope=0.0)
    )
    assert leaky.fraction("biases") == want  # slope 0 is ReLU by whatever name
    if len(widths) > 1:
        assert want < F(len(widths) + 2, 2)


def test_mean_of_the_bias_part_in_deep_narrow_networks():
    """Σ_j (1 − 2^(−n))^(j−1)/2 → 2^(n−1): depth adds nothing once all layers are dead."""
    for n in (1, 2, 5):
        law = fw.KernelLaw(fw.MLP.equal_width(3, n, 2000))
        assert law.mean("biases") == pytest.approx(1 + 2.0 ** (n - 1), rel=ROUNDING)
        assert law.mean("weights") == pytest.approx(2001, rel=3e-12)  # unhurt: E K_w = d|x|²/n_in


# -- published numbers ----------------------------------------------------------------------------


@pytest.mark.parametrize("width", [20, 100, 2**20])
def test_mean_of_guillen_misof_gerken(width):
    """Guillen, Misof & Gerken 2025 (arXiv 2508.11522), Fig. 3: Θ00 = 2.67651 at every width.

    ReLU, 4 weight layers, gain 2 in the hidden layers and 1 in the readout, no biases. Their
    inputs are printed to five decimals, and Θ00 = 2|x|² moves by up to 4 (|x_1| + |x_2|) 5e-6.
    """
    x = np.array([-0.98952, -0.59925])
    law = fw.KernelLaw(fw.MLP.equal_width(2, width, 3, bias=False), x)
    assert abs(law.mean() - 2.67651) <= 4 * np.abs(x).sum() * 5e-6 + 5e-6
    assert law.mean() == pytest.approx(2 * float(x @ x), rel=ROUNDING)
    doubled = fw.KernelLaw(fw.MLP.equal_width(2, width, 3, bias=False, output_gain=2.0), x)
    assert doubled.mean() == pytest.approx(2 * law.mean(), rel=ROUNDING)


def sampling_error(law: fw.KernelLaw, networks: int) -> float:
    """Standard error of the dispersion of so many networks, from the law's own four moments.

    The delta method for m_2/m_1²: Var (K²/m_1² − 2 m_2 K/m_1³) over the number of networks.
    """
    ratios = [1.0] + [law.moment(k) / law.mean() ** k for k in (1, 2, 3, 4)]
    square, fourth, third = ratios[2], ratios[4], ratios[3]
    variance = fourth - square**2 - 4 * square * (third - square) + 4 * square**2 * (square - 1)
    return sqrt(variance / networks)


SELEZNOVA = {10: 1.254, 25: 1.860}


def seleznova(hidden_layers: int, **fields: object) -> fw.KernelLaw:
    """Width 100, n_in = 100, |x| = 1, gain 2."""
    net = fw.MLP.equal_width(100, 100, hidden_layers, **fields)
    return fw.KernelLaw(net, power_sums=(1.0,))


@pytest.mark.parametrize("hidden_layers", SELEZNOVA)
def test_dispersion_of_seleznova_kutyniok(hidden_layers):
    """Seleznova & Kutyniok 2022 (arXiv 2202.00553): E Θ²/(E Θ)² over 500 networks, σ_w² = 2.

    Derivatives with respect to the scaled weights, gain 2 in every layer. One standard error of
    500 networks is 0.027 (10 layers) and 0.24 (25); their values lie within one of the law. With
    unit-variance weights the law is 2.8 and 1.2 of them away.
    """
    law = seleznova(hidden_layers, parametrization="standard", output_gain=2.0)
    error = sampling_error(law, 500)
    assert abs(law.dispersion() - SELEZNOVA[hidden_layers]) < error


@pytest.mark.parametrize(
    ("hidden_layers", "readout", "dispersion", "digit"),
    [
        (10, 2.0, 1.178, 1e-3),
        (25, 2.0, 1.565, 1e-3),
        (10, 1.0, 1.1505, 1e-4),
        (25, 1.0, 1.5254, 1e-4),
    ],
)
def test_dispersion_of_the_same_networks_with_unit_variance_weights(
    hidden_layers, readout, dispersion, digit
):
    """Reference values to one unit of their last digit."""
    law = seleznova(hidden_layers, output_gain=readout)
    assert abs(law.dispersion() - dispersion) < digit
