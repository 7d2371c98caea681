"""The ways through the layers agree: products, squaring, walking, Fractions, long Decimals.

Tolerances are rounding. A layer multiplies a term by at most a dozen factors (variances,
falling factorials, moments of the slope, cumulants), so after d layers the relative error of a
sum of terms of one sign stays below 16·d·eps; a logarithm adds eps of its own size.
"""

from decimal import Decimal, localcontext
from fractions import Fraction
from math import exp, isfinite, log, log10

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.law import chain as chain_module
from finitewidth.law.arithmetic import exactly, to_digits
from finitewidth.law.chain import Chain
from finitewidth.law.layerwise import Segment, hidden_segments
from finitewidth.law.scaled import Scaled
from finitewidth.law.schemes import Scheme, cross, hessian, kernel_power, output_kernel
from finitewidth.network import Widths

EPS = float(np.finfo(float).eps)

FEW = {
    "K": kernel_power(1, "kernel", True),
    "K squared": kernel_power(2, "kernel", True),
    "K_w K_b": cross(),
    "N gHg": hessian(1, 1, True),
    "N^4": output_kernel(4, 0, True),
}
MANY = {
    "K^3": kernel_power(3, "kernel", True),
    "K_b^4": kernel_power(4, "biases", True),
    "gHg squared": hessian(0, 2, True),
}
SCHEMES = FEW | MANY


def rounding(depth: int, logarithm: float) -> float:
    """Error of a logarithm that rounding alone explains."""
    return EPS * (16 * depth + 4 * abs(logarithm))


def log_of(value: Fraction) -> float:
    """Natural logarithm of a Fraction of any size."""
    with localcontext() as context:
        context.prec, context.Emax, context.Emin = 40, 10**15, -(10**15)
        return float((Decimal(value.numerator) / Decimal(value.denominator)).ln())


def chain_of(net: fw.MLP, scheme: Scheme, x: object = None) -> Chain:
    return Chain(net, fw.KernelLaw(net, x)._sums, scheme)


def one_by_one(net: fw.MLP) -> list[Segment]:
    """The hidden layers after the first, each on its own."""
    return [
        Segment(segment.fan_in, segment.width, 1)
        for segment in hidden_segments(net)[1:]
        for _ in range(segment.count)
    ]


def stacked(chain: Chain, state: Scaled) -> Scaled:
    return state.times_all(chain.matrices(one_by_one(chain.net)))


def squared(chain: Chain, state: Scaled) -> Scaled:
    for segment in hidden_segments(chain.net)[1:]:
        state = state.times_power(chain.matrices([segment]), segment.count)
    return state


def walked(chain: Chain, state: Scaled) -> Scaled:
    return chain._walked(state, one_by_one(chain.net))


WAYS = {"stacked": stacked, "squared": squared, "walked": walked}


def logarithm(chain: Chain, way: str) -> float:
    """Log of the expectation, all hidden layers taken one way."""
    found = chain._closed(WAYS[way](chain, chain.after_first_layer()))
    if chain.scheme.can_be_all_biases:
        found = found + chain.all_biases_at_output()
    return found.log


def exact_logarithm(net: fw.MLP, scheme: Scheme, x: object = None) -> float:
    return log_of(to_digits(net, fw.KernelLaw(net, x)._sums, scheme, 40))


rng = np.random.default_rng(7)
UNEQUAL = rng.integers(2, 40, 60).tolist()
NETS = {
    "equal": fw.MLP.equal_width(3, 20, 60),
    "unequal": fw.MLP(n_in=3, widths=UNEQUAL),
    "runs": fw.MLP(n_in=5, widths=[5] * 20 + [40] * 3 + [7] * 30, weight_law="laplace"),
    "leaky": fw.MLP(n_in=2, widths=[3, 9] * 25, activation="leaky_relu", negative_slope=-0.7,
                    weight_law="uniform", hidden_gain=1.3, output_gain=5.0, bias_lr=0.3),
    "standard": fw.MLP(n_in=2, widths=[6] * 40, parametrization="standard", hidden_gain=1.7),
}  # fmt: skip


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", NETS)
def test_every_way_gives_what_long_decimals_give(name, scheme):
    net = NETS[name]
    want = exact_logarithm(net, SCHEMES[scheme])
    chain = chain_of(net, SCHEMES[scheme])
    for way in WAYS:
        assert abs(logarithm(chain, way) - want) <= rounding(net.depth, want), way
    assert abs(chain.expectation().log - want) <= rounding(net.depth, want)


