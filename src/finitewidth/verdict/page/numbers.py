"""A verdict's numbers as JSON: rows beside what theory says of them, and every seed's own."""

from typing import TYPE_CHECKING, Any

import numpy as np

from finitewidth.report import Record
from finitewidth.verdict.measurement import Measurement
from finitewidth.verdict.setting import Setting

if TYPE_CHECKING:
    from finitewidth.verdict.measured import Measured


def inputs(setting: Setting, seeds: list[int]) -> dict[str, Any]:
    """What was asked."""
    return {
        "model": setting.model,
        "data": setting.data,
        "data_in_words": setting.data_in_words,
        "inputs": setting.inputs,
        "rows": list(setting.rows) or None,
        "seeds": list(seeds),
        "loss": setting.loss,
        "reduction": setting.reduction,
        "learning_rate": setting.learning_rate,
        "max_steps": setting.max_steps,
        "max_dispersion": setting.max_dispersion,
        "max_kernel_change": setting.max_kernel_change,
        "kernel": "sum of squared gradients, traced over outputs",
    }


def put(found: Record, row: Measurement, prefix: str = "") -> None:
    """A measured number, and what theory says of it under ``…_exact_law``."""
    found.estimate(prefix + row.name, row.measured)
    if row.theory is None:
        return
    name = f"{prefix}{row.name}_exact_law"
    if isinstance(row.theory, float | int):
        found.exact(name, float(row.theory))
    else:
        found.estimate(name, row.theory)


def samples(measured: "Measured", prefix: str = "") -> dict[str, list[float | None]]:
    """One number a seed of the rows that average over seeds; None where a seed has none."""
    found: dict[str, Any] = {
        "mean": measured.start.diagonals.tolist(),
        "top_eigenvalue": measured.start.eigenvalues[:, -1].tolist(),
    }
    if measured.step is not None:
        found["kernel_change"] = [one.distance_actual for one in measured.step.updates]
    if measured.descent is not None:
        found[measured.descent.movement_in_words[0]] = measured.descent.movements
        found["diverged"] = measured.descent.diverged.astype(np.int64).tolist()
    return {prefix + name: values for name, values in found.items()}
