"""The slow obvious twin of the exact law: the recursion in moments, path by path.

A product of N, of kernels and of Hessian products is a sum over tuples of paths. Its expectation
is summed layer by layer over every partition of the paths by the neuron they sit on, all of them:
paths are told apart, nothing is grouped by symmetry, and every number is a Fraction. Nothing here
imports the package, which works with cumulants, counts and classes of states instead.

One layer takes the partition P of the paths to the partition Q of layer j. Paths share a weight
where they share a neuron below and above, so the blocks of the meet of P and Q are the weights,
and a weight used by s paths contributes its moment μ_s: an odd one is 0. A derivative ties two
paths, a *slot*:

- with respect to a weight, it strikes out the factors of its two paths on a weight that both use,
  μ_s becomes μ_{s−2}, and the learning-rate factor λ_j takes the place of their variance c_j;
- with respect to a bias of layer j, its two paths start there, at one neuron.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations, permutations, product
from math import perm, prod

Partition = tuple[frozenset[int], ...]


@dataclass(frozen=True)
class Network:
    """A network with rational constants; `moments` holds (μ_4, μ_6, μ_8), `widths` is hidden."""

    x: tuple[Fraction, ...]
    widths: tuple[int, ...]
    moments: tuple[Fraction, Fraction, Fraction]
    slope: Fraction = Fraction(0)
    hidden_gain: Fraction = Fraction(2)
    output_gain: Fraction = Fraction(1)
    parametrization: str = "ntk"
    bias: bool = True
    bias_lr: Fraction = Fraction(1)

    def moment(self, order: int) -> Fraction:
        """E W^order for an even order up to 8."""
        return (Fraction(1), Fraction(1), *self.moments)[order // 2]


@dataclass(frozen=True)
class Slot:
    """One derivative: the paths it ties, and whether it is by a weight ("w") or a bias ("b")."""

    paths: frozenset[int]
    kind: str


def expectation(
    net: Network,
    outputs: int = 0,
    kernels: Sequence[str] = (),
    hessians: Sequence[tuple[str, str]] = (),
) -> Fraction:
    """The expectation of N^outputs, one K for each of `kernels`, one gᵀHg for each of `hessians`.

    The kinds "w", "b" or "wb" say over which parameters a derivative is summed.
    """
    if not net.bias:
        kernels = [kinds.replace("b", "") for kinds in kernels]
        hessians = [(p.replace("b", ""), q.replace("b", "")) for p, q in hessians]
    ties: list[frozenset[int]] = []
    path = outputs
    for _ in kernels:
        ties.append(frozenset({path, path + 1}))
        path += 2
    for _ in hessians:
        ties += [frozenset({path, path + 1}), frozenset({path + 1, path + 2})]
        path += 3
    kinds = [*kernels, *(kind for pair in hessians for kind in pair)]
    return sum(
        (
            _term(net, frozenset(range(path)), tuple(map(Slot, ties, choice)))
            for choice in product(*kinds)
            if not _two_biases(choice[len(kernels) :])
        ),
        Fraction(0),
    )


def _two_biases(choice: Sequence[str]) -> bool:
    """Whether some second derivative is by two biases: it is 0."""
    return any(p == q == "b" for p, q in zip(choice[::2], choice[1::2], strict=True))


def _term(net: Network, paths: frozenset[int], slots: tuple[Slot, ...]) -> Fraction:
    biased = frozenset().union(*(slot.paths for slot in slots if slot.kind == "b"))
    sizes = (len(net.x), *net.widths, 1)
    depth = len(sizes) - 1
    nothing: frozenset[Slot] = frozenset()
    states = {(p, nothing): _at_input(net.x, p) for p in even_partitions(paths - biased)}
    for j in range(1, depth + 1):
        gain = net.output_gain if j == depth else net.hidden_gain
        variance = gain / sizes[j - 1]
        rate = variance if net.parametrization == "ntk" else Fraction(1)
        above: dict[tuple[Partition, frozenset[Slot]], Fraction] = {}
        for (p, settled), value in states.items():
            left = [slot for slot in slots if slot not in settled]
            passing = frozenset().union(*p)
            for starting in _subsets([slot for slot in left if slot.kind == "b"]):
                started = frozenset().union(*(slot.paths for slot in starting))
                before = value * net.bias_lr ** len(starting)
                if starting and not passing and j < depth and net.slope == 0:
                    before *= prod(1 - Fraction(1, 2**n) for n in sizes[1:j])
                for q, meet in _onward(p, passing | started):
                    if len(q) > sizes[j]:
                        continue  # not enough neurons, of which the output layer has one
                    if not all(_inside(slot.paths, q) for slot in starting):
                        continue
                    for marks in _subsets([slot for slot in left if slot.kind == "w"]):
                        if not all(_inside(slot.paths, meet) for slot in marks):
                            continue
                        marked = frozenset().union(*(slot.paths for slot in marks))
                        if len(marked) < 2 * len(marks):
                            continue  # two weights of one layer: N is linear in each layer
                        term = before * rate ** len(marks)
                        term *= variance ** (len(passing - marked) // 2)
                        for block in meet:
                            term *= net.moment(len(block - marked))
                        if j < depth:
                            term *= perm(sizes[j], len(q))
                            for block in q:
                                term *= (1 + net.slope ** len(block)) / 2
                        key = (q, settled.union(starting, marks))
                        above[key] = above.get(key, Fraction(0)) + term
        states = above
    everything = frozenset(slots)
    return sum((v for (_, settled), v in states.items() if settled == everything), Fraction(0))


def _subsets(items: Sequence[Slot]) -> Iterator[tuple[Slot, ...]]:
    for size in range(len(items) + 1):
        yield from combinations(items, size)


def _inside(paths: frozenset[int], blocks: Partition) -> bool:
    return any(paths <= block for block in blocks)


@cache
def even_partitions(paths: frozenset[int]) -> tuple[Partition, ...]:
    """Every partition of the paths, kept if all blocks are even."""

    def partitions(items: list[int]) -> Iterator[list[list[int]]]:
        if not items:
            yield []
            return
        for smaller in partitions(items[1:]):
            yield [[items[0]], *smaller]
            for i in range(len(smaller)):
                yield [*smaller[:i], [items[0], *smaller[i]], *smaller[i + 1 :]]

    return tuple(
        tuple(sorted(map(frozenset, blocks), key=min))
        for blocks in partitions(sorted(paths))
        if all(len(block) % 2 == 0 for block in blocks)
    )


@cache
def _onward(p: Partition, paths: frozenset[int]) -> list[tuple[Partition, Partition]]:
    """Every partition of `paths` with its meet with p, if all blocks of the meet are even."""
    meets = (
        (q, tuple(block & above for block in p for above in q if block & above))
        for q in even_partitions(paths)
    )
    return [(q, meet) for q, meet in meets if all(len(block) % 2 == 0 for block in meet)]


def _at_input(x: tuple[Fraction, ...], p: Partition) -> Fraction:
    """Σ over different coordinates of Π over the blocks of x^|B|."""
    return sum(
        (
            prod((c ** len(block) for c, block in zip(chosen, p, strict=True)), start=Fraction(1))
            for chosen in permutations(x, len(p))
        ),
        Fraction(0),
    )
