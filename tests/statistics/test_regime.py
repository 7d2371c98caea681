"""One scale of randomness for all: the standard deviation of ln K, and what stands for it."""

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.law.overview.overview import spread_in_words
from finitewidth.statistics import regime
from finitewidth.verdict import regimes


@pytest.mark.parametrize(
    ("log_sd", "word"),
    [(0.0, "nearly deterministic"), (0.0999, "nearly deterministic"), (0.1, "weakly random"),
     (0.5, "weakly random"), (0.501, "strongly random"), (1e9, "strongly random")],
)  # fmt: skip
def test_the_words(log_sd: float, word: str) -> None:
    assert regime.regime(log_sd) == word
    assert spread_in_words(log_sd**2)[0] == word


def test_a_log_normal_kernel_has_its_own_spread() -> None:
    for log_sd in (0.01, 0.5, 3.0):
        dispersion = np.exp(2 * log_sd**2) / np.exp(log_sd**2 / 2) ** 2
        assert regime.log_sd_of(float(np.log(dispersion))) == pytest.approx(log_sd, rel=1e-10)


def test_law_and_verdict_have_one_threshold() -> None:
    """0.5 is a dispersion of e^0.25 = 1.28: a law on either side says so."""
    assert (regimes.RANDOM, regimes.STRONGLY_RANDOM) == (regime.RANDOM, regime.STRONGLY_RANDOM)
    for width, word in ((78, "Weakly"), (77, "Strongly")):
        law = fw.KernelLaw(fw.MLP.equal_width(784, width, 8))
        assert (law.dispersion() > np.exp(0.25)) == (word == "Strongly")
        assert law.page().title.startswith(f"{word} random: ")


def test_a_spread_beyond_a_double_is_told_as_a_power() -> None:
    word, sentence = spread_in_words(2000.0)
    assert word == "strongly random"
    assert "e^1000 times its mean" in sentence
    assert "a factor e^44.721 above or below" in sentence
