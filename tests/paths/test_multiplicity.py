"""Lemmas 8 and 9: the closed forms against counts over all quadruples and all pairs."""

import pytest

from finitewidth.paths.even import even_multisets
from finitewidth.paths.expectation import terms
from finitewidth.paths.multiplicity import pairs, quadruples, tally, tally_pairs
from finitewidth.paths.multiset import Multiset
from finitewidth.paths.path import Edge, Path
from finitewidth.paths.scheme import SCHEMES, Scheme

NETWORKS = [(2, 3, 2, 1), (1, 2, 2, 2, 1), (3, 2, 2, 1), (2, 1, 2, 2, 1), (2, 2, 1, 1), (3, 1)]


@pytest.mark.parametrize("quantity", SCHEMES)
@pytest.mark.parametrize("sizes", NETWORKS, ids=str)
def test_quadruples_of_every_multiset(sizes: tuple[int, ...], quantity: str) -> None:
    """Every multiset, with every place of the marks and bias starts, and no other one."""
    plan = SCHEMES[quantity]
    closed = {
        (multiset, marks, starts): times for multiset, marks, starts, times in terms(sizes, plan)
    }
    assert closed == dict(tally(sizes, plan))


@pytest.mark.parametrize("sizes", NETWORKS, ids=str)
def test_quadruples_without_marks(sizes: tuple[int, ...]) -> None:
    """6 for each stretch in which the paths are apart, from the input or from a collision."""
    bare = Scheme()
    counted = tally(sizes, bare)
    assert set(even_multisets(sizes, 4)) == {multiset for multiset, _, _ in counted}
    for (multiset, _, _), times in counted.items():
        opens = multiset.visited(0) == 2
        assert times == quadruples(multiset, bare) == 6 ** (len(multiset.loops) + opens)


@pytest.mark.parametrize("sizes", NETWORKS, ids=str)
def test_pairs_of_every_multiset(sizes: tuple[int, ...]) -> None:
    counted = tally_pairs(sizes)
    assert set(counted) == set(even_multisets(sizes, 4))
    assert all(pairs(multiset) == times for multiset, times in counted.items())


ONE_LOOP = Multiset.of((Path(0, (0, 0, 0, 0)), Path(0, (0, 1, 1, 0))) * 2)


def test_marks_in_a_loop_leave_one_choice_or_none() -> None:
    kernel, update = SCHEMES["weights_squared"], SCHEMES["update_ww"]
    left, right = Edge(2, 0, 0), Edge(2, 1, 1)
    assert quadruples(ONE_LOOP, kernel, (left, right)) == 1
    assert quadruples(ONE_LOOP, kernel, (left, left)) == 0  # two pairs on one strand
    assert quadruples(ONE_LOOP, update, (left, Edge(3, 0, 0))) == 0  # they share a path only


def test_bad_marks() -> None:
    plan = SCHEMES["weights_squared"]
    with pytest.raises(ValueError, match=r"mark \(2, 0, 1\) is not an edge of the multiset"):
        quadruples(ONE_LOOP, plan, (Edge(2, 0, 1), Edge(2, 0, 0)))
    with pytest.raises(ValueError, match=r"mark \(7, 0, 0\) is not an edge"):
        quadruples(ONE_LOOP, plan, (Edge(7, 0, 0), Edge(2, 0, 0)))
    with pytest.raises(ValueError, match="1 marked edges and 0 starts"):
        quadruples(ONE_LOOP, plan, (Edge(2, 0, 0),))
    odd = Multiset.of((*(Path(0, (0, 0, 0)),) * 3, Path(0, (0, 1, 0))))
    with pytest.raises(ValueError, match="odd number of times"):
        quadruples(odd, Scheme())
    two = Multiset.of((Path(0, (0, 0, 0)),) * 2)
    with pytest.raises(ValueError, match="expected 4 paths that end at one output"):
        quadruples(two, Scheme())
