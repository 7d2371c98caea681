"""Sentences about errors that deserve no trust, at both sides of the thresholds."""

from math import log

import pytest

from finitewidth.statistics.trust import few_carry, large_true_error


@pytest.mark.parametrize(
    ("carriers", "size", "words"),
    [
        (30.0, 30, ""),
        (29.0, 29, "29 networks are too few for the standard error of E K (it takes 30); wait."),
        (29.9, 50, "a few of the 50 networks carry E K (as if there were 29.9 of them; it takes"),
    ],
)
def test_few_networks_are_named(carriers: float, size: int, words: str) -> None:
    found = few_carry(carriers, size, 30, "E K", "wait")
    assert found.startswith(words)
    assert bool(found) == bool(words)


@pytest.mark.parametrize(
    ("log_error", "words"),
    [
        (log(0.5), "error 50 % of its"),
        (log(3.0), "error 3 times its"),
        (900.0, "error e^900 times"),
    ],
)
def test_a_large_true_error_is_shown(log_error: float, words: str) -> None:
    assert words in large_true_error("E K²", 10, log_error, 0.1, "use the law")


def test_a_small_true_error_is_not_mentioned() -> None:
    assert large_true_error("E K²", 10, log(0.0999), 0.1, "use the law") == ""
