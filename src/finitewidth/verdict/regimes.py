"""The regimes, their thresholds, and when the errors allow a verdict.

See docs, "The verdict", for what each threshold stands for.
"""

from dataclasses import dataclass, replace
from math import ceil, isfinite, sqrt

from finitewidth.estimate import Estimate
from finitewidth.statistics.regime import RANDOM as RANDOM
from finitewidth.statistics.regime import STRONGLY_RANDOM as STRONGLY_RANDOM
from finitewidth.statistics.spread import normal_error

DIVERGES = "diverges"
FROZEN = "frozen"
WEAK = "weak feature learning"
FEATURES = "feature learning"
START = "start only"
UNDECIDED = "undecided"

DIVERGING = 0.5
"""Share of seeds whose loss does not fall: most of them."""

MOVES = 0.01
"""Movement per factor e of the loss: beyond, the kernel is no longer that of the start to 1 %."""

LEARNS = 0.10
"""Beyond, five factors e (a loss down to 0.7 %) move the kernel by half of itself."""

SIGMAS = 2.0
"""Standard errors between a number and a threshold that decide."""


@dataclass(frozen=True)
class Decision:
    """A word, and what stands in its way.

    Attributes
    ----------
    word : str
        A regime, or ``"undecided"``.
    about : str
        The quantity that decided, or that could not.
    seeds_needed : int
        About how many seeds would decide; 0 if it is decided.
    between : tuple of str
        The regimes left, if undecided.
    """

    word: str
    about: str
    seeds_needed: int = 0
    between: tuple[str, ...] = ()


def decide(
    diverged: Estimate,
    log_spread: Estimate,
    movement: Estimate | None,
    seeds: int,
    slow: float = 0.0,
) -> Decision:
    """The regime, from what decides first: divergence, randomness, movement.

    Parameters
    ----------
    diverged : Estimate
        Share of seeds whose loss does not fall.
    log_spread : Estimate
        Standard deviation over seeds of ln(mean diagonal).
    movement : Estimate or None
        Relative movement of the kernel per factor e of the loss; None if too few seeds fall.
    seeds : int
        How many were measured.
    slow : float
        Of the seeds whose loss falls, the share where it fell by less than a factor e. Then no
        number of seeds decides, unless few fell short and the kernel has learned by then.
    """
    side = compare(diverged, DIVERGING)
    if side > 0:
        return Decision(DIVERGES, "diverged")
    if side == 0:
        others = (DIVERGES, "another regime")
        return Decision(UNDECIDED, "diverged", more_seeds(diverged, DIVERGING, seeds), others)
    random = by_spread(log_spread, seeds)
    if random is not None and random.word == STRONGLY_RANDOM:
        return random
    if movement is None:  # unreachable while most seeds fall, unless there are two
        return Decision(UNDECIDED, "movement", 2 * seeds, (FROZEN, WEAK, FEATURES))
    if slow > 0.5 or (slow > 0 and compare(movement, LEARNS) <= 0):
        learning = Decision(UNDECIDED, "fall", 0, (FROZEN, WEAK, FEATURES))
    else:
        learning = _by_movement(movement, seeds)
    if random is None or learning.word == UNDECIDED:
        return random or learning
    return replace(random, between=(STRONGLY_RANDOM, learning.word))


def by_spread(log_spread: Estimate, seeds: int) -> Decision | None:
    """Strongly random, undecided, or None if it is neither."""
    side = compare(log_spread, RANDOM)
    if side > 0:
        return Decision(STRONGLY_RANDOM, "log_spread")
    if side < 0:
        log_spread = at_threshold(log_spread, seeds)
        if compare(log_spread, RANDOM) < 0:
            return None
    needed = more_seeds(log_spread, RANDOM, seeds)
    return Decision(UNDECIDED, "log_spread", needed, (STRONGLY_RANDOM, "another regime"))


def _by_movement(movement: Estimate, seeds: int) -> Decision:
    low, high = compare(movement, MOVES), compare(movement, LEARNS)
    all_in_one = float(movement.value) * movement.size  # the most that one seed may have moved
    if not movement.trusted and high <= 0 and all_in_one >= MOVES:
        # what few seeds carry is more likely too low
        return Decision(UNDECIDED, "movement", 2 * seeds, (FROZEN, WEAK, FEATURES))
    if low < 0:
        return Decision(FROZEN, "movement")
    if low == 0:
        needed = more_seeds(movement, MOVES, seeds)
        return Decision(UNDECIDED, "movement", needed, (FROZEN, WEAK))
    if high < 0:
        return Decision(WEAK, "movement")
    if high == 0:
        needed = more_seeds(movement, LEARNS, seeds)
        return Decision(UNDECIDED, "movement", needed, (WEAK, FEATURES))
    return Decision(FEATURES, "movement")


def at_threshold(log_spread: Estimate, seeds: int) -> Estimate:
    """With the error that a spread of the threshold would have, if that is larger.

    A sample that is low by chance has a low error, too: without this, 16 seeds of a spread of
    exactly the threshold are called "not random" in 6 % of cases, 5 in 12 %.
    """
    least = normal_error(RANDOM, seeds)
    return replace(log_spread, std_error=max(float(log_spread.std_error), least))


def compare(estimate: Estimate, threshold: float) -> int:
    """−1 below, +1 above, 0 within two standard errors of the threshold."""
    distance = float(estimate.value) - threshold
    if not isfinite(distance):
        raise ValueError(f"a quantity of the verdict is {estimate.value}, expected a number.")
    if abs(distance) <= SIGMAS * float(estimate.std_error):
        return 0
    return 1 if distance > 0 else -1


def more_seeds(estimate: Estimate, threshold: float, seeds: int) -> int:
    """About how many seeds take the threshold out of reach: the error falls like 1/√seeds."""
    distance = abs(float(estimate.value) - threshold)
    error = SIGMAS * float(estimate.std_error)
    factor = (error / distance) ** 2 if distance * 1e3 > error else 1e6
    return max(seeds + 1, ceil(1.2 * factor * seeds))  # a fifth more, for the error's own error


def share(hits: int, count: int) -> Estimate:
    """A share of seeds, with the error of the add-two rule, which is not 0 at 0 or all.

    (hits + 2)/(count + 4), Agresti & Coull 1998: within two of its errors lies the true share in
    about 95 % of samples, small ones included.
    """
    centre = (hits + 2) / (count + 4)
    return Estimate(centre, sqrt(centre * (1 - centre) / (count + 4)), count, "measured")
