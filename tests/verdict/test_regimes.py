"""The five regimes from numbers alone: which threshold decides, in which order, at what error."""

from types import SimpleNamespace

import numpy as np
import pytest

from finitewidth.estimate import Estimate
from finitewidth.verdict import regimes
from finitewidth.verdict.regimes import Decision, compare, decide, more_seeds, share

CALM = Estimate(0.1, 0.01, 32, "measured")
FALLS = Estimate(0.05, 0.04, 32, "measured")


def of(value: float, error: float = 0.0, trusted: bool = True) -> Estimate:
    return Estimate(value, error, 32, "measured", trusted=trusted, note="" if trusted else "few.")


# -- one threshold --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "error", "side"),
    [
        (0.5, 0.0, 0),  # on the threshold nothing decides
        (0.5, 1.0, 0),
        (0.75, 0.0, 1),
        (0.25, 0.0, -1),
        (0.75, 0.125, 0),  # two errors exactly
        (0.75, 0.1249, 1),
        (0.25, 0.125, 0),
        (0.25, 0.1249, -1),
        (1e300, 1e299, 1),
    ],
)
def test_two_errors_decide(value: float, error: float, side: int) -> None:
    assert compare(of(value, error), 0.5) == side


def no_number(value: float) -> Estimate:
    """What Estimate itself refuses to be."""
    with pytest.raises(ValueError, match="not finite"):
        of(value)
    found = of(0.0)
    object.__setattr__(found, "value", value)
    return found


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="expected a number"):
        compare(no_number(value), 0.5)


@pytest.mark.parametrize(
    ("value", "error", "seeds", "needed"),
    [
        (0.75, 0.25, 32, 154),  # (2·0.25/0.25)² = 4 times, and a fifth more: 153.6
        (0.25, 0.25, 32, 154),  # the same on the other side
        (0.75, 0.125, 10, 12),  # two errors exactly: a fifth more
        (0.75, 0.01, 10, 11),  # decided already: one more at least
        (0.5, 0.1, 10, 12_000_000),  # on the threshold: a million times, not an error
        (0.5, 0.0, 10, 11_000_000),
    ],
)
def test_seeds_that_would_decide(value: float, error: float, seeds: int, needed: int) -> None:
    found = more_seeds(of(value, error), 0.5, seeds)
    if error == 0.0:
        assert found > seeds
    else:
        assert found == needed


def test_the_seeds_that_would_decide_do() -> None:
    """With the error that so many seeds have, the same value lies beyond two errors."""
    rng = np.random.default_rng(0)
    for distance, error, seeds in zip(
        rng.uniform(0.01, 0.5, 200), rng.uniform(0.01, 1, 200), rng.integers(2, 200, 200),
        strict=True,
    ):  # fmt: skip
        value = 0.5 + distance * rng.choice([-1, 1])
        before = of(float(value), float(error))
        needed = more_seeds(before, 0.5, int(seeds))
        after = of(float(value), float(error) * (int(seeds) / needed) ** 0.5)
        assert compare(after, 0.5) == (1 if value > 0.5 else -1)


# -- all of them ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("diverged", "log_spread", "movement", "word", "about"),
    [
        (of(0.9, 0.1), of(9.0, 0.1), None, "diverges", "diverged"),  # before randomness
        (of(0.9, 0.1), CALM, of(0.001), "diverges", "diverged"),
        (of(0.6, 0.1), of(9.0, 0.1), of(0.5), "undecided", "diverged"),
        (FALLS, of(0.6, 0.04), of(0.001), "strongly random", "log_spread"),  # before movement
        (FALLS, of(0.6, 0.04), None, "strongly random", "log_spread"),
        (FALLS, of(0.6, 0.04), of(0.001, 0, False), "strongly random", "log_spread"),
        (FALLS, of(0.55, 0.04), of(0.5), "undecided", "log_spread"),
        (FALLS, CALM, of(0.004, 0.001), "frozen", "movement"),
        (FALLS, CALM, of(0.0), "frozen", "movement"),
        (FALLS, CALM, of(0.008, 0.001), "undecided", "movement"),
        (FALLS, CALM, of(0.05, 0.01), "weak feature learning", "movement"),
        (FALLS, CALM, of(0.09, 0.01), "undecided", "movement"),
        (FALLS, CALM, of(0.3, 0.05), "feature learning", "movement"),
        (FALLS, CALM, None, "undecided", "movement"),
        (FALLS, CALM, of(0.05, 0.01, False), "undecided", "movement"),  # a low sample may miss
        (FALLS, CALM, of(0.09, 0.01, False), "undecided", "movement"),
        (FALLS, CALM, of(0.3, 0.05, False), "feature learning", "movement"),  # the truth is higher
    ],
)
def test_what_decides_first(
    diverged: Estimate, log_spread: Estimate, movement: Estimate | None, word: str, about: str
) -> None:
    found = decide(diverged, log_spread, movement, 32)
    assert (found.word, found.about) == (word, about)
    if word == "undecided":
        assert found.seeds_needed > 32
        assert len(found.between) >= 2
    else:
        assert found.seeds_needed == 0
        assert found.between == ()


