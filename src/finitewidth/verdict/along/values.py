"""Verdicts at several values of an argument, and how their numbers change with it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from finitewidth.estimate import Estimate, short_form
from finitewidth.verdict.along.powers import QUANTITIES, fitted_power, less_one
from finitewidth.verdict.measurement import Measurement
from finitewidth.verdict.result import NO_BOOL, Check, all_of


@dataclass(frozen=True)
class Along:
    """Verdicts on one model at several values of an argument: what follows from them.

    Attributes
    ----------
    argument : str
        Of the factory, e.g. ``"width"``.
    values : list of int
        Increasing.
    checks : list of Check
        One a value, at the same seeds.
    seconds : list of float
        That each took.
    """

    argument: str
    values: list[int]
    checks: list[Check]
    seconds: list[float] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[int, Check]]:
        return zip(self.values, self.checks, strict=True)

    @property
    def passed(self) -> bool | None:
        """Whether all limits are kept at every value; None where one is open and none fails."""
        return all_of([one.passed for one in self.checks])

    def __bool__(self) -> bool:
        raise TypeError(NO_BOOL.format(what="checks"))

    def rows(self, quantity: str) -> list[tuple[int, Measurement]]:
        """A row of every table that has it, with its value."""
        found = [(value, one.row(quantity)) for value, one in self]
        return [(value, row) for value, row in found if row is not None]

    def series(self, quantity: str) -> tuple[list[int], list[Estimate]]:
        """Where a quantity was measured, and what was found; the dispersion less 1.

        Parameters
        ----------
        quantity : str
            ``"dispersion"``, ``"kernel_change"`` or ``"movement"``.
        """
        found = [(value, row.measured) for value, row in self.rows(quantity)]
        return [value for value, _ in found], [
            less_one(estimate) if quantity == "dispersion" else estimate for _, estimate in found
        ]

    def power(self, quantity: str) -> Estimate | None:
        """p of the power law quantity ∝ value^p; None with fewer than two positive numbers."""
        return fitted_power(*self.series(quantity))

    @property
    def sentence(self) -> str:
        """How randomness and movement change with the argument, and whether the limits are kept."""
        told = [f"{self.argument} {self._verdicts()}."]
        for quantity in ("dispersion", "movement"):
            power = self.power(quantity)
            if power is None:
                if self.series(quantity)[0]:
                    told.append(
                        f"No power is fitted to {QUANTITIES[quantity]}: fewer than two of its "
                        "numbers are above 0."
                    )
                continue
            value, error = float(power.value), float(power.std_error)
            shown = f"{QUANTITIES[quantity]} ∝ {self.argument}^{short_form(value, error)}"
            doubt = "" if power.trusted else ", which is not trusted"
            if abs(value) <= 2 * error:
                doubt += f": within two standard errors it does not depend on {self.argument}"
            told.append(f"{shown}{doubt}.")
        if any(one.limits for one in self.checks):
            failed = [value for value, one in self if one.passed is False]
            open_at = [value for value, one in self if one.passed is None]
            if failed:
                where = ", ".join(map(str, failed))
                told.append(f"The limits are not kept at {self.argument} {where}: failed.")
            elif open_at:
                where = ", ".join(map(str, open_at))
                told.append(f"The seeds do not tell at {self.argument} {where}: cannot tell.")
            else:
                told.append("The limits are kept at every value: passed.")
        return " ".join(told)

    def _verdicts(self) -> str:
        """``64: frozen; 128, 256: feature learning``."""
        runs: list[tuple[str, list[int]]] = []
        for value, one in self:
            if not runs or runs[-1][0] != one.verdict:
                runs.append((one.verdict, []))
            runs[-1][1].append(value)
        return "; ".join(f"{', '.join(map(str, values))}: {word}" for word, values in runs)
