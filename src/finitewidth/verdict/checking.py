"""`check`: the regime of a model, in a word, a sentence and a table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from finitewidth.verdict import regimes
from finitewidth.verdict.limits import Limits, keeps
from finitewidth.verdict.measurement import Measurement
from finitewidth.verdict.regimes import Decision

if TYPE_CHECKING:
    from finitewidth.verdict.measured import Measured
    from finitewidth.verdict.recognise import Recognised

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Check:
    """The verdict on a model.

    Attributes
    ----------
    verdict : str
        ``"frozen"``, ``"weak feature learning"``, ``"feature learning"``, ``"strongly random"``,
        ``"diverges"`` or ``"undecided"``.
    sentence : str
        What it means, to be pasted into a pull request.
    table : list of Measurement
        The numbers behind it, with their errors, what theory says, and a sentence each.
    passed : bool
        Whether all limits that were set are kept; True if there are none.
    limits : tuple of str
        A sentence about each limit.
    theory : str
        How the model was recognised, or what differs from the networks whose law is known.
    shares : list of Measurement
        Each layer's share of the mean diagonal.
    decision : Decision
        What the verdict rests on.
    notes : tuple of str
        What the statements hold for.
    seeds : int
        How many were measured.
    measured : Measured
        The ensembles themselves.
    """

    verdict: str
    sentence: str
    table: list[Measurement]
    passed: bool
    limits: tuple[str, ...]
    theory: str
    shares: list[Measurement]
    decision: Decision
    notes: tuple[str, ...]
    seeds: int
    measured: "Measured"

    def __str__(self) -> str:
        return f"{self.verdict}: {self.sentence}"


def check(
    make_model: Callable[..., Any],
    X: Any,
    y: Any = None,
    *,
    loss: Any = "mse",
    learning_rate: float | None = None,
    seeds: int | Sequence[int] = 32,
    workers: int = 1,
    max_dispersion: float | None = None,
    max_kernel_change: float | None = None,
    progress: Progress | None = None,
) -> Check:
    """Which regime a model is in: its kernel over seeds, one SGD step, and a short descent.

    Parameters
    ----------
    make_model : callable
        Returns a new module at every call, seeded by torch.manual_seed, or by an argument seed.
    X : tensor or array [B, …]
        The batch.
    y : tensor or array, optional
        Its targets; without them only the kernel at the start is judged.
    loss : "mse", "cross_entropy" or callable
        As in `kernel_update`: sums over the batch.
    learning_rate : float
        Of SGD on that loss; needed with targets.
    seeds, workers, progress
        As in `ensemble`.
    max_dispersion, max_kernel_change : float, optional
        Limits on E K²/(E K)² and on E ‖ΔK‖/‖K‖ of one step, for `passed`.

    Returns
    -------
    Check

    Raises
    ------
    ValueError, TypeError
        As `ensemble` and `update_ensemble`; targets without a rate or the reverse; limits out of
        range, or on a step that is not taken.

    Notes
    -----
    Thresholds and their reasons: docs, "The verdict".
    """
    limits = Limits(max_dispersion, max_kernel_change)
    if (y is None) != (learning_rate is None):
        missing = "y" if y is None else "learning_rate"
        raise ValueError(
            f"{missing} is missing; a step needs targets and a learning rate, and without both "
            "only the kernel at the start is judged."
        )
    if max_kernel_change is not None and y is None:
        raise ValueError("max_kernel_change limits one step, which needs y and learning_rate.")
    from finitewidth.verdict.draws import recognised_network
    from finitewidth.verdict.measured import measure

    measured = measure(make_model, X, y, loss, learning_rate, seeds, workers, progress)
    recognised = recognised_network(make_model, measured.start.seeds, X)
    return verdict_on(measured, recognised, X, y, loss, learning_rate, limits)


def verdict_on(
    measured: "Measured",
    recognised: "Recognised",
    X: Any,
    y: Any,
    loss: Any,
    learning_rate: float | None,
    limits: Limits,
) -> Check:
    """The verdict on finished measurements."""
    from finitewidth.verdict.table import rows, shares

    count = len(measured.start.seeds)
    if measured.diverged is None:
        decision = _at_the_start(measured, count)
    else:
        movement = measured.descent.movement if measured.descent is not None else None
        decision = regimes.decide(measured.diverged, measured.log_spread, movement, count)
    table = rows(measured, recognised, X, y, loss, learning_rate, limits)
    sentences = []
    change = measured.step_change
    passed = True
    if limits.max_dispersion is not None:
        kept, text = keeps(
            measured.start.dispersion, limits.max_dispersion, "the dispersion E K²/(E K)²", count
        )
        passed, sentences = passed and kept, [*sentences, text]
    if limits.max_kernel_change is not None:
        if change is None:
            kept, text = False, "the step is not finite, so its kernel change keeps no limit."
        else:
            what = "the kernel's relative change in one step"
            kept, text = keeps(change, limits.max_kernel_change, what, count)
        passed, sentences = passed and kept, [*sentences, text]
    from finitewidth.verdict.words import notes, sentence

    return Check(
        verdict=decision.word,
        sentence=sentence(decision, measured, learning_rate),
        table=table,
        passed=passed,
        limits=tuple(text[0].upper() + text[1:] for text in sentences),
        theory=recognised.sentence,
        shares=shares(measured, recognised, X),
        decision=decision,
        notes=notes(measured, recognised, loss),
        seeds=count,
        measured=measured,
    )


def _at_the_start(measured: "Measured", seeds: int) -> Decision:
    """Without a step only the randomness is known."""
    random = regimes.by_spread(measured.log_spread, seeds)
    if random is not None:
        return random
    return Decision(
        regimes.UNDECIDED, "targets", 0, (regimes.FROZEN, regimes.WEAK, regimes.FEATURES)
    )


def assert_kernel(
    make_model: Callable[..., Any],
    X: Any,
    y: Any = None,
    *,
    verdict: str | Sequence[str] | None = None,
    **arguments: Any,
) -> Check:
    """In a test: fail unless a model keeps its limits, and is in the regime it should be in.

    Parameters
    ----------
    make_model, X, y, **arguments
        As in `check`.
    verdict : str or sequence of str, optional
        The regimes that are allowed.

    Returns
    -------
    Check

    Raises
    ------
    AssertionError
        If a limit is not kept or the verdict is another one; the sentence says the numbers.
    ValueError, TypeError
        As `check`; if there is nothing to assert.
    """
    limited = arguments.get("max_dispersion") is not None
    limited = limited or arguments.get("max_kernel_change") is not None
    if verdict is None and not limited:
        raise ValueError(
            "nothing is asserted; give max_dispersion, max_kernel_change or a verdict."
        )
    allowed = None if verdict is None else [verdict] if isinstance(verdict, str) else list(verdict)
    known = (
        regimes.FROZEN, regimes.WEAK, regimes.FEATURES, regimes.STRONGLY_RANDOM, regimes.DIVERGES,
    )  # fmt: skip
    for word in allowed or []:
        if word not in known:
            raise ValueError(f"verdict is {word!r}, expected one of {', '.join(known)}.")
    found = check(make_model, X, y, **arguments)
    if not found.passed:
        raise AssertionError(" ".join(found.limits))
    if allowed is not None and found.verdict not in allowed:
        raise AssertionError(f"expected {' or '.join(allowed)}, found {found}")
    return found
