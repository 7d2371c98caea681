"""Rows, their z and the table they make."""

import pytest

from finitewidth.estimate import Estimate
from finitewidth.reproduce.compare import Comparison, Quantity, Steps, all_numbers, distance, scalar


def test_the_distance_takes_both_errors() -> None:
    one, other = Estimate(1.0, 0.3, 10, "a"), Estimate(3.0, 0.4, 10, "b")
    assert distance(one, other) == pytest.approx(-4.0)
    assert distance(3.0, one) == pytest.approx(2.0 / 0.3)
    assert distance(1.0, 2.0) is None
    assert distance(None, one) is None


def test_columns_without_numbers_are_left_out() -> None:
    rows = [
        Quantity("a", 2.0, exact=1.0, simulated=Estimate(1.1, 0.05, 10, "x")),
        Quantity("b", None, exact=5.0, simulated=Estimate(4.0, 0.5, 30, "x")),
    ]
    table = Comparison("key", "title", "caption", rows).table()
    assert table.layout().headings == [
        "network", "printed", "exact law", "simulated", "z", "z printed",
    ]  # fmt: skip
    assert [text for text, _ in table.layout().rows[0]][-2:] == ["2.0", "-18"]
    assert [text for text, _ in table.layout().rows[1]][-2:] == ["-2.0", "–"]
    assert "simulated: 10 to 30 networks" in table.markdown()


def test_without_a_simulation_theory_is_compared_with_what_is_published() -> None:
    rows = [Quantity("a", Estimate(2.0, 0.5, 0, "published"), exact=1.0)]
    table = Comparison("key", "title", "", rows).table()
    assert table.layout().headings == ["network", "printed", "exact law", "z printed"]
    assert table.layout().rows[0][-1][0] == "-2.0"


def test_numbers_have_names() -> None:
    simulated = Estimate(1.1, 0.05, 10, "x")
    one = Comparison("key", "t", "", [Quantity("a", 2.0, 3.0, 4.0, 5.0, simulated)])
    assert all_numbers([one]) == {
        "key, a, printed": 2.0,
        "key, a, corrected": 3.0,
        "key, a, exact law": 4.0,
        "key, a, enumeration": 5.0,
        "key, a, simulated": simulated,
    }


def test_one_number_of_an_estimate_keeps_what_is_said_about_it() -> None:
    several = Estimate([1.0, 2.0], [0.1, 0.2], 7, "m", True, False, "why")
    assert scalar(several, 1) == Estimate(2.0, 0.2, 7, "m", True, False, "why")


def test_steps_tell_from_the_start_to_the_end() -> None:
    calls: list[tuple[int, int]] = []
    steps = Steps(lambda done, total: calls.append((done, total)), 2)
    steps.done()
    steps.done()
    assert calls == [(0, 2), (1, 2), (2, 2)]
    Steps(None, 1).done()