@pytest.mark.parametrize(
    "scheme", [kernel_power(4, "kernel", True), hessian(2, 2, True)], ids=["K^4", "N gHg squared"]
)
def test_every_way_with_hundreds_of_states(scheme):
    net = fw.MLP(n_in=2, widths=[4, 4, 4, 9], weight_law="laplace")
    x = np.array([1.0, 0.25])
    want = log_of(exactly(net, fw.KernelLaw(net, x)._sums, scheme))
    chain = chain_of(net, scheme, x)
    for way in WAYS:
        assert abs(logarithm(chain, way) - want) <= rounding(net.depth, want), way


@pytest.mark.parametrize("scheme", SCHEMES)
def test_decimals_equal_fractions(scheme):
    """Forty digits of a sum of positive terms: a few hundred roundings cost three of them."""
    net = fw.MLP(n_in=3, widths=[3, 7, 5, 2], weight_law="uniform")
    sums = fw.KernelLaw(net, [2, 1, 0])._sums
    fraction = exactly(net, sums, SCHEMES[scheme])
    decimal = to_digits(net, sums, SCHEMES[scheme], 40)
    assert fraction != decimal  # thirds have no last digit: these are two computations
    assert abs(decimal / fraction - 1) < Fraction(1, 10**36)


def quantities(law: fw.KernelLaw) -> dict[str, float]:
    """Quantities with few and with many states, all as logarithms."""
    return {
        "kernel": law.log_moment(1),
        "kernel squared": law.log_moment(2),
        "biases cubed": law.log_moment(3, "biases"),
        "weights cubed": law.log_moment(3, "weights"),
        "cross": law.log_cross_moment(),
        "update": law.log_update_mean(),
    }


def assert_equal_logs(got: dict[str, float], want: dict[str, float], depth: int) -> None:
    for name, value in want.items():
        assert isfinite(value)
        # two roundings are compared
        assert abs(got[name] - value) <= 2 * rounding(depth, value), name


@pytest.mark.parametrize("layers", [1, 2, 40, 2000])
def test_runs_equal_lists(layers):
    run = fw.MLP.equal_width(7, 30, layers)
    listed = fw.MLP(n_in=7, widths=[30] * layers)
    assert quantities(fw.KernelLaw(run)) == quantities(fw.KernelLaw(listed))
    pieces = fw.MLP(n_in=7, widths=Widths([(30, 1), (30, layers)])[:layers])
    assert quantities(fw.KernelLaw(pieces)) == quantities(fw.KernelLaw(run))


@pytest.mark.parametrize("few_states", [0, 10**6])
def test_two_thousand_unequal_layers(few_states, monkeypatch):
    """Walking and stacking, chosen from outside; K squared also against long Decimals."""
    widths = np.random.default_rng(3).integers(20, 60, 2000).tolist()
    law = fw.KernelLaw(fw.MLP(n_in=7, widths=widths))
    want = quantities(law)
    assert want["kernel squared"] > 300 * log(2)  # far outside a narrow band, and 5β = 270
    monkeypatch.setattr(chain_module, "_FEW_STATES", few_states)
    assert_equal_logs(quantities(law), want, law.net.depth)
    exact = exact_logarithm(law.net, SCHEMES["K squared"])
    assert abs(want["kernel squared"] - exact) <= rounding(law.net.depth, exact)


@pytest.mark.parametrize("stack", [1, 7, 64])
def test_long_stacks_are_cut(stack, monkeypatch):
    law = fw.KernelLaw(fw.MLP(n_in=7, widths=np.arange(3, 203).tolist()))
    want = quantities(law)
    monkeypatch.setattr(chain_module, "_STACK", stack)
    assert_equal_logs(quantities(law), want, law.net.depth)


# -- scales that a single power of two cannot hold ------------------------------------------------

NARROW = {2: 1800, 3: 500}  # layers, for E K² and E K³
WIDE = 1000
SUBCRITICAL = {"activation": "leaky_relu", "negative_slope": 0.5, "hidden_gain": 1.0}


