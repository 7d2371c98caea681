"""What the exact law says about the numbers that were measured."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from finitewidth.estimate import Estimate
from finitewidth.law import KernelLaw
from finitewidth.measure import Ensemble, UpdateEnsemble
from finitewidth.measure.averages import dispersion
from finitewidth.network import MLP
from finitewidth.verdict.measurement import Measurement

LARGEST = 600.0
"""ln of a moment that a double still holds with room."""


@dataclass(frozen=True)
class Prediction:
    """The law of a recognised network at the inputs that were measured.

    Parameters
    ----------
    net : MLP
    outputs : int
        Of the model.
    inputs : array [B, n_in]
    """

    net: MLP
    outputs: int
    inputs: np.ndarray

    def mean(self) -> float:
        """E of the mean diagonal, traced over outputs: each output has the law's mean."""
        return self.outputs * float(np.mean([KernelLaw(self.net, x).mean() for x in self.inputs]))

    def largest_spread(self) -> float:
        """What the standard deviation of the mean diagonal is at most: √(mean Var K(x_b, x_b))."""
        return float(np.sqrt(np.mean([KernelLaw(self.net, x).variance() for x in self.inputs])))

    def shares(self) -> list[float]:
        """Each layer's share of it."""
        laws = [KernelLaw(self.net, x) for x in self.inputs]
        totals = np.zeros(self.net.depth)
        for law in laws:
            parts = law.layer_shares()
            both = [np.asarray(side) for side in (parts.weights, parts.biases) if len(side)]
            totals += law.mean() * np.sum(both, axis=0)
        return list(totals / totals.sum())

    def first_input(self) -> KernelLaw:
        """The law at the first input."""
        return KernelLaw(self.net, self.inputs[0])


def one_input_rows(prediction: Prediction, start: Ensemble) -> list[Measurement]:
    """The dispersion at the first input, which the law knows; that of an average it does not."""
    if prediction.outputs > 1:
        return []
    law = prediction.first_input()
    measured = at_least(dispersion(start.kernels[:, 0, 0]), dispersion_error(law, len(start.seeds)))
    return [
        Measurement(
            "dispersion_first_input", "E K²/(E K)² at the first input", measured, law.dispersion(),
            "The same at one input, where the exact law stands beside it.",
        )
    ]  # fmt: skip


def dispersion_error(law: KernelLaw, seeds: int) -> float:
    """Standard error of the dispersion of so many seeds, by the law; 0 where it is beyond doubles.

    With k = K/E K and D = E k², the estimate's influence function is k² − D − 2D(k − 1), whose
    variance is m₄ − D² − 4D(m₃ − D) + 4D²(D − 1), m_r = E k^r.
    """
    logs = [law.log_moment(order) - order * law.log_moment(1) for order in (2, 3, 4)]
    if logs[-1] > LARGEST:
        return 0.0
    second, third, fourth = np.exp(logs)
    spread = fourth - second**2 - 4 * second * (third - second) + 4 * second**2 * (second - 1)
    return float(np.sqrt(max(spread, 0.0) / seeds))


def at_least(estimate: Estimate, error: float) -> Estimate:
    """With the larger of two errors: a sample that is low has a jackknife error too low as well."""
    return replace(estimate, std_error=max(float(estimate.std_error), error))


def step_rows(
    prediction: Prediction, step: UpdateEnsemble, learning_rate: float, target: float
) -> list[Measurement]:
    """First-order change of a step on one input, one output and the squared error."""
    law = prediction.first_input()
    return [
        Measurement(
            "update_mean", "E ΔK of the step, pattern frozen", step.first_order,
            law.update_mean(learning_rate),
            f"At first order in the rate, for the target {target:g}.",
        )
    ]  # fmt: skip


def inputs_as_rows(X: Any) -> np.ndarray:
    """[B, n_in] of a batch of any shape."""
    array = np.asarray(X.detach().cpu() if hasattr(X, "detach") else X, dtype=np.float64)
    return array.reshape(len(array), -1)
