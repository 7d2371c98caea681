"""What `KernelLaw` is given and what it refuses, each with one sentence."""

from collections.abc import Callable
from fractions import Fraction as F

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.law.inputs import from_vector
from finitewidth.network import GivenMoments

NAN, INF = float("nan"), float("inf")
NET = fw.MLP(n_in=3, widths=[4])


def net(**fields: object) -> fw.MLP:
    return fw.MLP(**({"n_in": 3, "widths": [4]} | fields))  # type: ignore[arg-type]


def law(**fields: object) -> fw.KernelLaw:
    return fw.KernelLaw(net(**fields))


def student(df: float, **fields: object) -> fw.KernelLaw:
    return law(weight_law=f"student_t:{df}", **fields)


def assert_one_sentence(message: str, *pieces: str) -> None:
    for piece in pieces:
        assert piece in message, message
    assert "\n" not in message
    assert not message.startswith(("'", "can't", "must", "cannot", "max("))


# -- what is accepted -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "x",
    [[1, 2, 2], (1, 2, 2), [1.0, 2.0, 2.0], [F(1), F(2), F(2)], np.array([1.0, 2.0, 2.0]),
     np.array([1, 2, 2]), np.array([1, 2, 2], dtype=np.float32), [1, 2.0, F(2)]],
    ids=repr,
)  # fmt: skip
def test_every_kind_of_vector(x):
    found = fw.KernelLaw(net(weight_law="uniform"), x)
    want = fw.KernelLaw(net(weight_law="uniform"), power_sums=(9.0, 33.0, 129.0, 513.0))
    for order in (1, 2, 3, 4):
        assert found.moment(order) == want.moment(order)
    assert found.squared_norm == 9.0


def test_without_input_every_coordinate_is_one():
    for weight_law in ("gaussian", "laplace"):
        default = law(weight_law=weight_law)
        ones = fw.KernelLaw(net(weight_law=weight_law), np.ones(3))
        assert default.moment(4) == ones.moment(4)
        assert default.squared_norm == 3.0


@pytest.mark.parametrize("x", [[F(1, 3), 0, 0], [2**70, 1, 0]], ids=["thirds", "huge integers"])
def test_rational_inputs_stay_exact(x):
    found = fw.KernelLaw(net(weight_law="uniform"), x).fraction("output", 4)
    square, fourth = sum(F(v) ** 2 for v in x), sum(F(v) ** 4 for v in x)
    y_2 = F(2, 3) * square
    y_4 = F(4, 9) * (3 * square**2 + (F(9, 5) - 3) * fourth)
    # N⁴ of one hidden layer of 4 ReLUs, as in test_values
    assert found == F(1, 16) * (4 * F(9, 5) * y_4 / 2 + 3 * 12 * (y_2 / 2) ** 2)


def test_large_inputs_are_summed_accurately():
    """A hundred thousand coordinates: sums correct to a rounding, whatever their order."""
    x = np.random.default_rng(0).standard_normal(100_000)
    wide = fw.MLP(n_in=100_000, widths=[4])
    exact = sum(F(float(v)) ** 2 for v in x)
    assert fw.KernelLaw(wide, x).squared_norm == pytest.approx(float(exact), rel=5e-16)


def test_the_sign_of_the_input_changes_no_bit():
    """NumPy's powers of many numbers at once may differ in the last bit between x and −x."""
    wide = fw.MLP(n_in=64, widths=[4])
    for seed in range(200):
        x = np.random.default_rng(seed).standard_normal(64)
        assert from_vector(wide, x) == from_vector(wide, -x) == from_vector(wide, np.abs(x))


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64, F, int])
def test_power_sums_are_numbers_of_any_kind(kind, unchecked):
    sums = tuple(kind(value) for value in (9, 33, 129, 513))
    uniform = net(weight_law="uniform")
    found = fw.KernelLaw(uniform, power_sums=sums)
    assert found.moment(4) == fw.KernelLaw(uniform, power_sums=(9, 33, 129, 513)).moment(4)