def narrow_then_wide(kind: str, narrow: int) -> fw.MLP:
    """First the moments of the signal explode, then everything from the input dies.

    A_2 = 0.625, A_4 = 0.531, A_6 = 0.508: in layers of width 1 four paths together grow by
    3 A_4 = 1.59 a layer and six by 15 A_6 = 7.6; in wide ones they shrink by A_2² = 0.39 and
    A_2³ = 0.24; no path at all keeps weight 1. After the narrow layers the paths from the input
    are 2^1200 times heavier than those that have not started; in the end they are gone, and the
    moment consists of biases that started in the last layers.
    """
    if kind == "runs":
        widths: object = Widths([(1, narrow), (10**6, WIDE)])
    else:  # short runs only: nothing is squared
        widths = [1 + (j % 50 == 0) for j in range(narrow)] + [10**6 + j % 2 for j in range(WIDE)]
    return fw.MLP(n_in=1, widths=widths, **SUBCRITICAL)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["runs", "list"])
@pytest.mark.parametrize("order", [2, 3])
def test_groups_of_states_keep_scales_of_their_own(kind, order):
    net = narrow_then_wide(kind, NARROW[order])
    scheme = kernel_power(order, "kernel", True)
    part = fw.MLP(n_in=1, widths=net.widths[: NARROW[order]], **SUBCRITICAL)
    chain = chain_of(part, scheme)
    powers = chain._through(chain.after_first_layer()).exponents[0, 0]
    assert powers.max() - powers.min() > 1074 + 53  # a double holds no more
    want = exact_logarithm(net, scheme)
    assert abs(fw.KernelLaw(net).log_moment(order) - want) <= rounding(net.depth, want)
    # Biases alone, of a critical mass of a few layers: (Σ_k (5/8)^k)^order at infinite width.
    assert want == pytest.approx(order * log(1 / (1 - 5 / 8)), rel=1e-3)


@pytest.mark.parametrize("way", WAYS)
def test_every_way_keeps_the_scales(way):
    widths = [1] * 1800 + [50] * 1000
    net = fw.MLP(n_in=1, widths=widths, **SUBCRITICAL)
    scheme = SCHEMES["K squared"]
    want = exact_logarithm(net, scheme)
    assert abs(logarithm(chain_of(net, scheme), way) - want) <= rounding(net.depth, want)


def test_what_comes_from_the_input_is_kept_when_it_is_tiny():
    """E K_w² is 2^(−3400) of E K_b²; no sum with it may swallow it."""
    net = fw.MLP.equal_width(1, 50, 2500, **SUBCRITICAL)
    law = fw.KernelLaw(net)
    for part, order in (("weights", 2), ("weights", 1), ("weights", 3)):
        want = exact_logarithm(net, kernel_power(order, part, True))
        assert want < -1100
        assert abs(law.log_moment(order, part) - want) <= rounding(net.depth, want)
    for name, scheme in (("log_cross_moment", cross()), ("log_update_mean", hessian(1, 1, True))):
        want = exact_logarithm(net, scheme) + (log(2) if "update" in name else 0.0)
        assert want < -1100
        assert abs(getattr(law, name)() - want) <= rounding(net.depth, want)


def test_the_breakdown_keeps_the_scales():
    net = fw.MLP(n_in=1, widths=[1] * 1800 + [50] * 1000, **SUBCRITICAL)
    shares = fw.KernelLaw(net).layer_shares("kernel_squared")
    want = exact_logarithm(net, SCHEMES["K squared"])
    assert abs(shares.log_total - want) <= 4 * rounding(net.depth, want)
    assert shares.weights.sum() + shares.biases.sum() == pytest.approx(1.0, rel=1e-12)


# -- log form and plain form ----------------------------------------------------------------------


@pytest.mark.parametrize("name", NETS)
def test_log_form_is_the_logarithm_of_the_plain_form(name):
    law = fw.KernelLaw(NETS[name])
    pairs = [(law.log_moment(k, part), law.moment(k, part))
             for k in (1, 2, 3, 4) for part in ("kernel", "weights", "biases")]  # fmt: skip
    pairs += [
        (law.log_cross_moment(), law.cross_moment()),
        (law.log_dispersion(), law.dispersion()),
        (law.log_dispersion("weights"), law.dispersion("weights")),
        (law.log_update_mean(0.3), -law.update_mean(0.3)),
    ]
    for logged, plain in pairs:
        assert logged == pytest.approx(log(plain), rel=4 * EPS, abs=4 * EPS)
        assert exp(logged) == pytest.approx(plain, rel=1e-13)


