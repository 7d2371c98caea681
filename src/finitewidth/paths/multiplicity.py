"""How many quadruples of paths give one multiset of edges (Hanin & Nica 2020, Lemmas 8 and 9).

Both counts twice: in closed form, and by going through all quadruples. The closed form cuts the
layers into stretches in which the four paths are at two neurons each. Along such a stretch two
paths run on either of two strands, and a quadruple is told apart by which two. Where the stretch
opens at a collision or at the input, each of the C(4, 2) = 6 choices is allowed. A marked edge
says that the pair which shares it runs on the strand of that edge: one choice is left, or none
if two marks disagree. Where the stretch opens because a pair starts at a bias beside the other
pair, there is one choice from the outset. Between stretches all four share every edge, and there
is nothing to choose.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import product
from operator import xor

from finitewidth.paths.multiset import Edges, Multiset
from finitewidth.paths.path import Edge, Path, paths
from finitewidth.paths.scheme import Scheme

Start = tuple[int, int]
ALL = frozenset(range(4))


def quadruples(
    multiset: Multiset, scheme: Scheme, marks: Sequence[Edge] = (), starts: Sequence[Start] = ()
) -> int:
    """The number of ordered quadruples with these edges, marks and starts, in closed form.

    Parameters
    ----------
    multiset : Multiset
        E, the even edges of four paths that end at one output.
    scheme : Scheme
        Which pairs share the marked edges, and which start at a bias.
    marks : sequence of Edge
        The marked edges, in the order of ``scheme.marks``.
    starts : sequence of (layer, neuron)
        Where each pair of ``scheme.biases`` starts.

    Returns
    -------
    int
        #{Γ : E^Γ = E, both paths of a pair contain its marked edge, bias pairs start there}: 6
        for each stretch without a mark, 1 or 0 for each other.

    Raises
    ------
    ValueError
        If a marked edge is not in the multiset, if marks or starts are not as many as the scheme
        has, if an edge occurs an odd number of times, or if the paths do not end together.
    """
    _check(multiset, scheme, marks, starts)
    walk, factor = _Stretch(), 1
    present = frozenset(scheme.from_input)
    if len(present) == 4 and multiset.visited(0) == 2:
        walk.open(multiset.neurons(0))
    for layer in range(multiset.depth + 1):
        if layer > 0 and present:
            asked = [
                (frozenset(pair), mark)
                for pair, mark in zip(scheme.marks, marks, strict=True)
                if mark.layer == layer
            ]
            if any(not pair <= present for pair, _ in asked):
                return 0
            if len(present) == 4:
                factor *= walk.step(multiset.edges[layer - 1], asked)
                if factor == 0:
                    return 0
        elif any(mark.layer == layer for mark in marks):
            return 0
        for pair, (at, neuron) in zip(scheme.biases, starts, strict=True):
            if at == layer:
                present |= frozenset(pair)
                walk.join(frozenset(pair), neuron, multiset.neurons(layer), len(present) == 4)
    return factor


@dataclass
class _Stretch:
    """The two strands of a stretch, while the four paths are apart."""

    strand: dict[int, int] = field(default_factory=dict)  # neuron to strand 0 or 1
    first: frozenset[int] | None = None  # the pair on strand 0, once it is known

    def open(self, neurons: Sequence[int]) -> None:
        self.strand = {neuron: number for number, neuron in enumerate(sorted(set(neurons)))}
        self.first = None

    def step(self, edges: Edges, asked: Sequence[tuple[frozenset[int], Edge]]) -> int:
        """One layer of edges; the factor of the stretch where it closes, 0 on a contradiction."""
        different = sorted(set(edges))
        if len(different) == 1:  # all four on one edge
            return 1
        if not self.strand:
            self.open([edge.right for edge in edges])
            of = {edge: self.strand[edge.right] for edge in different}
        else:
            of = {edge: self.strand[edge.left] for edge in different}
        for pair, mark in asked:
            if not self.put(pair, of[mark]):
                return 0
        self.strand = {edge.right: of[edge] for edge in different}
        if len(self.strand) == 2:
            return 1
        free, self.strand, self.first = self.first is None, {}, None
        return 6 if free else 1

    def put(self, pair: frozenset[int], strand: int) -> bool:
        """Say that a pair runs on a strand; False if another one is known to."""
        first = pair if strand == 0 else ALL - pair
        if self.first is None:
            self.first = first
        return self.first == first

    def join(
        self, pair: frozenset[int], neuron: int, neurons: Sequence[int], complete: bool
    ) -> None:
        """A pair starts at a neuron; with the other pair elsewhere, it opens a known stretch."""
        if complete and len(set(neurons)) == 2:
            self.open(neurons)
            self.put(pair, self.strand[neuron])


def _check(
    multiset: Multiset, scheme: Scheme, marks: Sequence[Edge], starts: Sequence[Start]
) -> None:
    if len(marks) != len(scheme.marks) or len(starts) != len(scheme.biases):
        raise ValueError(
            f"{len(marks)} marked edges and {len(starts)} starts at biases were given, expected "
            f"{len(scheme.marks)} and {len(scheme.biases)} for this quantity."
        )
    for mark in marks:
        if not 0 < mark.layer <= multiset.depth or mark not in multiset.edges[mark.layer - 1]:
            raise ValueError(
                f"the mark {tuple(mark)} is not an edge of the multiset; mark one of its edges "
                f"(layer, left, right), for example {_example(multiset)}."
            )
    if not multiset.even:
        raise ValueError(
            "an edge occurs an odd number of times, expected an even multiset: any other has "
            "mean zero."
        )
    ends = multiset.neurons(multiset.depth)
    if len(ends) != scheme.paths or len(set(ends)) != 1:
        raise ValueError(
            f"the paths end at neurons {ends} of the last layer, expected {scheme.paths} paths "
            "that end at one output."
        )


def _example(multiset: Multiset) -> tuple[int, ...] | str:
    edges = [edge for layer in multiset.edges for edge in layer]
    return tuple(edges[0]) if edges else "(it has none)"


Marked = tuple[Multiset, tuple[Edge, ...], tuple[Start, ...]]


def tally(sizes: Sequence[int], scheme: Scheme) -> Counter[Marked]:
    """The same numbers by going through all quadruples of a network, however uneven they are.

    Parameters
    ----------
    sizes : sequence of int
        n_0 … n_d.
    scheme : Scheme
        Which paths start where, and which pairs share a marked edge.

    Returns
    -------
    Counter
        {(E, marked edges, starts): number of quadruples}, E even.
    """
    found: Counter[Marked] = Counter()
    for starts in _starts(sizes, scheme):
        bundles: list[list[Path]] = [list(paths(sizes))] * scheme.paths
        for pair, (layer, neuron) in zip(scheme.biases, starts, strict=True):
            for path in pair:
                bundles[path] = list(paths(sizes, layer, neuron))
        edges = {path: frozenset(path.edges) for bundle in bundles for path in bundle}
        for gamma in product(*bundles):
            of = [edges[path] for path in gamma]
            if reduce(xor, of):  # an edge that occurs an odd number of times
                continue
            multiset = Multiset.of(gamma)
            shared = [of[a] & of[b] for a, b in scheme.marks]
            for marks in product(*shared):
                if not scheme.apart or len({mark.layer for mark in marks}) == len(marks):
                    found[multiset, marks, starts] += 1
    return found


def _starts(sizes: Sequence[int], scheme: Scheme) -> Iterator[tuple[Start, ...]]:
    """All places where the bias pairs of a scheme can start."""
    biases = [(layer, z) for layer in range(1, len(sizes)) for z in range(sizes[layer])]
    return product(biases, repeat=len(scheme.biases))


def pairs(multiset: Multiset) -> int:
    """The number of ordered pairs of paths (v₁, v₂) that give E when every edge is doubled.

    Two for each stretch (which of the two goes along which strand), in closed form: 2^(loops),
    times 2 if the paths start at two inputs. For four paths that start at the input.
    """
    opens = 1 if multiset.visited(0) == 2 else 0
    return 2 ** (len(multiset.loops) + opens)


def tally_pairs(sizes: Sequence[int]) -> Counter[Multiset]:
    """The same numbers by going through all pairs of paths from the input."""
    every = list(paths(sizes))
    return Counter(Multiset.of((a, a, b, b)) for a, b in product(every, repeat=2))
