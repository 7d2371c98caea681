"""The mean of one step in its two values: pattern frozen, and with the neurons that cross zero."""

from dataclasses import dataclass

from finitewidth.estimate import Estimate
from finitewidth.law.crossing.estimates import CrossingTerm
from finitewidth.law.exact_law import ExactLaw
from finitewidth.report import Column, Table

MEANING = {
    "frozen": "neurons keep their state; 1/n",
    "crossing": "neurons cross zero; n^(-1/2)",
    "real": "what training shows: the sum",
}


@dataclass(frozen=True)
class Split:
    """E ΔK of one step: frozen, by crossings, and of the real step.

    Attributes
    ----------
    law : ExactLaw
    frozen : float
        The paper's quantity, exact, linear in the learning rate.
    crossing : CrossingTerm
        What the frozen value leaves out.
    """

    law: ExactLaw
    frozen: float
    crossing: CrossingTerm

    @property
    def real(self) -> Estimate:
        """E ΔK of the real step."""
        return self.crossing.with_frozen(self.frozen)

    def sentence(self) -> str:
        """What one step does to the mean, and which part does it."""
        change = _scaled(self.real, self.law.mean())[1]
        shown = f"{change:.6g}" if isinstance(change, float) else str(change)
        parts = (
            f", of which {self.frozen / self.law.mean():.4g} with the activation pattern frozen "
            "and the rest by neurons that cross zero."
        )
        whole = f"One step changes K by {shown} E K on average"
        return whole + (parts if self.crossing.value else "; no crossing changes it.")

    def table(self, title: str) -> Table:
        """The two values and their sum, each with what it means."""
        mean = self.law.mean()
        rows = [
            ("pattern frozen", self.frozen, self.frozen / mean, MEANING["frozen"]),
            ("crossing term", *_scaled(self.crossing, mean), MEANING["crossing"]),
            ("real step", *_scaled(self.real, mean), MEANING["real"]),
        ]
        columns = [
            Column("mean of one step"),
            Column("E ΔK", digits=6),
            Column("E ΔK / E K", digits=6),
            Column("what it is"),
        ]
        return Table(title, columns, rows)


def _scaled(one: Estimate, mean: float) -> tuple[Estimate | float, Estimate | float]:
    """An estimate and the same over E K; plain numbers where there is no error to show."""
    cells: list[Estimate | float] = []
    reason = one.note.partition("; ")[2] or one.note  # without the method, which is said elsewhere
    for unit in (1.0, mean):
        value, error = float(one.value) / unit, float(one.std_error) / unit
        if error == 0.0:
            value = float(f"{value:.6g}")
        note = "" if one.trusted else reason
        shown = Estimate(value, error, one.size, one.method, one.exact, one.trusted, note)
        cells.append(value if error == 0.0 and one.trusted else shown)
    return cells[0], cells[1]
