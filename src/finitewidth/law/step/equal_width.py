"""The width at which the frozen mean of a step and its crossing term are equal."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import exp, log

from finitewidth.law.crossing import known
from finitewidth.law.crossing.estimates import CrossingTerm
from finitewidth.law.crossing_law import SIZE
from finitewidth.law.exact_law import ExactLaw
from finitewidth.network import MLP, Widths
from finitewidth.report import Record

REFINED = 32_768
"""Networks of the conditional sample that refines the width of equality."""

DEEPEST = 1000
"""Hidden layers up to which the width of equality is looked for."""

WIDEST = 10**12

RELIABLE = 0.03
"""Largest relative standard error of a sample that corrects the width of equality."""

ROUGH = 0.01
"""Σ 1/n beyond which the large-width formula is called rough: 1.5 % of the term, 3 % in width."""


@dataclass(frozen=True)
class EqualWidth:
    """The equal width at which the crossing term is as large as the frozen mean.

    Attributes
    ----------
    width, std_error : float
        The width; and its error where it was sampled.
    method : str
        "closed", "conditional" or "leading".
    rough : bool
        Whether the method is not reliable at so small a width.
    beta : float
        Σ 1/n there.
    """

    width: float
    std_error: float
    method: str
    rough: bool
    beta: float

    def put(self, record: Record) -> None:
        """Among other results, as ``equal_width``."""
        record.approximate("equal_width", self.width, self.method, self.std_error)

    def sentence(self) -> str:
        """For a reader."""
        if self.method == "closed":
            how = f"{self.width:g} (closed form, exact)"
        elif self.method == "conditional":
            how = f"about {self.width:.3g}, ± {self.std_error:.2g} (conditional Monte Carlo)"
        else:
            how = f"{self.width:g} (large-width formula)"
            if self.rough:
                how = (
                    f"roughly {self.width:.2g} (large-width formula, which neglects Σ 1/n = "
                    f"{self.beta:.2g} there)"
                )
        return (
            f"At this depth and input the two values are equal at width {how}; in wider networks "
            "the crossing term is the larger one."
        )


def equal_width(net: MLP, squared_norm: float, target: float = 0.0, seed: int = 0) -> EqualWidth:
    """Where the crossing term equals the frozen mean, in networks of one width and this depth.

    Both are linear in the learning rate, which therefore drops out. The first equal width at which
    the term is at least the frozen mean comes from integer bisection with the closed form (one
    hidden layer) or the large-width one, against the exact frozen mean. With more layers it is
    corrected by conditional Monte Carlo where that can be relied on, the ratio of the two being
    proportional to √n locally.

    Raises
    ------
    ValueError
        Where the crossing term is not known, or the values are never equal.
    """
    hidden = len(net.widths)
    if hidden > DEEPEST:
        raise ValueError(
            f"the width of equality is looked for up to {DEEPEST} hidden layers, here are {hidden}."
        )

    def law_of(width: int) -> ExactLaw:
        same = replace(net, widths=Widths([(width, hidden)]))
        return ExactLaw(same, power_sums=(squared_norm,))

    def ratio(width: int, method: str, size: int = SIZE) -> tuple[float, CrossingTerm]:
        law = law_of(width)
        term = law.crossing_mean(1.0, target, method=method, size=size, seed=seed)
        if term.value == 0.0:
            raise ValueError("the crossing term is 0, so the two values are never equal.")
        return log(-float(term.value)) - law.log_update_mean(1.0), term

    way = "closed" if hidden == 1 else "leading"
    high = first = max(2, _narrowest(net, hidden, target))
    while ratio(high, way)[0] < 0.0:
        high *= 2
        if high > WIDEST:
            raise ValueError(f"the two values are not equal at any width up to {WIDEST:.0e}.")
    if high == first > 2:
        raise ValueError(
            f"they are equal below width {first}, where the crossing term with a target other than "
            "0 is not known."
        )
    low = max(high // 2, 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if ratio(middle, way)[0] < 0.0 else (low, middle)
    beta = hidden / high
    if hidden == 1:
        return EqualWidth(high, 0.0, "closed", False, beta)
    rough = EqualWidth(high, 0.0, "leading", beta > ROUGH, beta)
    return _refined(high, hidden, lambda width: ratio(width, "conditional", REFINED)) or rough


def equal_width_or_why(
    net: MLP, squared_norm: float, target: float = 0.0, seed: int = 0
) -> EqualWidth | str:
    """`equal_width`, or a sentence that says why there is none."""
    try:
        return equal_width(net, squared_norm, target, seed)
    except ValueError as error:
        return f"No width at which the two are equal: {error}"


def _narrowest(net: MLP, hidden: int, target: float) -> int:
    """The first power of two from which on the term is known for this target."""
    width = 1
    while True:
        try:
            known.check_target(replace(net, widths=Widths([(width, hidden)])), target)
        except ValueError:
            width *= 2
        else:
            return width


def _refined(
    width: int, hidden: int, ratio: Callable[[int], tuple[float, CrossingTerm]]
) -> EqualWidth | None:
    """Two steps of the secant of slope ½ in ln n, or None where a sample is not reliable."""
    found, error = float(width), 0.0
    for _ in range(2):
        here = max(1, round(found))
        gap, term = ratio(here)
        error = float(term.std_error) / -float(term.value)
        if error > RELIABLE or "% of the mean" in term.note or abs(gap) > 0.5:
            return None
        found = here * exp(-2.0 * gap)
    return EqualWidth(found, 2.0 * error * found, "conditional", False, hidden / found)
