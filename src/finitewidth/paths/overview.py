"""`Overview`: the sums over paths of one network, how many there are, and their loops."""

from functools import cached_property
from math import log10

import numpy as np
from numpy.typing import ArrayLike

from finitewidth.network import MLP
from finitewidth.network.words import as_json, in_words
from finitewidth.paths.even import how_many
from finitewidth.paths.expectation import expectation
from finitewidth.paths.field import checked_network
from finitewidth.paths.figure import figure_one, figure_two
from finitewidth.paths.figure.loop_shares import loop_shares
from finitewidth.paths.figure.sampled import QUANTITIES, sampled
from finitewidth.paths.loops import Loops, loops
from finitewidth.paths.path import count
from finitewidth.paths.scheme import scheme
from finitewidth.report import Column, Later, Page, Provenance, Record, Section, Shown, Table
from finitewidth.report.drawn import Drawn

TERMS = 300_000
"""Terms of one quantity that are gone through without being asked: a few seconds."""

MASS = 0.9
BAR = "█"
LARGEST_LOG = 700.0


class Overview(Shown):
    """Counts, sums and loops of the paths behind E K² and E ΔK of one SGD step.

    Parameters
    ----------
    net : MLP
        As of `fw.paths.loops`.
    x : array-like [n_in], optional
        The input; all ones if not given.
    show_loops : bool
        Whether the share of each number of loops is shown.
    figure : int, optional
        1 or 2: the page's figure is that of the paper (Hanin & Nica 2020) for these widths,
        instead of the shares of loops.
    sample : str, optional
        A quantity of `fw.paths.sample`: the page's figure is four paths drawn by their weight.
    seed : int
        Of those paths.
    input_name : str, optional
        What the input is called.

    Raises
    ------
    ValueError
        For another figure or quantity, or both; on access for a network that is no sum over
        paths, or too small for the figure.
    """

    def __init__(
        self,
        net: MLP,
        x: ArrayLike | None = None,
        *,
        show_loops: bool = False,
        figure: int | None = None,
        sample: str | None = None,
        seed: int = 0,
        input_name: str | None = None,
    ) -> None:
        if figure is not None and (figure not in (1, 2) or sample is not None):
            raise ValueError(f"figure is {figure} with sample {sample}, expected 1 or 2 alone.")
        if sample is not None:
            scheme(sample)
        net = checked_network(net)
        self.net, self.x = net, np.ones(net.n_in) if x is None else x
        self.show_loops, self.figure, self.sample, self.seed = show_loops, figure, sample, seed
        self.input_name = input_name or "|x|^2 = n_in"
        self.sizes = (net.n_in, *net.widths, 1)

    @cached_property
    def chains(self) -> dict[str, Loops | None]:
        """Every quantity as summed by the chain, None where it is 0."""
        chains: dict[str, Loops | None] = {}
        for part in (*QUANTITIES, "kernel_squared", "update"):
            zero = part in QUANTITIES and scheme(part).biases and not self.net.trains_biases
            zero = zero or (part.startswith("update") and self.net.depth == 1)
            chains[part] = None if zero else loops(self.net, self.x, part, loops=0)
        return chains

    @cached_property
    def decomposed(self) -> dict[str, Loops]:
        """E K² and E ΔK by number of loops, without the one that is 0."""
        return {
            name: loops(self.net, self.x, part)
            for part, name in (("kernel_squared", "E K²"), ("update", "E ΔK"))
            if self.chains[part] is not None
        }

    @cached_property
    def enumerated(self) -> dict[str, float]:
        """The quantities with few enough terms to go through them one by one."""
        sums = {}
        for part in QUANTITIES:
            plan = scheme(part)
            if how_many(self.sizes, plan) * (2 * self.net.depth) ** len(plan.marks) <= TERMS:
                sums[part] = expectation(self.net, self.x, part)
        return sums

    def page(self) -> Page:
        """How many loops carry the sums, how many paths there are, and the sums."""
        lead = [self._sentence(name) for name in self.decomposed] if self.show_loops else []
        number = count(self.sizes)
        lead.append(
            f"{_many(number)} paths, {_many(number**4)} quadruples, "
            f"{_many(how_many(self.sizes, scheme('weights_squared')))} even multisets of the edges "
            "of four paths from the input."
        )
        if not self.enumerated:
            lead.append("Too many to go through one by one: the sums are the chain's, exact.")
        sections = [Section("The sums", [self._sums()])]
        if self.show_loops:
            sections.append(Section("Their loops", [self._loops()]))
        sections.append(Section("Figure", [self._picture()]))
        seed = None if self.sample is None else self.seed
        provenance = Provenance.now(seed, input=self.input_name)
        return Page(in_words(self.net), lead, sections, provenance, self._record)

    def _record(self) -> Record:
        inputs = {"input": self.input_name, "show_loops": self.show_loops}
        record = Record(inputs, as_json(self.net))
        for part, one in self.chains.items():
            if one is None:
                record.exact(part, 0.0, "chain of paths")
            else:
                record.exact(f"log_{part}", one.log_total, "chain of paths")
                if one.log_total < LARGEST_LOG:
                    record.exact(part, one.total, "chain of paths")
            if part in self.enumerated:
                record.exact(f"{part}_enumerated", self.enumerated[part], "enumeration")
        if self.show_loops:
            for one in self.decomposed.values():
                record.exact(f"{one.quantity}_loop_shares", one.share, "chain of paths")
                record.exact(f"{one.quantity}_mean_loops", one.mean_loops, "chain of paths")
        return record

    def _sums(self) -> Table:
        names = QUANTITIES | {"kernel_squared": "E K²", "update": "−E ΔK/(2λ)"}
        return Table(
            "Sums over four paths",
            [
                "quantity",
                Column("chain", digits=9, meaning="all multisets, summed layer by layer"),
                Column("enumeration", digits=9, meaning="every multiset by itself"),
            ],
            [
                (name, _cell(self.chains[part]), self.enumerated.get(part))
                for part, name in names.items()
            ],
            "E K² = E K_w² + 2 E K_b K_w + E K_b²; E ΔK = −2 λ (E Δ_ww + 2 E Δ_wb) of one SGD "
            "step, activation pattern frozen.",
        )

    def _loops(self) -> Table:
        ranges = [one.interval(0.999) for one in self.decomposed.values()]
        kernel, update = self.decomposed["E K²"], self.decomposed.get("E ΔK")
        rows = []
        for number in range(min(low for low, _ in ranges), max(high for _, high in ranges) + 1):
            shares = [_share(one, number) for one in (kernel, update)]
            rows.append((number, *shares, BAR * round(40 * (shares[0] or 0.0))))
        return Table(
            "Share of each number of loops",
            [
                "loops",
                Column("E K²", places=4),
                Column("E ΔK", places=4),
                Column("of E K²", meaning="one block is 0.025"),
            ],
            rows,
            "A loop: the four paths meet in a neuron, run in two pairs through other layers, and "
            "meet again; the output is a meeting.",
        )

    def _sentence(self, name: str) -> str:
        one = self.decomposed[name]
        low, high = one.interval(MASS)
        run = f"{low} loops" if low == high else f"{low} to {high} loops"
        busiest = int(one.collided[1:-1].argmax()) + 1 if self.net.depth > 1 else 0
        where = (
            f"; the four paths meet most often in layer {busiest} "
            f"({one.collided[busiest]:.1%} of the sum)"
            if busiest
            else ""
        )
        return (
            f"At least {MASS:.0%} of {name} at depth {self.net.depth} is carried by {run}, "
            f"{one.mean_loops:.3g} on average{where}."
        )

    def _picture(self) -> Drawn | Later:
        if self.figure is not None:
            return (figure_one if self.figure == 1 else figure_two)(self.sizes)
        if self.sample is not None:
            return sampled(self.net, self.x, self.sample, self.seed)
        if self.show_loops:
            return loop_shares(self.decomposed, in_words(self.net))
        return Later(lambda: loop_shares(self.decomposed, in_words(self.net)))


def _share(one: Loops | None, number: int) -> float | None:
    if one is None:
        return None
    return float(one.share[number]) if number < len(one.share) else 0.0


def _cell(one: Loops | None) -> float | str:
    if one is None:
        return 0.0
    return one.total if one.log_total < LARGEST_LOG else f"e^{one.log_total:.8g}"


def _many(number: int) -> str:
    return f"{number:,}" if number < 10**9 else f"10^{int(log10(number))}"
