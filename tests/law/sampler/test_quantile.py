"""Quantiles and their intervals, where the law of K is known, and what is refused.

Two laws in closed form, for one hidden layer of width n, n_in = |x|², gain 2, K_w only:

    identity   K_w = (2/n) (Σ w_i² + Σ y_i²/2) = (2/n) χ²_{2n},
    ReLU       K_w = (2/n) χ²_{2m},  m ~ Binomial(n, ½): an atom 2^(−n) in 0.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats

import finitewidth as fw
from finitewidth._large import allowing
from finitewidth.law.sampler import sample as sample_module
from finitewidth.law.sampler.quantile import from_ordered, from_sorted
from finitewidth.statistics import ordered as module
from finitewidth.statistics.quantiles import ranks

WIDTH = 3


def identity_cdf(k: float) -> float:
    return float(stats.chi2.cdf(WIDTH * k / 2, 2 * WIDTH))


def relu_cdf(k: float) -> float:
    m = np.arange(WIDTH + 1)
    weight = stats.binom.pmf(m, WIDTH, 0.5)
    return float(weight[0] + weight[1:] @ stats.chi2.cdf(WIDTH * k / 2, 2 * m[1:]))


LAWS: dict[str, tuple[fw.MLP, Callable[[float], float]]] = {
    "identity": (fw.MLP(5, [WIDTH], "identity", hidden_gain=2.0), identity_cdf),
    "relu": (fw.MLP(5, [WIDTH]), relu_cdf),
}


def true_quantile(cdf: Callable[[float], float], q: float) -> float:
    found: Any = optimize.brentq(lambda k: cdf(k) - q, 1e-9, 1e3, xtol=1e-13)
    return float(found)


@pytest.mark.parametrize("name", LAWS)
def test_the_closed_law_is_the_sampled_one(name: str) -> None:
    """One-sample Kolmogorov–Smirnov on 300,000 draws; D > 0.0052 has probability 5·10⁻⁷."""
    net, cdf = LAWS[name]
    draws = fw.KernelLaw(net).sample(300_000, 1).weights
    kept = np.sort(draws[draws > 0])
    at_zero = cdf(0.0)
    exact = np.array([cdf(k) for k in kept[::100]])
    sampled = (len(draws) - len(kept) + np.arange(0, len(kept), 100)) / len(draws)
    # Only every hundredth draw is looked at, which loosens the distance by 100/300,000.
    assert np.abs(exact - sampled).max() < 0.0052
    assert abs(at_zero - (0.5**WIDTH if name == "relu" else 0.0)) < 1e-15
    wrong = np.array([cdf(0.97 * k) for k in kept[::100]])
    assert np.abs(wrong - sampled).max() > 0.0052


SEEDS, SIZE, LEVELS = 400, 1000, (0.05, 0.3, 0.5, 0.9, 0.99)


def coverage_band(q: float) -> tuple[int, int]:
    """Hits out of 400 that are exceeded on either side with probability 10⁻⁶/30.

    The exact coverage is P(l ≤ B < u), B ~ Binomial(size, q): the q-quantile lies between the order
    statistics l and u if B of the draws lie below it.
    """
    _, low, high = ranks(q, SIZE)
    inside = stats.binom(SIZE, q)
    coverage = inside.cdf(np.ceil(high) - 1) - inside.cdf(np.ceil(low) - 1)
    hits = stats.binom(SEEDS, coverage)
    return int(hits.ppf(1e-6 / 30)), int(hits.isf(1e-6 / 30))


@pytest.mark.parametrize(
    ("name", "counted"), [("identity", False), ("relu", False), ("relu", True)]
)
def test_intervals_cover_as_often_as_they_say(
    name: str, counted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """400 seeds, five levels. Of 95 % a band is about 353 … 398 hits: 88 % to 99.6 %.

    Counts between 800 of the 1000 values move an end by a rank, seldom more, of 6 to 32.
    """
    net, cdf = LAWS[name]
    if counted:
        monkeypatch.setattr(module, "SORTED_UP_TO", 800)
    law, levels = fw.KernelLaw(net), [q for q in LEVELS if q > cdf(0.0)]
    truth = np.array([true_quantile(cdf, q) for q in levels])
    hits, slim = np.zeros(len(levels), int), np.zeros(len(levels), int)
    for seed in range(SEEDS):
        found = law.quantile(levels, SIZE, seed, part="weights", workers=1)
        assert found.method.startswith("counts" if counted else "order")
        hits += (found.low <= truth) & (truth <= found.high)
        middle, half = found.value, found.std_error
        slim += np.abs(truth - middle) <= half  # one standard error: 68 %
    for place, q in enumerate(levels):
        least, most = coverage_band(q)
        assert least <= hits[place] <= most, q
        assert slim[place] < least, "an interval of one standard error is rejected"


def test_coverage_is_close_to_what_is_claimed() -> None:
    """95 % is between 93 % and 97 % where 50 draws or more lie on either side of the quantile."""
    for q in LEVELS[:4]:
        _, low, high = ranks(q, SIZE)
        inside = stats.binom(SIZE, q)
        coverage = inside.cdf(np.ceil(high) - 1) - inside.cdf(np.ceil(low) - 1)
        assert 0.93 < coverage < 0.97, q


@pytest.mark.parametrize("part", ["kernel", "weights", "biases"])
def test_counted_intervals_hold_the_order_statistics(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted between 4096 of 20,000 values, an end is at most one of those away."""
    law, levels = fw.KernelLaw(fw.MLP(3, [4, 3])), np.linspace(0.01, 0.99, 99)
    exact = law.quantile(levels, 20_000, 1, part=part)
    exact_logs = law.log_quantile(levels[20:], 20_000, 1, part=part)
    values = getattr(law.sample(20_000, 1), part)
    monkeypatch.setattr(module, "SORTED_UP_TO", 4096)
    kept = np.sort(values[:4096])
    binned = law.quantile(levels, 20_000, 1, part=part)
    binned_logs = law.log_quantile(levels[20:], 20_000, 1, part=part)
    tiny = 1e-14  # 2^log2 for a value
    for name, sign in (("low", -1), ("high", 1)):
        ours, theirs = getattr(binned, name), getattr(exact, name)
        assert np.all(sign * ours >= sign * theirs * (1 - sign * tiny))
        between = ((kept > np.minimum(ours, theirs)[:, None] * (1 + tiny)) &
                   (kept < np.maximum(ours, theirs)[:, None] * (1 - tiny)))  # fmt: skip
        assert not between.any()
        assert np.all(sign * getattr(binned_logs, name) >= sign * getattr(exact_logs, name) - tiny)
    assert np.all((binned.low <= exact.value) & (exact.value <= binned.high))
    assert not np.array_equal(binned.value, exact.value)
    summary = law.summary(20_000, 1)
    if part == "kernel":
        assert np.array_equal(summary.quantile(levels).value, binned.value)
        assert np.array_equal(summary.log_quantile(levels[20:]).value, binned_logs.value)


