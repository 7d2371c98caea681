"""Numbers ≥ 0 far outside the range of a double: mantissa times a power of two."""

from dataclasses import dataclass
from math import exp, frexp, inf, ldexp, log


@dataclass(frozen=True)
class Magnitude:
    """``mantissa * 2**exponent``, with a mantissa in [½, 1), or 0."""

    mantissa: float
    exponent: int = 0

    def __post_init__(self) -> None:
        mantissa, shift = frexp(self.mantissa)
        object.__setattr__(self, "mantissa", mantissa)
        object.__setattr__(self, "exponent", self.exponent + shift if mantissa else 0)

    def __add__(self, other: "Magnitude") -> "Magnitude":
        if not other.mantissa:
            return self
        if not self.mantissa:
            return other
        top = max(self.exponent, other.exponent)
        total = sum(ldexp(x.mantissa, max(x.exponent - top, -2000)) for x in (self, other))
        return Magnitude(total, top)

    def __sub__(self, other: "Magnitude") -> "Magnitude":
        """A difference that is not negative; what is lost to cancellation is lost."""
        if self.mantissa == 0.0 or other.mantissa == 0.0:
            return self
        shift = max(other.exponent - self.exponent, -2000)
        return Magnitude(max(self.mantissa - ldexp(other.mantissa, shift), 0.0), self.exponent)

    def __mul__(self, other: "Magnitude") -> "Magnitude":
        return Magnitude(self.mantissa * other.mantissa, self.exponent + other.exponent)

    def __truediv__(self, other: "Magnitude") -> "Magnitude":
        return Magnitude(self.mantissa / other.mantissa, self.exponent - other.exponent)

    def __pow__(self, power: int) -> "Magnitude":
        found = Magnitude(1.0)
        for _ in range(power):
            found = found * self
        return found

    @property
    def log(self) -> float:
        """Natural log; −inf for 0."""
        return log(self.mantissa) + self.exponent * log(2.0) if self.mantissa else -inf

    def to_float(self, name: str, way_out: str) -> float:
        """The number itself.

        Raises
        ------
        ValueError
            If it does not fit a double; the sentence names the quantity and the way out.
        """
        if self.mantissa and not -1021 <= self.exponent <= 1024:
            raise ValueError(
                f"{name} is e^({self.log:.6g}), outside the range of a double; {way_out}."
            )
        return ldexp(self.mantissa, self.exponent)


def from_log(value: float) -> Magnitude:
    """The magnitude of e^value."""
    power = round(value / log(2.0))
    return Magnitude(exp(value - power * log(2.0)), power)
