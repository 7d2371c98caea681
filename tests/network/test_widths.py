"""Hidden widths: a sequence of ints that is stored as runs."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import finitewidth as fw
from finitewidth.network import Widths

lists = st.lists(st.integers(1, 4), max_size=12)


@given(lists)
def test_widths_behave_like_the_list(values):
    widths = Widths.from_list(values)
    assert list(widths) == values
    assert len(widths) == len(values)
    assert [widths[i] for i in range(-len(values), len(values))] == values * 2
    assert widths == values
    assert widths == tuple(values)
    assert widths == Widths.from_list(tuple(values))
    assert list(reversed(widths)) == values[::-1]
    for number in range(1, 6):
        assert (number in widths) == (number in values)
        assert widths.count(number) == values.count(number)


@given(lists, st.slices(12))
def test_slices_are_widths(values, cut):
    widths = Widths.from_list(values)[cut]
    assert isinstance(widths, Widths)
    assert list(widths) == values[cut]


@given(lists)
def test_runs_are_as_few_as_can_be(values):
    runs = Widths.from_list(values).runs
    assert [width for width, count in runs for _ in range(count)] == values
    assert all(count > 0 for _, count in runs)
    assert all(a[0] != b[0] for a, b in pairwise(runs))


def test_runs_around_an_empty_one_are_merged():
    widths = Widths([(3, 1), (4, 0), (3, 2)])
    assert widths.runs == ((3, 3),)
    assert widths == Widths.from_list([3, 3, 3])
    assert hash(widths) == hash(Widths.from_list([3, 3, 3]))


@given(lists)
def test_inverse_sum(values):
    exact = sum((Fraction(1, n) for n in values), Fraction(0))
    assert Widths.from_list(values).inverse_sum == float(exact)


def test_inverse_sum_of_many_runs():
    """Above a thousand runs a compensated sum, good to a rounding."""
    values = [2 + i % 7 for i in range(5000)]
    exact = sum((Fraction(1, n) for n in values), Fraction(0))
    assert Widths.from_list(values).inverse_sum == pytest.approx(float(exact), rel=1e-15)


def test_equality_and_hash():
    assert Widths([(3, 2), (4, 1)]) != [3, 3]
    assert Widths([(3, 2)]) != [3, 4]
    assert Widths([(3, 1), (3, 1)]) == Widths([(3, 2)])
    assert hash(Widths([(3, 1), (3, 1)])) == hash(Widths([(3, 2)]))
    assert Widths([(3, 2), (4, 0)]).runs == ((3, 2),)
    assert Widths([(3, 0)]) == []
    assert Widths([(3, 2)]) != "33"
    assert (Widths([(3, 2)]) == 3) is False


def test_text():
    assert repr(Widths([(3, 2), (4, 1)])) == "[3]*2 + [4]"
    assert repr(Widths([])) == "[]"


@pytest.mark.parametrize("index", [3, -4, 10**9])
def test_an_index_out_of_range(index):
    with pytest.raises(IndexError, match=rf"index {index} is out of range for 3 layers"):
        Widths([(3, 2), (4, 1)])[index]


def test_a_million_layers_are_one_run():
    net = fw.MLP.equal_width(10, 64, 10**12)
    assert net.runs == ((64, 10**12),)
    assert net.depth == 10**12 + 1
    assert net.beta == 10**12 / 64
    assert net.widths[10**11] == net.widths[-1] == 64
    assert len(net.widths) == 10**12
    listed = fw.MLP(n_in=10, widths=[64] * 5 + [7] + [64])
    assert listed.runs == ((64, 5), (7, 1), (64, 1))


@pytest.mark.parametrize(
    "given_widths",
    [[4, 5], (4, 5), np.array([4, 5]), np.array([4, 5], dtype=np.uint8), (n for n in (4, 5)),
     range(4, 6), Widths([(4, 1), (5, 1)])],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_counts_as_widths(given_widths, unchecked):
    net = fw.MLP(n_in=3, widths=given_widths)
    assert net.widths == [4, 5]
    assert all(type(width) is int for width in net.widths)