@pytest.mark.parametrize("size", [1e-70, 1e-45, 1e45, 1e70])
def test_inputs_of_extreme_size(size):
    """|x|⁴ fits a double, Σ x_i⁸ need not: K_w is |x|² times what it is at size 1."""
    one, other = fw.KernelLaw(NET, np.ones(3)), fw.KernelLaw(NET, np.full(3, size))
    assert other.mean("weights") == pytest.approx(size**2 * one.mean("weights"), rel=1e-12)
    assert other.mean("biases") == one.mean("biases")
    assert other.log_moment(2, "weights") == pytest.approx(
        one.log_moment(2, "weights") + 4 * np.log(size), rel=1e-12
    )


EXTREME = {
    "|x|² = 1e90": lambda: fw.KernelLaw(NET, power_sums=(1e90,)),
    "|x|² = 1e200": lambda: fw.KernelLaw(NET, power_sums=(1e200,)),
    "|x|² = 1e-200": lambda: fw.KernelLaw(NET, power_sums=(1e-200,)),
    "hidden gain 1e200": lambda: law(widths=[4, 4], hidden_gain=1e200),
    "hidden gain 1e-200": lambda: law(widths=[4, 4], hidden_gain=1e-200),
    "output gain 1e200": lambda: law(output_gain=1e200),
    "output gain 1e-200": lambda: law(output_gain=1e-200),
    "bias rate 1e200": lambda: law(bias_lr=1e200),
}


@pytest.mark.parametrize("part", ["kernel", "weights"])
@pytest.mark.parametrize("make", EXTREME.values(), ids=EXTREME)
def test_extreme_scales_are_right_or_refused(make, part):
    """No nan, no inf, and never the claim that E K_w^m is 0."""
    found = make()
    for order in (1, 2, 3, 4):
        value, message = value_or_message(found, order, part)
        assert np.isfinite(value)
        if message:
            assert "range" in message
            assert "is 0 in this network" not in message
        else:
            first = order * found.log_moment(1, part)
            assert value >= first - 1e-9 * abs(first)  # Jensen


def value_or_message(found: fw.KernelLaw, order: int, part: str) -> tuple[float, str]:
    try:
        return found.log_moment(order, part), ""
    except ValueError as error:
        return 0.0, str(error)


# -- bad inputs -----------------------------------------------------------------------------------

EXPECTED_X = "expected [3] (one input; n_in is 3)."
BAD_X = [
    (np.ones(2), "x has shape [2]", EXPECTED_X),
    (np.ones((1, 3)), "x has shape [1, 3]", EXPECTED_X),
    (np.ones((3, 1)), "x has shape [3, 1]", EXPECTED_X),
    (1.0, "x has shape []", EXPECTED_X),
    ([1, 2], "x has shape [2]", EXPECTED_X),
    ([], "x has shape [0]", EXPECTED_X),
    ([[1, 2, 3]], "x has shape [1, 3]", EXPECTED_X),
    ("abc", "x is str", "expected 3 numbers (shape [n_in])."),
    (["a", "b", "c"], "x is list", "expected 3 numbers"),
    (np.array(["1", "2", "3"]), "x is", "expected 3 numbers"),
    ([1, [2, 3], 4], "x is list", "expected 3 numbers"),
    ([...] * 3, "x is list", "expected 3 numbers"),
    ({"a": 1}, "x is dict", "expected 3 numbers"),
    (np.array([1 + 2j, 1, 1]), "x", "expected"),
    (np.array([1.0, NAN, 2.0]), "x[1] is nan", "expected finite numbers only."),
    ([1.0, 2.0, INF], "x[2] is inf", "expected finite numbers only."),
    ([1, 2, None], "x", "expected"),
    (np.zeros(3), "|x|² is 0", "expected an input that is not zero"),
    ([0, 0, 0], "|x|² is 0", "expected an input that is not zero"),
    (np.full(3, 1e200), "|x|² is 10^400.5", "scale the input"),
    (np.full(3, 1e-170), "|x|² is 10^-339.5", "scale the input"),
    (np.full(3, 1.5e308), "|x|² is 10^616.8", "scale the input"),
]


