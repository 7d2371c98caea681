"""The numbers behind a verdict, each with its theory and its sentence."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from finitewidth.estimate import Estimate
from finitewidth.measure.averages import few_carry_the_mean
from finitewidth.statistics import regime
from finitewidth.verdict.limits import Outcome
from finitewidth.verdict.measured import Measured
from finitewidth.verdict.measurement import Measurement
from finitewidth.verdict.page.tables import PASSED
from finitewidth.verdict.recognise import Recognised
from finitewidth.verdict.theory import (
    Prediction,
    at_least,
    inputs_as_rows,
    one_input_rows,
    step_rows,
)


def rows(
    found: Measured,
    recognised: Recognised,
    X: Any,
    y: Any,
    loss: Any,
    outcomes: Mapping[str, Outcome],
) -> list[Measurement]:
    """In the order in which they are read."""
    start = found.start
    prediction = _prediction(recognised, X)
    dispersion = start.dispersion
    spread = float(np.sqrt(max(float(dispersion.value) - 1.0, 0.0)))
    table = [
        Measurement(
            "mean", "E K, mean diagonal", _carried(_mean(start.mean, prediction), start.diagonals),
            prediction.mean() if prediction else None,
            "How fast the outputs move per unit of rate and error, averaged over inputs.",
        ),
        Measurement(
            "dispersion", "E K²/(E K)²", dispersion, None,
            f"Two seeds' kernels differ by about {100 * spread:.2g} % (standard deviation over "
            "mean).", word("dispersion", outcomes),
        ),
        Measurement(
            "log_spread", "standard deviation of ln K", found.log_spread, None,
            f"{regime.typical(float(found.log_spread.value)).capitalize()}; from {regime.RANDOM:g} "
            "on a kernel is called strongly random.",
        ),
    ]  # fmt: skip
    if prediction:
        table += one_input_rows(prediction, start)
    table += [
        Measurement(
            "top_eigenvalue", "largest eigenvalue of K", start.top_eigenvalue, None,
            "The fastest direction of training on this batch.",
        ),
        Measurement(
            "log10_condition", "log10 of the condition number", start.log10_condition, None,
            f"One seed's score is off by a factor of about "
            f"{10 ** float(start.log10_condition_spread.value):.2g}.",
        ),
    ]  # fmt: skip
    if found.step is not None:
        table += _step(found, prediction, y, loss, outcomes)
    return table


def word(name: str, outcomes: Mapping[str, Outcome]) -> str:
    """What became of the limit on a quantity; empty where none was set."""
    return PASSED[outcomes[name].passed] if name in outcomes else ""


def _mean(mean: Estimate, prediction: Prediction | None) -> Estimate:
    """With the error that the law implies where it says that few seeds carry the mean.

    A sample without one of those few is low and its spread, too; the law knows better.
    """
    if prediction is None or prediction.outputs > 1 or prediction.first_input().dispersion() <= 2:
        return mean
    return at_least(mean, prediction.largest_spread() / np.sqrt(mean.size))


def _carried(mean: Estimate, values: np.ndarray) -> Estimate:
    """Marked where few seeds carry the mean, which then is more likely too low."""
    return mean.doubted(few_carry_the_mean(values))


def _step(
    found: Measured, prediction: Prediction | None, y: Any, loss: Any,
    outcomes: Mapping[str, Outcome],
) -> list[Measurement]:  # fmt: skip
    step, seeds, rate = found.step, len(found.start.seeds), found.learning_rate
    sharp = found.rate_times_sharpness
    assert step is not None
    assert rate is not None
    assert sharp is not None
    assert found.descent is not None
    change = found.step_change
    table = [
        Measurement(
            "rate_times_sharpness", "rate × λ_max", sharp, None,
            "λ_max is the largest eigenvalue of the kernel with all outputs, times the curvature "
            "of the loss; from 2 on gradient descent with the kernel at the start diverges.",
        )
    ]  # fmt: skip
    if change is not None:
        table.append(
            Measurement(
                "kernel_change", "‖ΔK‖/‖K‖ of one step", change, None,
                f"One SGD step of rate {rate:.4g} changes the kernel by about "
                f"{100 * float(change.value):.2g} %.", word("kernel_change", outcomes),
            )
        )  # fmt: skip
    table.append(
        Measurement(
            "relative_first_order", "E ΔK/E K, pattern frozen", step.relative_first_order, None,
            "Mean change at first order in the rate (automatic differentiation).",
        )
    )  # fmt: skip
    if step.relative_actual is not None:
        table.append(
            Measurement(
                "relative_actual", "E ΔK/E K, real step", step.relative_actual, None,
                "Mean change of the step itself.",
            )
        )  # fmt: skip
    if step.relative_crossing is not None and step.crossed is not None:
        table.append(
            Measurement(
                "relative_crossing", "their difference", step.relative_crossing, None,
                f"Neurons that the step carries across 0 ({step.crossed} (neuron, input) pairs a "
                "step), and curvature.",
            )
        )  # fmt: skip
    simple = prediction is not None and prediction.outputs == 1 and len(prediction.inputs) == 1
    if simple and loss == "mse" and prediction is not None:
        target = float(np.asarray(y, dtype=float).reshape(-1)[0])
        table += step_rows(prediction, step, rate, target)
    movement = found.descent.movement
    if movement is not None:
        table.append(
            Measurement(
                *found.descent.movement_in_words, movement, None,
                "How far the kernel moves while the loss falls: by a factor e, below 1 % is "
                "frozen, from 10 % on feature learning.",
            )
        )  # fmt: skip
    assert found.diverged is not None
    hits = int(found.descent.diverged.sum())
    table.append(
        Measurement(
            "diverged", "share of seeds whose loss does not fall", found.diverged, None,
            f"{hits} of {seeds} seeds; the share is pulled towards one half by two seeds each way.",
        )
    )  # fmt: skip
    return table


def shares(found: Measured, recognised: Recognised, X: Any) -> list[Measurement]:
    """Each layer's share of the mean diagonal."""
    measured = found.start.layer_shares
    prediction = _prediction(recognised, X)
    exact: list[float | None] = [None] * len(measured)
    if prediction:
        exact = list(prediction.shares())
    return [
        Measurement(f"share_{name}", name, estimate, value)
        for (name, estimate), value in zip(measured.items(), exact, strict=True)
    ]


def _prediction(recognised: Recognised, X: Any) -> Prediction | None:
    if recognised.net is None:
        return None
    return Prediction(recognised.net, recognised.outputs, inputs_as_rows(X))
