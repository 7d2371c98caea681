"""The verdict in sentences."""

from finitewidth.estimate import short_form
from finitewidth.verdict import regimes
from finitewidth.verdict.measured import Measured
from finitewidth.verdict.recognise import Recognised
from finitewidth.verdict.regimes import Decision

MANY = 100_000
"""Seeds that nobody runs."""


def sentence(decision: Decision, found: Measured, rate: str) -> str:
    """What the word means for this model, with the numbers it rests on.

    Parameters
    ----------
    decision : Decision
    found : Measured
    rate : str
        The learning rate as it is said: ``"0.002"`` or ``"0.000568 (½/λ_max)"``.
    """
    seeds = len(found.start.seeds)
    spread = 100 * max(float(found.start.dispersion.value) - 1.0, 0.0) ** 0.5
    if decision.word == regimes.START:
        return (
            f"ln K varies by {found.log_spread} between {seeds} seeds, which is not strongly "
            "random; no training was asked for, and with targets a step and a descent would be "
            "judged, too."
        )
    if decision.word == regimes.UNDECIDED:
        return _undecided(decision, found, rate)
    if decision.word == regimes.STRONGLY_RANDOM:
        return (
            f"ln K varies by {found.log_spread} between {seeds} seeds, so what one seed's kernel "
            "says holds for that seed alone; a wider or shallower network would vary less."
        )
    assert found.descent is not None
    if decision.word == regimes.DIVERGES:
        hits = int(found.descent.diverged.sum())
        return (
            f"at learning rate {rate} the loss of {hits} of {seeds} seeds does not fall "
            "under gradient descent on this batch; rate × λ_max is "
            f"{found.rate_times_sharpness}, and from 2 on a fixed kernel diverges, too (a rate "
            "meant for an average goes with reduction='mean', --reduction mean)."
        )
    movement = found.descent.movement
    assert movement is not None
    moved = f"{short_form(100 * float(movement.value), 100 * float(movement.std_error))} %"
    told = (
        f"while the loss falls by a factor e the kernel moves {moved} (mean over {movement.size} "
        f"seeds at rate {rate}); seeds differ by {spread:.2g} % at the start"
    )
    meaning = {
        regimes.FROZEN: "training is that of the kernel at the start, to about that error.",
        regimes.WEAK: "the kernel at the start is a first approximation to training, no more.",
        regimes.FEATURES: "training remakes the kernel, and the one at the start does not describe "
        "it.",
    }
    return f"{told}. {meaning[decision.word][0].upper()}{meaning[decision.word][1:]}"


def _undecided(decision: Decision, found: Measured, rate: str) -> str:
    seeds = len(found.start.seeds)
    between = " or ".join(decision.between)
    if decision.about == "fall":
        return _falls_short(found, between, rate)
    quantity = {
        "diverged": ("the share of seeds whose loss does not fall", found.diverged),
        "log_spread": ("the standard deviation of ln K", found.log_spread),
        "movement": (
            "the kernel's movement per factor e of the loss",
            None if found.descent is None else found.descent.movement,
        ),
    }[decision.about]
    if quantity[1] is None:
        return "too few losses fall to say how far the kernel moves; lower the learning rate."
    if not quantity[1].trusted:
        return f"{quantity[0]} is {quantity[1]}, not enough to tell {between}: {quantity[1].note}"
    needed = f"it needs about {decision.seeds_needed:,} seeds"
    if decision.seeds_needed > MANY:
        needed = f"it lies on the threshold to within what {MANY:,} seeds could tell"
    return (
        f"{quantity[0]} is {quantity[1]}, too near a threshold to tell {between} at {seeds} seeds; "
        f"{needed}."
    )


def _falls_short(found: Measured, between: str, rate: str) -> str:
    """Most losses fell by less than the factor that the verdict is about."""
    descent = found.descent
    assert descent is not None
    assert descent.movement is not None
    value, error = float(descent.movement.value), float(descent.movement.std_error)
    steps, slow = int(descent.steps[descent.slow].max()), int(descent.slow.sum())
    over = "over that fall" if descent.falls_short else "so far"
    return (
        f"in {steps:,} steps at rate {rate} (rate × λ_max {found.rate_times_sharpness}) the loss "
        f"of {slow} of {len(found.start.seeds)} seeds falls by {100 * descent.fall:.2g} %, less "
        f"than the factor e that the verdict is about; the kernel moves "
        f"{short_form(100 * value, 100 * error)} % {over}, which does not tell {between}. Raise "
        f"max_steps (--max-steps) to {descent.steps_needed:,} or more, or the rate."
    )


def scope(recognised: Recognised, loss: object, reduction: str) -> tuple[str, ...]:
    """What every statement holds for."""
    how = "summed" if reduction == "sum" else "averaged"
    of = "the loss that was given" if callable(loss) else f"the loss {how} over this batch"
    return (
        "K is traced over outputs and over all trained parameters."
        if recognised.outputs != 1
        else "K is summed over all trained parameters.",
        (
            "The kernel at the start does not depend on the optimiser; the step and the descent "
            f"are full-batch gradient descent on {of}, and say nothing about Adam."
        ),
    )


def remarks(found: Measured) -> tuple[str, ...]:
    """What is peculiar to a measurement."""
    estimates = (found.start.dispersion, found.start.log10_condition)
    told = [one.note for one in estimates if not one.trusted]
    if found.descent is not None and found.descent.movement is not None:
        told += [found.descent.movement.note] * (not found.descent.movement.trusted)
    if found.step is not None:
        told += list(dict.fromkeys(note for u in found.step.updates for note in u.notes))
        told += [found.step.first_order_note] * bool(found.step.first_order_note)
    return tuple(told)