@pytest.mark.parametrize(
    ("log_spread", "movement", "between"),
    [
        (CALM, of(0.008, 0.002), ("frozen", "weak feature learning")),
        (CALM, of(0.09, 0.01), ("weak feature learning", "feature learning")),
        (of(0.5, 0.1), of(0.3), ("strongly random", "feature learning")),
        (of(0.5, 0.1), of(0.001), ("strongly random", "frozen")),
        (of(0.5, 0.1), of(0.09, 0.01), ("strongly random", "another regime")),
    ],
)
def test_what_is_left_is_named(
    log_spread: Estimate, movement: Estimate, between: tuple[str, ...]
) -> None:
    assert decide(FALLS, log_spread, movement, 32).between == between


def test_an_error_over_both_thresholds_is_no_verdict() -> None:
    found = decide(FALLS, CALM, of(0.05, 0.05), 32)
    assert found.word == "undecided"


def test_a_number_that_is_none_is_no_verdict() -> None:
    for numbers in ((no_number(np.nan), CALM, of(0.1)), (FALLS, no_number(np.inf), of(0.1))):
        with pytest.raises(ValueError, match="expected a number"):
            decide(*numbers, 32)
    with pytest.raises(ValueError, match="expected a number"):
        decide(FALLS, CALM, no_number(np.nan), 32)


def test_a_decision_says_no_more_than_it_knows() -> None:
    assert Decision("frozen", "movement") == Decision("frozen", "movement", 0, ())


# -- errors that decide ---------------------------------------------------------------------------


def test_share_is_the_rule_of_add_two() -> None:
    assert share(0, 12).value == 2 / 16
    assert share(12, 12).value == 14 / 16
    assert share(3, 12).std_error == pytest.approx((5 / 16 * 11 / 16 / 16) ** 0.5, rel=1e-14)
    assert share(0, 12).size == 12


@pytest.mark.parametrize("count", [8, 16, 32, 64, 128])
def test_share_holds_the_truth(count: int) -> None:
    """Exactly, from the binomial law: in 95 % on average, and nowhere in less than 91 %."""
    from scipy import stats

    hits = np.arange(count + 1)
    found = [share(int(h), count) for h in hits]
    value = np.array([float(f.value) for f in found])
    error = np.array([float(f.std_error) for f in found])
    truth = np.linspace(0.001, 0.999, 999)
    chance = stats.binom.pmf(hits, count, truth[:, None])
    covered = (chance * (np.abs(value - truth[:, None]) <= 2 * error)).sum(axis=1)
    assert covered.mean() > 0.95
    assert covered.min() > 0.91
    plain = hits / count  # sabotage: the share itself, certain where all agree
    usual = 2 * np.sqrt(plain * (1 - plain) / count)
    lost = (chance * (np.abs(plain - truth[:, None]) <= usual)).sum(axis=1)
    assert lost.min() < 0.2


@pytest.mark.parametrize(("count", "decided"), [(3, False), (4, False), (5, True), (6, True)])
def test_few_seeds_that_all_fall_decide(count: int, decided: bool) -> None:
    assert (compare(share(0, count), regimes.DIVERGING) == -1) is decided
    assert (compare(share(count, count), regimes.DIVERGING) == 1) is decided


def spread(diagonals: np.ndarray) -> Estimate:
    pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")
    from finitewidth.verdict.measured import Measured

    start = SimpleNamespace(seeds=list(range(len(diagonals))), diagonals=diagonals)
    return Measured.log_spread.fget(SimpleNamespace(start=start))  # type: ignore[attr-defined]


@pytest.mark.parametrize("seeds", [16, 32])
def test_log_spread_holds_the_truth(seeds: int) -> None:
    """Log-normal K of spread ½, the threshold: a verdict there is wrong, in less than 8 %.

    Of 4000 samples 6 % give one at 16 seeds, with a standard error of 0.4 %.
    """
    rng = np.random.default_rng(seeds)
    found = [spread(np.exp(0.5 * rng.standard_normal(seeds))) for _ in range(4000)]
    sides = np.array([compare(one, regimes.RANDOM) for one in found])
    assert (sides != 0).mean() < 0.08
    halved = [of(float(one.value), float(one.std_error) / 2) for one in found]  # sabotage
    assert np.mean([compare(one, regimes.RANDOM) != 0 for one in halved]) > 0.2


def test_log_spread_has_no_unit() -> None:
    diagonals = np.array([1.0, 2.0, 4.0, 1.5])
    one, other = spread(diagonals), spread(1e200 * diagonals)
    assert one.value == pytest.approx(np.log(diagonals).std(ddof=1), rel=1e-14)
    assert float(other.value) == pytest.approx(float(one.value), rel=1e-10)
    assert float(other.std_error) == pytest.approx(float(one.std_error), rel=1e-10)


def test_kernels_that_agree_by_chance_are_not_certain() -> None:
    """Two groups of equal values: leaving one out hardly matters, a normal sample's error does."""
    found = spread(np.exp([1.0, 1.0, -1.0, -1.0] * 2))
    assert float(found.std_error) >= float(found.value) / np.sqrt(2 * 7)


def test_a_kernel_of_zero_is_named() -> None:
    with pytest.raises(ValueError, match="seed 1 first") as caught:
        spread(np.array([1.0, 0.0, 2.0, 0.0]))
    assert "2 of 4 seeds" in str(caught.value)
    assert str(caught.value).count(". ") == 0  # one sentence