@pytest.mark.parametrize(
    ("x", "given", "expected"), BAD_X, ids=[f"{i} {row[0]!r}" for i, row in enumerate(BAD_X)]
)
def test_bad_inputs(x, given, expected, unchecked):
    with pytest.raises((ValueError, TypeError)) as caught:
        fw.KernelLaw(NET, x)
    assert_one_sentence(str(caught.value), given, expected)


BAD_SUMS = [
    (1.0, "power_sums is 1.0", "expected a tuple of 1 to 4 numbers"),
    ("ab", "power_sums is 'ab'", "expected a tuple of 1 to 4 numbers"),
    ((), "power_sums is ()", "expected a tuple of 1 to 4 numbers"),
    ((1, 1, 1, 1, 1), "power_sums is (1, 1, 1, 1, 1)", "expected a tuple of 1 to 4 numbers"),
    ((0.0,), "|x|² is 0", "expected an input that is not zero"),
    ((-1.0,), "|x|² is -1", "expected an input that is not zero"),
    ((NAN,), "power_sums holds nan", "expected finite numbers"),
    (("a",), "power_sums holds 'a'", "expected finite numbers"),
    ((10**400,), "|x|² is 10^400", "scale the input"),
    ((True,), "power_sums holds True", "expected finite numbers"),
    ((1.0, 2.0), "|x|_4^4 is 2, above |x|_2^2 squared (1)", "in the order |x|_2^2, |x|_4^4"),
    ((1.0, 0.0), "power sum 2 is 0", "which no input has"),
    ((1.0, 0.5, 0.1), "power sum 3 is 0.1", "which no input has"),
    ((2.0, 2.0, 2.0, 1.0), "power sum 4 is 1", "which no input has"),
]


@pytest.mark.parametrize(
    ("sums", "given", "expected"), BAD_SUMS, ids=[repr(r[0]) for r in BAD_SUMS]
)
def test_bad_power_sums(sums, given, expected, unchecked):
    with pytest.raises((ValueError, TypeError)) as caught:
        fw.KernelLaw(NET, power_sums=sums)
    assert_one_sentence(str(caught.value), given, expected)


def test_both_kinds_of_input():
    with pytest.raises(ValueError, match="x and power_sums were both given; give one of them"):
        fw.KernelLaw(NET, np.ones(3), power_sums=(3.0,))


# -- networks outside the law ---------------------------------------------------------------------


def softplus(z: np.ndarray) -> np.ndarray:
    return np.log1p(np.exp(z))


OUTSIDE = {
    "tanh": ({"activation": "tanh"}, "got 'tanh'; use fw.expansion.kernel"),
    "a function": ({"activation": softplus}, "got 'softplus'; use fw.expansion.kernel"),
    "biases": (
        {"bias_variance": 0.5},
        "biases that are zero at initialisation, got bias_variance=0.5; use fw.simulate",
    ),
    "residual": ({"residual": (1.0, 0.5)}, "got residual=(1.0, 0.5); use fw.simulate.ensemble"),
    "outputs": ({"n_out": 2}, "for a scalar output, got n_out=2; at initialisation"),
}


@pytest.mark.parametrize(("fields", "said"), OUTSIDE.values(), ids=OUTSIDE)
def test_networks_outside_the_law(fields, said):
    with pytest.raises(ValueError, match=r"^the exact law ") as caught:
        law(**fields)
    assert_one_sentence(str(caught.value), said)


def test_no_network_at_all(unchecked):
    with pytest.raises(TypeError, match="net is list, expected an MLP"):
        fw.KernelLaw([3, 4])  # type: ignore[arg-type]


# -- bad arguments --------------------------------------------------------------------------------

