"""What `finitewidth paths` shows: counts, sums, loops."""

from dataclasses import dataclass
from functools import cached_property
from math import log10

import numpy as np
import typer

from finitewidth.cli.results import Results, describe, in_words
from finitewidth.network import MLP
from finitewidth.paths import Loops, expectation, loops, sample, scheme
from finitewidth.paths.even import how_many
from finitewidth.paths.figure import PathFigure, figure_one, figure_two
from finitewidth.paths.path import count
from finitewidth.report import Column, Curve, Plot, Table

PARTS = {
    "weights_squared": "E K_w²",
    "cross": "E K_b K_w",
    "biases_squared": "E K_b²",
    "update_ww": "E Δ_ww",
    "update_wb": "E Δ_wb",
}
TERMS = 300_000
"""Terms of one quantity that are gone through without being asked: a few seconds."""

MASS = 0.9
BAR = "█"


@dataclass
class PathsView:
    """The numbers of one network and one input."""

    net: MLP
    x: np.ndarray | None
    named: str | None
    show_loops: bool
    seed: int

    @property
    def input(self) -> np.ndarray:
        """The input; all ones if none was given."""
        return np.ones(self.net.n_in) if self.x is None else self.x

    @property
    def sizes(self) -> tuple[int, ...]:
        """n_0 … n_d."""
        return (self.net.n_in, *self.net.widths, 1)

    @cached_property
    def chains(self) -> dict[str, Loops | None]:
        """Every part with its loops, None where it is 0."""
        found: dict[str, Loops | None] = {}
        for part in (*PARTS, "kernel_squared", "update"):
            zero = (scheme(part).biases and not self.net.trains_biases) if part in PARTS else False
            zero = zero or (part.startswith("update") and self.net.depth == 1)
            found[part] = None if zero else loops(self.net, self.input, part, loops=0)
        return found

    @cached_property
    def decomposed(self) -> dict[str, Loops]:
        """E K² and E ΔK by number of loops, without the one that is 0."""
        return {
            name: loops(self.net, self.input, part)
            for part, name in (("kernel_squared", "E K²"), ("update", "E ΔK"))
            if self.chains[part] is not None
        }

    @cached_property
    def enumerated(self) -> dict[str, float]:
        """The parts that are few enough to go through term by term."""
        found = {}
        for part in PARTS:
            plan = scheme(part)
            if how_many(self.sizes, plan) * (2 * self.net.depth) ** len(plan.marks) <= TERMS:
                found[part] = expectation(self.net, self.input, part)
        return found

    def results(self) -> Results:
        """Counts, sums and shares for ``--json``."""
        given = {"input": self.named or "|x|^2 = n_in", "show_loops": self.show_loops}
        found = Results(describe(self.net) | given)
        for part, one in self.chains.items():
            if one is None:
                found.exact(part, 0.0, "chain of paths")
            else:
                found.exact(f"log_{part}", one.log_total, "chain of paths")
                if one.log_total < 700:
                    found.exact(part, one.total, "chain of paths")
            if part in self.enumerated:
                found.exact(f"{part}_enumerated", self.enumerated[part], "enumeration")
        if self.show_loops:
            for one in self.decomposed.values():
                found.exact(f"{one.quantity}_loop_shares", one.share, "chain of paths")
                found.exact(f"{one.quantity}_mean_loops", one.mean_loops, "chain of paths")
        return found

    def print(self) -> None:
        """Tables for the terminal."""
        from rich.console import Console

        console = Console()
        typer.echo(in_words(self.net))
        number = count(self.sizes)
        typer.echo(
            f"{_many(number)} paths, {_many(number**4)} quadruples, "
            f"{_many(how_many(self.sizes, scheme('weights_squared')))} even multisets of the edges "
            "of four paths from the input."
        )
        if not self.enumerated:
            typer.echo("Too many to go through one by one: the sums below are the chain's, exact.")
        typer.echo()
        console.print(self._sums())
        if self.show_loops:
            console.print(self._loops())
            for name, one in self.decomposed.items():
                console.print(self._sentence(one, name), highlight=False)

    def _sums(self) -> Table:
        rows = []
        for part, name in PARTS.items():
            one = self.chains[part]
            closed = 0.0 if one is None else _shown(one)
            rows.append((name, closed, self.enumerated.get(part)))
        for part, name in (("kernel_squared", "E K²"), ("update", "−E ΔK/(2λ)")):
            one = self.chains[part]
            rows.append((name, 0.0 if one is None else _shown(one), None))
        return Table(
            "Sums over four paths",
            [
                "quantity",
                Column("chain", digits=9, meaning="all multisets, summed layer by layer"),
                Column("enumeration", digits=9, meaning="every multiset by itself"),
            ],
            rows,
            "E K² = E K_w² + 2 E K_b K_w + E K_b²; E ΔK = −2 λ (E Δ_ww + 2 E Δ_wb) of one SGD "
            "step, activation pattern frozen.",
        )

    def _loops(self) -> Table:
        shown = self.decomposed.values()
        kernel, update = self.decomposed["E K²"], self.decomposed.get("E ΔK")
        low = min(one.interval(0.999)[0] for one in shown)
        high = max(one.interval(0.999)[1] for one in shown)
        rows = []
        for number in range(low, high + 1):
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

    def _sentence(self, one: Loops, name: str) -> str:
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

    def figure(self, number: int | None, quantity: str | None) -> Plot | PathFigure:
        """The picture for ``--plot``."""
        if number is not None:
            return (figure_one if number == 1 else figure_two)(self.sizes)
        if quantity is not None:
            plan = scheme(quantity)
            drawn = sample(self.net, self.input, quantity, 1, self.seed)
            marks = [
                (int(layer), pair) for layer, pair in zip(drawn.marks[0], plan.marks, strict=True)
            ]
            title = f"Four paths of {PARTS[quantity]}, drawn by their weight"
            return PathFigure(drawn.neurons[0], self.sizes, marks, title)
        shown = self.decomposed.items()
        most = 1 + max(int(np.flatnonzero(one.share > 1e-4).max()) for _, one in shown)
        return Plot(
            title="What each number of loops carries",
            sentence=in_words(self.net),
            x_label="number of loops",
            y_label="share of the sum",
            series=[
                Curve(name, np.arange(len(one.share[:most])), one.share[:most], marked=True)
                for name, one in shown
            ],
            from_zero=True,
            x_ticks=[float(n) for n in range(0, most, max(1, most // 8))],
        )


def _share(one: Loops | None, number: int) -> float | None:
    if one is None:
        return None
    return float(one.share[number]) if number < len(one.share) else 0.0


def _shown(one: Loops) -> float | str:
    return one.total if one.log_total < 700 else f"e^{one.log_total:.8g}"


def _many(number: int) -> str:
    return f"{number:,}" if number < 10**9 else f"10^{int(log10(number))}"
