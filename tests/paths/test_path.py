"""Paths, multisets of edges, collisions and loops: the definitions, on cases done by hand."""

import pytest

from finitewidth.paths.even import even_multisets, how_many
from finitewidth.paths.multiset import Multiset, even, left_ends, right_ends
from finitewidth.paths.path import Edge, Path, count, paths
from finitewidth.paths.scheme import SCHEMES

ABOVE = Path(0, (1, 2, 0, 1, 0))


def test_a_path_knows_its_neurons_and_edges() -> None:
    assert ABOVE(0) == 1
    assert ABOVE(3) == 1
    assert ABOVE.edges == (Edge(1, 1, 2), Edge(2, 2, 0), Edge(3, 0, 1), Edge(4, 1, 0))
    assert Edge(3, 0, 1) in ABOVE
    assert Edge(3, 1, 0) not in ABOVE
    late = Path(2, (0, 1, 0))
    assert Edge(2, 2, 0) not in late  # it starts where that edge ends
    assert Edge(3, 0, 1) in late


def test_all_paths_once() -> None:
    every = list(paths((2, 3, 2, 1)))
    assert len(every) == len(set(every)) == count((2, 3, 2, 1)) == 12
    assert list(paths((2, 3, 2, 1), 1, 2)) == [Path(1, (2, 0, 0)), Path(1, (2, 1, 0))]
    assert list(paths((2, 3, 1), 2, 0)) == [Path(2, (0,))]  # at the output bias


def test_ends_and_evenness() -> None:
    edges = (Edge(1, 0, 1), Edge(1, 0, 2), Edge(1, 0, 1), Edge(1, 0, 2))
    assert left_ends(edges) == (0, 0, 0, 0)
    assert right_ends(edges) == (1, 1, 2, 2)
    assert even(edges)
    assert not even((*edges[:3], Edge(1, 1, 2)))


def test_collisions_and_loops_of_a_drawn_case() -> None:
    # input apart, collision in 1, apart in 2 and 3 (crossing), collision in 4, 5, apart, output
    a = Path(0, (0, 0, 0, 1, 2, 1, 0, 0))
    b = Path(0, (1, 0, 1, 0, 2, 1, 2, 0))
    four = Multiset.of((a, b, a, b))
    assert four.even
    assert [four.visited(layer) for layer in range(8)] == [2, 1, 2, 2, 1, 1, 2, 1]
    assert four.collisions == (1, 4, 5, 7)
    assert four.loops == ((1, 4), (5, 7))


def test_a_multiset_forgets_which_path_went_where() -> None:
    a, b = Path(0, (0, 0, 0, 0)), Path(0, (0, 1, 1, 0))
    swapped = (a, b, a, b), (b, b, a, a), (a, a, b, b)
    assert len({Multiset.of(gamma) for gamma in swapped}) == 1
    crossed = Multiset.of((Path(0, (0, 0, 1, 0)), Path(0, (0, 1, 0, 0))) * 2)
    assert crossed != Multiset.of((a, b, a, b))


def test_paths_that_start_later() -> None:
    four = Multiset.of((Path(0, (0, 1, 0)), Path(1, (1, 0)), Path(1, (1, 0)), Path(0, (0, 1, 0))))
    assert four.starts == ((0, 0), (1, 1), ())
    assert four.neurons(1) == (1, 1, 1, 1)
    assert four.collisions == (1, 2)  # two paths at one neuron of the input are no collision


@pytest.mark.parametrize("plan", SCHEMES.values(), ids=SCHEMES)
@pytest.mark.parametrize("sizes", [(2, 3, 2, 1), (1, 1, 4, 1), (3, 1, 2, 2, 1), (4, 1), (1, 2, 1)])
def test_the_count_of_even_multisets(sizes: tuple[int, ...], plan) -> None:
    biases = [(layer, z) for layer in range(1, len(sizes)) for z in range(sizes[layer])]
    starts: list[tuple] = [()]
    for _ in plan.biases:
        starts = [(*some, one) for some in starts for one in biases]
    found = [
        (multiset, start)
        for start in starts
        for multiset in even_multisets(sizes, len(plan.from_input), start)
    ]
    assert len(set(found)) == len(found) == how_many(sizes, plan)
    assert all(multiset.even for multiset, _ in found)


def test_bad_paths_and_layers() -> None:
    with pytest.raises(ValueError, match="at least one neuron"):
        Path(0, ())
    with pytest.raises(ValueError, match="layer 9 was asked of a path through layers 0 … 4"):
        ABOVE(9)
    with pytest.raises(ValueError, match=r"end in layers \[3, 4\]"):
        Multiset.of((ABOVE, Path(0, (0, 0, 0, 0))))
    with pytest.raises(ValueError, match="fit together"):
        Multiset(((Edge(1, 0, 1),), (Edge(2, 0, 0),)), ((0,), (), ()))
    with pytest.raises(ValueError, match="edges of that layer alone"):
        Multiset(((Edge(2, 0, 1),),), ((0,), ()))
    with pytest.raises(ValueError, match="one layer of neurons more"):
        Multiset(((Edge(1, 0, 1),),), ((0,),))