LAW = fw.KernelLaw(NET)
NO_BIAS = law(bias=False)
FLAT = law(widths=[])
PART = "expected one of kernel, weights, biases"
RATE = "expected a finite number above 0"
BAD_CALLS: list[tuple[str, Callable[[], object], str, str]] = [
    ("part", lambda: LAW.mean("foo"), "part is 'foo'", PART),
    ("part 3", lambda: LAW.moment(2, 3), "part is 3", PART),  # type: ignore[arg-type]
    ("part of a log", lambda: LAW.log_moment(1, "bias"), "part is 'bias'", PART),
    ("part of dispersion", lambda: LAW.dispersion("weight"), "part is 'weight'", PART),
    ("part of skewness", lambda: LAW.skewness("weight"), "part is 'weight'", PART),
    ("order 0", lambda: LAW.moment(0), "order is 0", "expected 1, 2, 3 or 4"),
    ("order 5", lambda: LAW.moment(5), "order is 5", "sample the law for more"),
    ("order True", lambda: LAW.moment(True), "order is True", "expected 1, 2, 3 or 4"),
    ("order 2.0", lambda: LAW.moment(2.0), "order is 2.0", "expected 1, 2, 3 or 4"),  # type: ignore[arg-type]
    ("order '2'", lambda: LAW.moment("2"), "order is '2'", "expected 1, 2, 3 or 4"),  # type: ignore[arg-type]
    ("odd order of N", lambda: LAW.output_moment(3), "order is 3", "expected 2 or 4"),
    ("rate 0", lambda: LAW.update_mean(0), "learning_rate is 0", RATE),
    ("rate -1", lambda: LAW.relative_update(-1.0), "learning_rate is -1.0", RATE),
    ("rate nan", lambda: LAW.update_variance(NAN), "learning_rate is nan", RATE),
    ("rate inf", lambda: LAW.log_update_mean(INF), "learning_rate is inf", RATE),
    ("rate True", lambda: LAW.update_mean(True), "learning_rate is True", RATE),
    ("rate 1e400", lambda: LAW.update_mean(10**400), "learning_rate is 1000", RATE),
    ("rate 1e-400", lambda: LAW.update_mean(F(1, 10**400)), "learning_rate is Fraction", RATE),  # type: ignore[arg-type]
    ("rate 'a'", lambda: LAW.update_mean("a"), "learning_rate is 'a'", RATE),  # type: ignore[arg-type]
    ("rate None", lambda: LAW.update_mean(None), "learning_rate is None", RATE),  # type: ignore[arg-type]
    ("target nan", lambda: LAW.update_variance(1.0, NAN), "target is nan", "a finite number"),
    ("target 'a'", lambda: LAW.update_variance(1.0, "a"), "target is 'a'", "a finite number"),  # type: ignore[arg-type]
    ("fraction", lambda: LAW.fraction("foo"), "quantity is 'foo'", "expected kernel, weights,"),
    ("fraction, order 5", lambda: LAW.fraction("kernel", 5), "order is 5", "1, 2, 3 or 4"),
    ("fraction, N^0", lambda: LAW.fraction("output", 0), "order is 0", "expected"),
    ("fraction, N^-2", lambda: LAW.fraction("output", -2), "order is -2", "expected"),
    ("fraction, N^10", lambda: LAW.fraction("output", 10), "order is 10", "expected"),
    ("shares", lambda: LAW.layer_shares("foo"), "quantity is 'foo'", "expected one of kernel,"),
    ("no biases", lambda: NO_BIAS.dispersion("biases"), "K_b is 0", ""),
    ("variance of none", lambda: NO_BIAS.variance("biases"), "K_b is 0", "part='weights'"),
    ("log of none", lambda: NO_BIAS.log_moment(2, "biases"), "is 0 in this network", ""),
    ("log of no cross", lambda: NO_BIAS.log_cross_moment(), "E K_w K_b is 0", ""),
    ("no update", lambda: FLAT.log_update_mean(), "E ΔK is 0", "no logarithm"),
    ("no spread", lambda: FLAT.skewness(), "does not vary between seeds", ""),
    ("no spread, kurtosis", lambda: FLAT.kurtosis("biases"), "does not vary between seeds", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "given", "expected"), [row[1:] for row in BAD_CALLS], ids=[row[0] for row in BAD_CALLS]
)
def test_bad_arguments(call, given, expected, unchecked):
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    assert_one_sentence(str(caught.value), given, expected)
    assert str(caught.value).endswith((".", ")"))


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.float16, F, np.int64, int])
def test_learning_rates_are_numbers_of_any_kind(kind, unchecked):
    rate = kind(2)
    assert LAW.update_mean(rate) == LAW.update_mean(2.0)
    assert LAW.log_update_mean(rate) == LAW.log_update_mean(2.0)
    assert LAW.relative_update(rate) == LAW.relative_update(2.0)
    assert LAW.update_variance(rate, target=1.0) == LAW.update_variance(2.0, target=1.0)
    assert LAW.log_update_variance(rate) == LAW.log_update_variance(2.0)
    assert law(bias_lr=rate).mean() == law(bias_lr=2.0).mean()
    targets = {"max_relative_update": 4.0, "n_in": 3}
    assert fw.design.width_for(2, learning_rate=rate, **targets) == fw.design.width_for(
        2, learning_rate=2.0, **targets
    )
    step = fw.simulate.first_step(NET, np.ones(3), 0.0, learning_rate=rate, size=2, seed=1)
    other = fw.simulate.first_step(NET, np.ones(3), 0.0, learning_rate=2.0, size=2, seed=1)
    assert step.mean_change().value == other.mean_change().value


