"""One line of the verdict: a number, what theory says, and a sentence about it."""

from dataclasses import dataclass

from finitewidth.estimate import Estimate


@dataclass(frozen=True)
class Measurement:
    """A measured quantity.

    Attributes
    ----------
    name : str
        For JSON, e.g. ``"dispersion"``.
    label : str
        For people.
    measured : Estimate
    theory : float or Estimate or None
        The exact law's value, where the model is one of its networks.
    sentence : str
        What the number shows.
    outcome : str
        ``"passed"``, ``"failed"`` or ``"cannot tell"`` where a limit was set.
    """

    name: str
    label: str
    measured: Estimate
    theory: float | Estimate | None = None
    sentence: str = ""
    outcome: str = ""

    @property
    def passed(self) -> bool | None:
        """Whether it keeps the limit that was set; None where there is none, or it is open."""
        return {"passed": True, "failed": False}.get(self.outcome)

    @property
    def z(self) -> float | None:
        """(measured − theory) in standard errors of both; None where they cannot be trusted."""
        if self.theory is None or not self.measured.trusted:
            return None
        value, error = self.theory, 0.0
        if isinstance(self.theory, Estimate):
            value, error = float(self.theory.value), float(self.theory.std_error)
        total = (float(self.measured.std_error) ** 2 + error**2) ** 0.5
        distance = float(self.measured.value) - float(value)  # type: ignore[arg-type]
        return distance / total if total > 0 else None
