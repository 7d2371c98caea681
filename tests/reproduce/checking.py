"""What every entry is held to: the simulated numbers against the entry's own theory."""

from finitewidth.estimate import Estimate
from finitewidth.reproduce import Reproduction

FAR = 6.0
"""Standard errors. For a hundred comparisons at normal errors, false alarms 2e-7; an error of 12
standard errors is found.
"""


def distances(found: Reproduction) -> dict[str, float]:
    """z of every simulated number that is trusted, from theory's."""
    result = {}
    for name, value in found.numbers.items():
        row, _, kind = name.rpartition(", ")
        exact = found.numbers.get(f"{row}, exact law")
        if kind == "simulated" and isinstance(value, Estimate) and value.trusted:
            if isinstance(exact, Estimate):
                result[row] = (value.value - exact.value) / (
                    value.std_error**2 + exact.std_error**2
                ) ** 0.5
            elif exact is not None:
                result[row] = float(value.z(exact))
    return result


def value(found: Reproduction, name: str) -> float:
    """A number of the entry as a float."""
    number = found.numbers[name]
    return float(number.value) if isinstance(number, Estimate) else float(number)