@pytest.mark.parametrize("counted", [False, True], ids=["sorted", "counted"])
def test_quantiles_of_a_summary_at_enormous_width(
    counted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At width 10⁹ K lies within 0.1 % of its mean, and the median is known to 10⁻⁷ of it.

    ln K is normal to O(1/n): its mean is the exact ln E K − Var/2, to 10⁻¹² here. Six comparisons
    of 20,000 networks at 5.3 standard errors; an error of 4·10⁻⁵ would be missed by none. What was
    printed from bins of 0.068 % was 3.5·10⁻⁵ off at an error of 10⁻⁶.
    """
    if counted:
        monkeypatch.setattr(module, "SORTED_UP_TO", 8192)
    law = fw.KernelLaw(fw.MLP.equal_width(10, 10**9, 10))
    variance = law.relative_variance()
    summary = law.summary(20_000, 1)
    for level in (0.05, 0.5, 0.95):
        truth = law.mean() * np.exp(-variance / 2 + stats.norm.ppf(level) * np.sqrt(variance))
        found = summary.quantile(level)
        assert abs(found.value - truth) < 5.3 * found.std_error
        assert found.std_error < 1e-5 * truth
        assert found.low <= found.value <= found.high
        assert abs(law.quantile(level, 20_000, 1).value - found.value) < found.std_error
    edges, counts = summary.ordered.coarse(80)
    assert (counts > 0).sum() > 60, "the density is no single bar"
    assert counts.sum() >= 0.997 * 20_000
    assert np.exp(edges[-1] - edges[0]) < 1.002


@pytest.mark.parametrize("kept", [2**22, 100])
def test_a_constant_kernel_is_one_number_in_a_summary(
    kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without hidden layer K = |x|²/n_0 + 1 = 2; bins of 0.068 % gave 1.9987 to 2.0013."""
    monkeypatch.setattr(module, "SORTED_UP_TO", kept)
    summary = fw.KernelLaw(fw.MLP(4, [])).summary(1000, 0)
    found = summary.quantile([0.01, 0.5, 0.99])
    np.testing.assert_allclose([found.value, found.low, found.high], 2.0, rtol=1e-14)
    np.testing.assert_allclose(found.std_error, 0.0, atol=1e-14)
    assert summary.ordered.coarse(20)[1].tolist() == [1000]


def test_counts_do_not_depend_on_the_parts_they_come_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SORTED_UP_TO", 1000)
    values = np.random.default_rng(1).standard_normal(12_345)
    found = []
    for size in (12_345, 4096, 1000, 7):
        one = module.Ordered()
        for start in range(0, len(values), size):
            one.add(values[start : start + size], 1 if start == 0 else 0)
        found.append((one.size, *(one.log2_around(rank) for rank in (1, 2, 400, 9000.5, 12_346))))
    assert found[0] == found[1] == found[2] == found[3]
    assert found[0][0] == 12_346
    assert found[0][1] == (-np.inf,) * 3
    assert found[0][2][0] == values.min()
    assert found[0][-1][-1] == values.max()


@pytest.mark.parametrize("counted", [False, True], ids=["sorted", "counted"])
def test_quantiles_rise_with_q(counted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if counted:
        monkeypatch.setattr(module, "SORTED_UP_TO", 1000)
    levels = np.linspace(0.001, 0.999, 333)
    found = fw.KernelLaw(fw.MLP(3, [3, 2])).quantile(levels, 10_000, 1)
    for values in (found.value, found.low, found.high):
        assert np.all(np.diff(values) >= 0)
    assert np.all(found.low <= found.value)
    assert np.all(found.value <= found.high)
    assert found.value[-1] > found.value[0]


def test_shapes_follow_q() -> None:
    law = fw.KernelLaw(fw.MLP(3, [4]))
    one = law.quantile(0.5, 1000, 1)
    assert isinstance(one.value, float)
    grid = law.quantile(np.array([[0.2, 0.5], [0.6, 0.7]]), 1000, 1)
    assert np.shape(grid.value) == np.shape(grid.low) == np.shape(grid.std_error) == (2, 2)
    assert grid.value[0, 1] == one.value
    assert one.size == 1000


def test_a_constant_kernel_has_one_quantile() -> None:
    """Without hidden layer K = |x|²/n_0 + 1 in every network, to the rounding of one product."""
    found = fw.KernelLaw(fw.MLP(4, []), np.array([1.0, 2.0, 2.0, 0.0])).quantile(
        [0.1, 0.5, 0.9], 1000, 1
    )
    for values in (found.value, found.low, found.high):
        np.testing.assert_allclose(values, 9 / 4 + 1, rtol=4e-16)
    np.testing.assert_allclose(found.std_error, 0.0, atol=1e-15)


@pytest.mark.parametrize("counted", [False, True], ids=["sorted", "counted"])
def test_the_atom_of_dead_networks_is_exact(counted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two thirds of these networks are dead: their K is bias_lr, K_w is 0, to the last bit."""
    if counted:
        monkeypatch.setattr(module, "SORTED_UP_TO", 100)
    law = fw.KernelLaw(fw.MLP(3, [2, 1, 4], bias_lr=0.3))
    for part, atom in (("kernel", 0.3), ("biases", 0.3), ("weights", 0.0)):
        found = law.quantile([0.1, 0.6], 4000, 1, part=part)
        assert found.value.tolist() == found.low.tolist() == found.high.tolist() == [atom, atom]
        assert np.all(found.std_error == 0.0)
        assert law.quantile(0.9, 4000, 1, part=part).value > atom
    assert law.log_quantile(0.1, 4000, 1).value == np.log(0.3)
    with pytest.raises(ValueError, match="is 0, which has no logarithm"):
        law.log_quantile(0.1, 4000, 1, part="weights")


def test_quantiles_beyond_a_double_have_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    law = fw.KernelLaw(fw.MLP(3, [30] * 8, hidden_gain=1e60))
    with pytest.raises(ValueError, match="range of a double"):
        law.quantile(0.5, 1000, 1)
    logs = law.log_quantile([0.3, 0.5], 1000, 1)
    assert np.all(logs.value > 710)
    monkeypatch.setattr(module, "SORTED_UP_TO", 500)
    with pytest.raises(ValueError, match="above the range of a double; use log_quantile"):
        law.quantile(0.5, 1000, 1)
    counted = law.log_quantile([0.3, 0.5], 1000, 1)
    assert np.all(np.abs(counted.value - logs.value) < logs.std_error)


def test_large_samples_are_counted() -> None:
    """Above 2²² networks they are counted of itself."""
    found = fw.KernelLaw(fw.MLP(5, [WIDTH], "identity", hidden_gain=2.0)).quantile(
        0.5, 2**22 + 1, 1, part="weights"
    )
    assert found.method == "counts between 1048576 order statistics"
    assert found.size == 2**22 + 1
    truth = true_quantile(identity_cdf, 0.5)
    assert abs(found.value - truth) < 4.9 * found.std_error  # one comparison
    assert found.std_error < 1e-3 * truth


def test_the_middle_of_few_draws_by_hand() -> None:
    values = np.arange(1.0, 101.0)
    found = from_sorted(values, np.array(0.5))
    assert (found.value, found.low, found.high) == (50.0, 41.0, 61.0)  # 50 ∓ 9.8, one above
    ordered = module.Ordered()
    ordered.add(np.log2(values))
    kept = from_ordered(ordered, np.array(0.5), 0.0)
    np.testing.assert_allclose([kept.value, kept.low, kept.high], [50, 41, 61], rtol=1e-15)


# -- refused --------------------------------------------------------------------------------------


def _law(**fields_: Any) -> fw.KernelLaw:
    return fw.KernelLaw(fw.MLP(3, [4], **fields_))


def _wide() -> fw.KernelLaw:
    """None of its networks is dead."""
    return fw.KernelLaw(fw.MLP(3, [60]))


BAD: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "q 0": (lambda: _law().quantile(0.0, 1000), ValueError, "q is 0"),
    "q 1": (lambda: _law().quantile(1.0, 1000), ValueError, "q is 1"),
    "q below": (lambda: _law().quantile(-0.1, 1000), ValueError, "strictly between 0 and 1"),
    "q above": (lambda: _law().quantile([0.5, 1.5], 1000), ValueError, "strictly between"),
    "q nan": (lambda: _law().quantile(float("nan"), 1000), ValueError, "q is nan"),
    "no q": (lambda: _law().quantile([], 1000), ValueError, r"q is \[\]"),
    "q text": (lambda: _law().quantile("half", 1000), TypeError, "'half'"),  # type: ignore[arg-type]
    "q complex": (lambda: _law().quantile(1j, 1000), TypeError, "expected numbers"),  # type: ignore[arg-type]
    "q of a summary": (lambda: _law().summary(100, 1).quantile(2.0), ValueError, "q is 2"),
    "part": (lambda: _law().quantile(0.5, 1000, part="bias"), ValueError, "'bias'"),
    "too few": (
        lambda: _law().quantile(0.001, 1000),
        ValueError,
        "1000 networks are too few for the quantile 0.001.*draw at least 6000",
    ),
    "too few above": (lambda: _law().quantile(0.999, 1000), ValueError, "at least 6000"),
    "too few in a summary": (lambda: _wide().summary(64, 1).quantile(0.01), ValueError, "too few"),
    "size 0": (lambda: _law().sample(0, 1), ValueError, "size is 0"),
    "size negative": (lambda: _law().sample(-3, 1), ValueError, "size is -3"),
    "size fraction": (lambda: _law().sample(2.5, 1), TypeError, "size is 2.5"),  # type: ignore[arg-type]
    "size true": (lambda: _law().sample(True, 1), TypeError, "size is True"),
    "size text": (lambda: _law().sample("9", 1), TypeError, "size is '9'"),  # type: ignore[arg-type]
    "size huge": (lambda: _law().summary(10**12 + 1, 1), ValueError, "to 1000000000000"),
    "seed negative": (lambda: _law().sample(9, -1), ValueError, "seed is -1"),
    "seed large": (lambda: _law().sample(9, 2**64), ValueError, "seed is 18446744073709551616"),
    "seed fraction": (lambda: _law().sample(9, 0.5), TypeError, "seed is 0.5"),  # type: ignore[arg-type]
    "workers": (lambda: _law().sample(9, 1, workers=0), ValueError, "workers is 0"),
    "few for a summary": (lambda: _law().summary(63, 1), ValueError, "at least 64"),
    "weight law": (
        lambda: _law(weight_law="uniform").sample(9, 1),
        ValueError,
        r"Gaussian weights, got 'uniform'.*simulate\.ensemble",
    ),
    "activation": (lambda: _law(activation="tanh").sample(9, 1), ValueError, "got 'tanh'"),
    "quantile, weight law": (
        lambda: _law(weight_law="uniform").quantile(0.5), ValueError, "'uniform'",
    ),
    "summary, weight law": (
        lambda: _law(weight_law="uniform").summary(99, 1), ValueError, "'uniform'",
    ),
}  # fmt: skip


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence(case: str) -> None:
    ask, kind, part = BAD[case]
    with pytest.raises(kind, match=part) as caught:
        ask()
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    assert text.count(". ") == 0


@pytest.mark.parametrize("size", [10**12, 10**11])
def test_a_sample_that_does_not_fit_is_refused_before_it_is_drawn(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_module, "available", lambda: 10**12)
    law = _law()
    for draw in (law.sample, law.log_sample):
        with (
            allowing(True),
            pytest.raises(ValueError, match=rf"a sample of {size} networks needs .*law\.summary"),
        ):
            draw(size, 1)
    advised = int(0.8 * 10**12 / 33)
    with allowing(True), pytest.raises(ValueError, match=f"at most {advised}"):
        law.sample(advised + 1, 1)
