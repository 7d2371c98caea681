"""`check`: the regime of a model, in a word, a sentence and a table."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from finitewidth._extras import needed_for
from finitewidth.data import Data
from finitewidth.statistics.blocks import Progress
from finitewidth.verdict import regimes
from finitewidth.verdict.limits import Limits, keeps
from finitewidth.verdict.regimes import Decision
from finitewidth.verdict.result import Check
from finitewidth.verdict.setting import Setting, data_in_words, named

if TYPE_CHECKING:
    from finitewidth.verdict.measured import Measured
    from finitewidth.verdict.recognise import Recognised


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
    name: str | None = None,
    data: Data | str | None = None,
    progress: Progress | None = None,
) -> Check:
    """Which regime a model is in: its kernel over seeds, one SGD step, and a short descent.

    Parameters
    ----------
    make_model : callable
        As in `ensemble`.
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
        As `ensemble` and `update_ensemble`; targets without a rate or the reverse; limits out of
        range, or on a step that is not taken.

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
    if (y is None) != (learning_rate is None):
        missing = "y" if y is None else "learning_rate"
        raise ValueError(
            f"{missing} is missing; a step needs targets and a learning rate, and without both "
            "only the kernel at the start is judged."
        )
    if max_kernel_change is not None and y is None:
        raise ValueError("max_kernel_change limits one step, which needs y and learning_rate.")
    with needed_for("measurements of a model", "torch"):
        from finitewidth.verdict.draws import recognised_network
        from finitewidth.verdict.measured import measure

    found = measure(make_model, X, y, loss, learning_rate, seeds, workers, progress)
    recognised = recognised_network(make_model, found.start.seeds, X)
    setting = Setting(
        name or named(make_model), *data_in_words(data, X), len(X), named(loss), learning_rate,
        max_dispersion, max_kernel_change,
    )  # fmt: skip
    return verdict_on(found, recognised, X, y, loss, limits, setting)


def verdict_on(
    found: "Measured",
    recognised: "Recognised",
    X: Any,
    y: Any,
    loss: Any,
    limits: Limits,
    setting: Setting,
) -> Check:
    """The verdict on finished measurements."""
    from finitewidth.verdict.table import rows, shares

    count = len(found.start.seeds)
    if found.diverged is None:
        decision = _at_the_start(found, count)
    else:
        movement = found.descent.movement if found.descent is not None else None
        decision = regimes.decide(found.diverged, found.log_spread, movement, count)
    table = rows(found, recognised, X, y, loss, setting.learning_rate, limits)
    told = []
    change = found.step_change
    passed = True
    if limits.max_dispersion is not None:
        kept, text = keeps(
            found.start.dispersion, limits.max_dispersion, "the dispersion E K²/(E K)²", count
        )
        passed, told = passed and kept, [*told, text]
    if limits.max_kernel_change is not None:
        if change is None:
            kept, text = False, "the step is not finite, so its kernel change keeps no limit."
        else:
            what = "the kernel's relative change in one step"
            kept, text = keeps(change, limits.max_kernel_change, what, count)
        passed, told = passed and kept, [*told, text]
    from finitewidth.verdict.words import remarks, scope, sentence

    return Check(
        verdict=decision.word,
        sentence=sentence(decision, found, setting.learning_rate),
        table=table,
        passed=passed,
        limits=tuple(text[0].upper() + text[1:] for text in told),
        theory=recognised.sentence,
        net=recognised.net,
        shares=shares(found, recognised, X),
        decision=decision,
        scope=scope(recognised, loss),
        remarks=remarks(found),
        seeds=count,
        measured=found,
        setting=setting,
    )


def _at_the_start(found: "Measured", seeds: int) -> Decision:
    """Without a step only the randomness can be told."""
    random = regimes.by_spread(found.log_spread, seeds)
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
