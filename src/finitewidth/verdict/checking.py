"""`check`: the regime of a model, in a word, a sentence and a table."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from finitewidth._extras import needed_for
from finitewidth._whole_number import whole_number
from finitewidth.data import Data
from finitewidth.data.drawn import one_target
from finitewidth.statistics.blocks import Progress
from finitewidth.verdict import regimes
from finitewidth.verdict.limits import Limits, Outcome, not_finite, of_change, of_dispersion
from finitewidth.verdict.regimes import Decision
from finitewidth.verdict.result import Check, all_of
from finitewidth.verdict.setting import Setting, data_in_words, named

if TYPE_CHECKING:
    from finitewidth.verdict.measured import Measured
    from finitewidth.verdict.recognise import Recognised

MAX_STEPS = 1000
"""Steps of a descent whose loss has not fallen by a factor e, as in `descent_ensemble`."""


def check(
    make_model: Callable[..., Any],
    X: Any,
    y: Any = None,
    *,
    loss: Any = "mse",
    reduction: str = "sum",
    learning_rate: float | None = None,
    max_steps: int = MAX_STEPS,
    seeds: int | Sequence[int] = 32,
    workers: int = 1,
    forward: Callable[..., Any] | None = None,
    max_dispersion: float | None = None,
    max_kernel_change: float | None = None,
    name: str | None = None,
    data: Data | str | None = None,
    progress: Progress | None = None,
) -> Check:
    """Which regime a model is in: its kernel over seeds, one SGD step, and a short descent.

    Parameters
    ----------
    make_model : callable
        As in `ensemble`. A model in train mode is evaluated; a new BatchNorm gets its statistics
        from the batch, which `remarks` says.
    X : tensor or array [B, …]
        The batch, or a tuple or a mapping of them; all of it is used.
    y : tensor or array, optional
        Its targets; without them only the kernel at the start is judged.
    loss : "mse", "cross_entropy" or callable
    reduction : "sum" or "mean"
        Over the batch; as in `kernel_update`.
    learning_rate : float, optional
        Of SGD on that loss; if not given ½/λ_max, the largest of the seeds, where λ_max is the
        largest eigenvalue of the kernel with all outputs times the curvature of the loss.
    max_steps : int
        Steps of the descent at most; it ends where the loss has fallen by a factor e.
    seeds, workers, forward, progress
        As in `ensemble`.
    max_dispersion, max_kernel_change : float, optional
        Limits on E K²/(E K)² and on E ‖ΔK‖/‖K‖ of one step, for `passed`.
    name : str, optional
        What the result calls the model; the name of the function if not given.
    data : str or Data, optional
        What the result says of the batch: words, or the `fw.data.Data` that it was taken from.

    Returns
    -------
    Check

    Raises
    ------
    ValueError, TypeError
        As `ensemble` and `update_ensemble`; a rate without targets; limits out of range, or on a
        step that is not taken.

    Notes
    -----
    Thresholds and their reasons: docs, "The verdict".

    Examples
    --------
    >>> import finitewidth as fw
    >>> import torch
    >>> from torch import nn
    >>> def make_model():
    ...     return nn.Sequential(nn.Linear(4, 256), nn.ReLU(), nn.Linear(256, 1))
    >>> verdict = fw.check(make_model, torch.eye(4), torch.ones(4, 1), learning_rate=0.001, seeds=8)
    >>> verdict.verdict
    'frozen'
    """
    limits = Limits(max_dispersion, max_kernel_change)
    if y is None and learning_rate is not None:
        raise ValueError(
            "y is missing; a step of this learning_rate needs targets, and without both only the "
            "kernel at the start is judged."
        )
    if max_kernel_change is not None and y is None:
        raise ValueError("max_kernel_change limits one step, which needs targets y.")
    max_steps = whole_number(max_steps, "max_steps", 1)
    with needed_for("measurements of a model", "torch"):
        from finitewidth.measure.in_use import in_use
        from finitewidth.measure.seeds import checked_seeds
        from finitewidth.measure.update.loss import reduced
        from finitewidth.verdict.draws import recognised_network
        from finitewidth.verdict.measured import measure

    loss_of_batch, chosen = reduced(loss, reduction), checked_seeds(seeds)
    name = name or named(make_model)
    make_model, put_into_use = in_use(make_model, X, forward, chosen[0])
    found = measure(
        make_model, X, y, loss_of_batch, learning_rate, max_steps=max_steps, seeds=chosen,
        workers=workers, forward=forward, progress=progress,
    )  # fmt: skip
    recognised = recognised_network(make_model, chosen, X, forward)
    setting = Setting(
        name, *data_in_words(data, X, found.start.kernels.shape[1]),
        named(loss), "" if callable(loss) else reduction, found.learning_rate,
        y is not None and learning_rate is None, max_steps, max_dispersion, max_kernel_change,
    )  # fmt: skip
    return verdict_on(found, recognised, X, y, loss, limits, setting, put_into_use)


def verdict_on(
    found: "Measured",
    recognised: "Recognised",
    X: Any,
    y: Any,
    loss: Any,
    limits: Limits,
    setting: Setting,
    put_into_use: str = "",
) -> Check:
    """The verdict on finished measurements."""
    from finitewidth.verdict.table import rows, shares
    from finitewidth.verdict.words import remarks, scope, sentence

    decision = _decided(found, len(found.start.seeds))
    outcomes = _judged(found, limits)
    first = filter(None, (put_into_use, "" if y is None else one_target(y)))
    return Check(
        verdict=decision.word,
        sentence=sentence(decision, found, setting.rate),
        table=rows(found, recognised, X, y, loss, outcomes),
        passed=all_of([one.passed for one in outcomes.values()]),
        limits=tuple(one.sentence[0].upper() + one.sentence[1:] for one in outcomes.values()),
        theory=recognised.sentence,
        net=recognised.net,
        shares=shares(found, recognised, X),
        decision=decision,
        scope=scope(recognised, loss, setting.reduction),
        remarks=(*first, *remarks(found)),
        seeds=len(found.start.seeds),
        measured=found,
        setting=setting,
        seeds_needed=max([0, *(one.seeds_needed for one in outcomes.values())]),
    )


def _decided(found: "Measured", seeds: int) -> Decision:
    if found.diverged is None or found.descent is None:  # only the randomness can be told
        return regimes.by_spread(found.log_spread, seeds) or Decision(regimes.START, "targets")
    descent = found.descent
    return regimes.decide(
        found.diverged, found.log_spread, descent.movement, seeds, descent.slow_share
    )


def _judged(found: "Measured", limits: Limits) -> dict[str, Outcome]:
    """What becomes of the limits that were set."""
    outcomes = {}
    if limits.max_dispersion is not None:
        start = found.start
        outcomes["dispersion"] = of_dispersion(
            start.diagonals, start.dispersion, limits.max_dispersion
        )
    if limits.max_kernel_change is not None and found.step is not None:
        changes = [one.distance_actual for one in found.step.updates]
        finite = np.array([one for one in changes if one is not None])
        change = found.step_change
        if change is None or len(finite) < len(changes):
            outcomes["kernel_change"] = not_finite(len(changes) - len(finite), len(changes))
        else:
            outcomes["kernel_change"] = of_change(finite, change, limits.max_kernel_change)
    return outcomes


class Undecided(AssertionError):
    """The seeds do not tell whether a limit is kept or which regime it is; it says how many do."""


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
    Undecided
        If these seeds do not tell, an AssertionError, too; the sentence says how many would.
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
    if found.passed is False:
        raise AssertionError(" ".join(found.limits))
    if found.passed is None:
        raise Undecided(" ".join(found.limits))
    if allowed is None or found.verdict in allowed:
        return found
    if found.verdict != regimes.UNDECIDED:
        raise AssertionError(f"expected {' or '.join(allowed)}, found {found}")
    left = set(found.decision.between)
    if left <= set(allowed):  # whichever it is
        return found
    raise Undecided(f"expected {' or '.join(allowed)}, found {found}")
