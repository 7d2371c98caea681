"""`width`: the width that a target asks for, as an answer that shows itself."""

from dataclasses import dataclass
from typing import Any

from finitewidth.design.search import check_targets, narrowest
from finitewidth.law import KernelLaw
from finitewidth.network import MLP
from finitewidth.network.words import as_json, in_words
from finitewidth.report import Column, Page, Provenance, Record, Section, Shown, Table


@dataclass(frozen=True)
class Width(Shown):
    """The smallest equal width from which on a target holds.

    Attributes
    ----------
    value : int
        The width n.
    law, below : KernelLaw
        The law at n and at n − 1; `below` is None for n = 1.
    max_dispersion, max_relative_update : float or None
        The targets.
    learning_rate : float
        λ of the step.
    """

    value: int
    law: KernelLaw
    below: KernelLaw | None
    max_dispersion: float | None
    max_relative_update: float | None
    learning_rate: float

    def page(self) -> Page:
        """The width, and the law there and one neuron below."""
        rows: list[tuple[str, float | None, float | None]] = [
            (f"{self.value}, the answer", *self._reached(self.law))
        ]
        if self.below is not None:
            rows.append((f"{self.value - 1}, not enough", *self._reached(self.below)))
        rows.append(("allowed", self.max_dispersion, self._allowed_update()))
        update = f"E ΔK/E K at λ = {self.learning_rate:g}"
        columns = [Column("width"), Column("E K²/(E K)²", digits=6), Column(update)]
        caption = "ΔK is that of one SGD step, activation pattern frozen."
        table = Table("The exact law there", columns, rows, caption)
        return Page(
            f"Width {self.value}: {in_words(self.law.net)}",
            [f"Every width from {self.value} on meets the target."],
            [Section("The law there", [table])],
            Provenance.now(None, input=self.law.input_name),
            self._record,
        )

    def _reached(self, law: KernelLaw) -> tuple[float, float]:
        return law.dispersion(), law.relative_update(self.learning_rate)

    def _allowed_update(self) -> float | None:
        return None if self.max_relative_update is None else -self.max_relative_update

    def _record(self) -> Record:
        record = Record(
            {
                "input": self.law.input_name,
                "max_dispersion": self.max_dispersion,
                "max_relative_update": self.max_relative_update,
                "learning_rate": self.learning_rate,
            },
            as_json(self.law.net),
        )
        dispersion, update = self._reached(self.law)
        record.exact("width", self.value, "bisection on the exact law")
        record.exact("dispersion", dispersion)
        record.exact("relative_update", update)
        return record


def width(
    hidden_layers: int,
    max_dispersion: float | None = None,
    n_in: int = 1,
    *,
    max_relative_update: float | None = None,
    learning_rate: float = 1.0,
    x: object = None,
    power_sums: tuple[float, ...] | None = None,
    input_name: str | None = None,
    **fields: Any,
) -> Width:
    """The smallest equal width from which on a target holds.

    Parameters
    ----------
    hidden_layers : int
        Number of hidden layers, d − 1.
    max_dispersion : float, optional
        Largest allowed E K²/(E K)², above 1.
    n_in : int
        Input dimension; |x|² = n_in unless `x` or `power_sums` is given.
    max_relative_update : float, optional
        Largest allowed |E ΔK|/E K of one SGD step, activation pattern frozen.
    learning_rate : float
        λ of that step.
    x, power_sums
        The input, as `KernelLaw` takes it.
    input_name : str, optional
        What it is called where the answer is shown.
    **fields
        Further fields of `MLP`: activation, weight_law, hidden_gain, …

    Returns
    -------
    Width
        With the width n as `.value`: every width ≥ n meets the target(s), and n − 1 does not (or
        n = 1).

    Raises
    ------
    ValueError
        If no target is given, a target is out of range, there is no hidden layer to widen, or no
        width up to 10¹² meets it (the sentence says what the widest reaches).

    Notes
    -----
    Both quantities fall as the width grows, except where layers are so narrow that dead ones matter
    (docs, "Which width?"); widths below 64 are therefore tried one by one.
    """
    check_targets(max_dispersion, max_relative_update)
    if hidden_layers == 0:
        raise ValueError("hidden_layers is 0, so there is no width to choose; give at least 1.")

    def law(width: int) -> KernelLaw:
        net = MLP.equal_width(n_in, width, hidden_layers, **fields)
        return KernelLaw(net, x, power_sums=power_sums, input_name=input_name)

    value = narrowest(law, max_dispersion, max_relative_update, learning_rate)
    return Width(
        value,
        law(value),
        law(value - 1) if value > 1 else None,
        max_dispersion,
        max_relative_update,
        learning_rate,
    )


def width_for(
    hidden_layers: int, max_dispersion: float | None = None, n_in: int = 1, **others: Any
) -> int:
    """The smallest equal width from which on a target holds, as a number.

    Arguments and errors as of `width`, whose ``.value`` it is.
    """
    return width(hidden_layers, max_dispersion, n_in, **others).value