TOO_LARGE = {
    "moment": (lambda law: law.moment(2), "use log_moment"),
    "moment of a part": (lambda law: law.moment(3, "biases"), "use log_moment"),
    "cross": (lambda law: law.cross_moment(), "use log_cross_moment"),
    "dispersion": (lambda law: law.dispersion(), "use log_dispersion"),
    "update": (lambda law: law.update_mean(), "use log_update_mean"),
    "update parts": (lambda law: law.update_parts(), "use log_update_mean"),
    "relative update": (lambda law: law.relative_update(), "use log_update_mean"),
    "fourth moment of N": (lambda law: law.output_moment(4), "reduce the gain or the depth"),
    "N and K": (lambda law: law.output_kernel_moment(), "reduce the gain or the depth"),
    "update variance": (lambda law: law.update_variance(), ""),
    "relative variance": (lambda law: law.relative_variance(), ""),
}


@pytest.mark.parametrize(("ask", "way_out"), TOO_LARGE.values(), ids=TOO_LARGE)
def test_what_does_not_fit_a_double_says_so(ask, way_out):
    law = fw.KernelLaw(fw.MLP.equal_width(5, 10, 3000))
    with pytest.raises(ValueError, match="outside the range of a double") as caught:
        ask(law)
    assert way_out in str(caught.value)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_what_is_too_small_for_a_double_says_so():
    law = fw.KernelLaw(fw.MLP.equal_width(5, 10, 3000, hidden_gain=0.5))
    with pytest.raises(ValueError, match=r"E K\^1 is e\^\(-4.*use log_moment"):
        law.mean("weights")
    assert law.log_moment(1, "weights") == pytest.approx(
        log(3001) - 3000 * log(4), abs=rounding(3001, 5000.0)
    )


# -- a million layers -----------------------------------------------------------------------------


def test_a_million_layers():
    """Finite, monotone, and growing at the rate of the largest eigenvalue.

    Four paths without marks: in units of the states "one neuron" and "two neurons", a layer of
    width n is [[6, 3(n − 1)], [2, n − 1]]/n for Gaussian weights. E K_w² grows like d² λ^d.
    """
    n, depths = 100, (10**5, 3 * 10**5, 10**6)
    laws = [fw.KernelLaw(fw.MLP.equal_width(50, n, d - 1)) for d in depths]
    for d, law in zip(depths, laws, strict=True):
        # 16·d·eps is what rounding may do, and 2^(−100) d is nothing
        assert law.mean("weights") == pytest.approx(d, rel=16 * d * EPS)
        assert law.mean("biases") == pytest.approx((d + 1) / 2, rel=16 * d * EPS)
    rows = [quantities(law) | {"spread": law.log_dispersion()} for law in laws]
    for name in rows[0]:
        assert rows[0][name] < rows[1][name] < rows[2][name]
        assert isfinite(rows[2][name])
    growth = log(np.linalg.eigvals(np.array([[6, 3 * (n - 1)], [2, n - 1]]) / n).real.max())
    assert growth == pytest.approx(5 / n, rel=0.05)
    for (d_1, law_1), (d_2, law_2) in zip(
        zip(depths, laws, strict=True), list(zip(depths, laws, strict=True))[1:], strict=False
    ):
        risen = law_2.log_moment(2, "weights") - law_1.log_moment(2, "weights")
        power = 2 * log(d_2 / d_1)
        # d² is (d + O(n))²: n/d of the power is left open, and rounding.
        open_part = 10 * n / d_1 + rounding(d_2, risen)
        assert abs(risen - (d_2 - d_1) * growth - power) < open_part


def test_the_log_of_a_billion_layers():
    law = fw.KernelLaw(fw.MLP.equal_width(50, 1000, 10**9))
    assert law.mean("weights") == pytest.approx(10**9 + 1, rel=1e-4)
    assert law.log_dispersion() == pytest.approx(5e6, rel=0.01)
    assert log10(law.net.depth) > 9
