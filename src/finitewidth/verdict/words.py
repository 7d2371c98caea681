"""The verdict in sentences."""

from finitewidth.estimate import short_form
from finitewidth.verdict import regimes
from finitewidth.verdict.measured import Measured
from finitewidth.verdict.recognise import Recognised
from finitewidth.verdict.regimes import Decision

MANY = 100_000
"""Seeds that nobody runs."""


def sentence(decision: Decision, found: Measured, learning_rate: float | None) -> str:
    """What the word means for this model, with the numbers it rests on."""
    seeds = len(found.start.seeds)
    spread = 100 * max(float(found.start.dispersion.value) - 1.0, 0.0) ** 0.5
    if decision.word == regimes.UNDECIDED:
        return _undecided(decision, found)
    if decision.word == regimes.STRONGLY_RANDOM:
        return (
            f"ln K varies by {found.log_spread} between {seeds} seeds, so what one seed's kernel "
            "says holds for that seed alone; a wider or shallower network would vary less."
        )
    assert found.descent is not None
    if decision.word == regimes.DIVERGES:
        hits = int(found.descent.diverged.sum())
        return (
            f"at learning rate {learning_rate:g} the loss of {hits} of {seeds} seeds does not fall "
            'under gradient descent on this batch; "mse" and "cross_entropy" are sums over the '
            "batch, for which a rate meant for an average is too large by the number of inputs."
        )
    movement = found.descent.movement
    assert movement is not None
    moved = f"{short_form(100 * float(movement.value), 100 * float(movement.std_error))} %"
    told = (
        f"while the loss falls by a factor e the kernel moves {moved} (mean over {movement.size} "
        f"seeds at rate {learning_rate:g}); seeds differ by {spread:.2g} % at the start"
    )
    meaning = {
        regimes.FROZEN: "training is that of the kernel at the start, to about that error.",
        regimes.WEAK: "the kernel at the start is a first approximation to training, no more.",
        regimes.FEATURES: "training remakes the kernel, and the one at the start does not describe "
        "it.",
    }
    return f"{told}. {meaning[decision.word][0].upper()}{meaning[decision.word][1:]}"


def _undecided(decision: Decision, found: Measured) -> str:
    seeds = len(found.start.seeds)
    between = " or ".join(decision.between)
    if decision.about == "targets":
        return (
            f"ln K varies by {found.log_spread} between {seeds} seeds, which is not strongly "
            f"random; {between} is a question of training: give targets and a learning rate."
        )
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


def scope(recognised: Recognised, loss: object) -> tuple[str, ...]:
    """What every statement holds for."""
    of = "the loss that was given" if callable(loss) else "the loss summed over this batch"
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
    short = 0
    if found.descent is not None:
        short = sum(not d.diverged and d.folds < 1.0 for d in found.descent.descents)
    estimates = (found.start.dispersion, found.start.log10_condition)
    told = [one.note for one in estimates if not one.trusted]
    if short:
        told.append(
            f"The loss of {short} of {len(found.start.seeds)} seeds had not fallen by a factor e "
            "when their descent ended; their movement is extrapolated."
        )
    if found.step is not None:
        told += list(dict.fromkeys(note for u in found.step.updates for note in u.notes))
    return tuple(told)