@pytest.mark.parametrize("rate", [1e-170, 1e170])
def test_learning_rates_of_extreme_size(rate):
    """Var ΔK ∝ λ², which need not fit a double: then a sentence, and the log form."""
    with pytest.raises(ValueError, match="outside the range of a double; use log_update_variance"):
        LAW.update_variance(rate)
    want = LAW.log_update_variance() + 2 * np.log(rate)
    assert LAW.log_update_variance(rate) == pytest.approx(want, rel=1e-14)
    assert LAW.update_mean(rate) == pytest.approx(rate * LAW.update_mean(), rel=1e-14)


# -- moments that a weight law or an input does not have ------------------------------------------


def test_what_student_t_has():
    assert student(3).mean() > 0
    assert student(5).moment(2) > 0
    assert student(5).update_mean() < 0
    assert student(5).dispersion("biases") > 1
    assert student(7).skewness() > 0
    assert student(8.5).update_variance(target=1.0) > 0
    assert student(8.5).kurtosis() > 1


MISSING = {
    "second moment, df 3": (lambda: student(3).moment(2), "E W^4", "'student_t:3'"),
    "second moment, df 4": (lambda: student(4).dispersion(), "E W^4", "'student_t:4'"),
    "third moment, df 5": (lambda: student(5).moment(3), "E W^6", "'student_t:5'"),
    "third moment, biases": (lambda: student(5).moment(3, "biases"), "E W^6", "'student_t:5'"),
    "skewness": (lambda: student(5).skewness(), "E W^6", "'student_t:5'"),
    "fourth moment": (lambda: student(7).moment(4), "E W^8", "'student_t:7'"),
    "spread of the update": (lambda: student(7).update_variance(), "E W^8", "'student_t:7'"),
    "fraction": (lambda: student(5).fraction("kernel", 3), "E W^6", "'student_t:5'"),
    "shares": (lambda: student(3).layer_shares("kernel_squared"), "E W^4", "'student_t:3'"),
    "given moments": (
        lambda: law(weight_law=GivenMoments({4: 2})).moment(3), "E W^6", "'given moments'"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("ask", "moment", "name"), MISSING.values(), ids=MISSING)
def test_moments_that_the_weight_law_does_not_have(ask, moment, name):
    with pytest.raises(ValueError, match=r"^this quantity needs ") as caught:
        ask()
    assert_one_sentence(str(caught.value), moment, name, "use a law with that moment")


@pytest.mark.parametrize("order", [2, 3, 4])
def test_power_sums_that_were_not_given(order):
    uniform = net(weight_law="uniform")
    sums = (3.0, 3.0, 3.0, 3.0)
    short = fw.KernelLaw(uniform, power_sums=sums[: order - 1])
    said = rf"needs \|x\|_{2 * order}\^{2 * order}, but power_sums holds {order - 1} numbers; give"
    with pytest.raises(ValueError, match=said):
        short.moment(order)
    assert short.moment(order - 1) == fw.KernelLaw(uniform, power_sums=sums).moment(order - 1)
    gaussian = fw.KernelLaw(NET, power_sums=(3.0,))
    assert gaussian.moment(order) == fw.KernelLaw(NET, np.ones(3)).moment(order)


def test_text():
    assert repr(fw.KernelLaw(NET, [1, 2, 2])).endswith("|x|²=9)")
