"""E K, E K², E ΔK and their parts as sums over multisets of edges, one by one.

    E Σ_Γ Π_k wt(γ_k) = Σ_E  (mean weight of E, Lemma 7) × (number of quadruples with E, Lemma 8)

for each place of the marks and of the bias starts. Slow on purpose: nothing is summed in closed
form, so that every term can be looked at. `finitewidth.paths.loops` sums the same series at any
size.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import product
from math import fsum

from numpy.typing import ArrayLike

from finitewidth.network import MLP
from finitewidth.paths.even import even_multisets, how_many
from finitewidth.paths.field import checked_input, checked_network
from finitewidth.paths.multiplicity import quadruples
from finitewidth.paths.multiset import Multiset
from finitewidth.paths.path import Edge, count
from finitewidth.paths.scheme import Scheme, scheme
from finitewidth.paths.weight import constants, weight

LIMIT = 1_000_000


def expectation(net: MLP, x: ArrayLike, quantity: str, *, limit: int = LIMIT) -> float:
    """One of E K_w, E K_b, E K_w², E K_b K_w, E K_b², E Δ_ww, E Δ_wb by enumeration.

    Parameters
    ----------
    net : MLP
        A network with one output, biases that are zero at initialisation, an activation that is
        linear on either side of 0 (ReLU, LeakyReLU, |t|, identity), no residual connections.
    x : array of shape [n_in]
        The input.
    quantity : str
        ``"weights"``, ``"biases"``: E K_w, E K_b. ``"weights_squared"``, ``"cross"``,
        ``"biases_squared"``: E K_w², E K_b K_w, E K_b². ``"update_ww"``, ``"update_wb"``:
        E Δ_ww, E Δ_wb, with E ΔK = −2 λ (E Δ_ww + 2 E Δ_wb) of one SGD step, activation
        pattern frozen.
    limit : int
        The largest number of terms (multisets with marks and starts) to go through; a term
        takes 10 to 20 microseconds.

    Returns
    -------
    float
        Exact up to rounding.

    Raises
    ------
    ValueError
        For a network outside this field, a wrong input or name, and, before it starts, for a
        network with more terms than `limit`.

    Notes
    -----
    Hanin & Nica (2020), Lemmas 6 to 8; see the guide, "The path calculus".
    """
    plan = scheme(quantity)
    net = checked_network(net)
    of = constants(net, checked_input(net, x))
    if plan.biases and of.bias_lr == 0.0:
        return 0.0
    refuse_too_many(of.sizes, plan, limit)
    return fsum(
        weight(multiset, marks, starts, of) * times
        for multiset, marks, starts, times in terms(of.sizes, plan)
    )


Term = tuple[Multiset, tuple[Edge, ...], tuple[tuple[int, int], ...], int]


def terms(sizes: Sequence[int], plan: Scheme) -> Iterator[Term]:
    """Every (multiset, marked edges, bias starts, number of quadruples) that contributes."""
    biases = [(layer, z) for layer in range(1, len(sizes)) for z in range(sizes[layer])]
    for starts in product(biases, repeat=len(plan.biases)):
        for multiset in even_multisets(sizes, len(plan.from_input), starts):
            for marks in _marks(multiset, plan):
                times = quadruples(multiset, plan, marks, starts)
                if times:
                    yield multiset, marks, starts, times


def _marks(multiset: Multiset, plan: Scheme) -> Iterator[tuple[Edge, ...]]:
    different = [edge for layer in multiset.edges for edge in sorted(set(layer))]
    for marks in product(different, repeat=len(plan.marks)):
        if not plan.apart or len({mark.layer for mark in marks}) == len(marks):
            yield marks


def refuse_too_many(sizes: Sequence[int], plan: Scheme, limit: int) -> None:
    """Raise the sentence for a network that is too large to enumerate."""
    multisets = how_many(sizes, plan)
    places = multisets * (2 * (len(sizes) - 1)) ** len(plan.marks)
    if places > limit:
        raise ValueError(
            f"the network of sizes {_sizes(sizes)} has {_number(count(sizes) ** 4)} quadruples "
            f"of paths, and this quantity up to {_number(places)} terms over even multisets, "
            f"more than limit = {_number(limit)}; use finitewidth.paths.loops(net, x, "
            "quantity), which sums the same series at any size, or finitewidth.KernelLaw."
        )


def _sizes(sizes: Sequence[int]) -> str:
    shown = [str(n) for n in sizes]
    return ", ".join(shown if len(shown) <= 8 else [*shown[:4], "…", *shown[-2:]])


def _number(n: int) -> str:
    return str(n) if n < 10**7 else f"{Decimal(n):.1e}"
