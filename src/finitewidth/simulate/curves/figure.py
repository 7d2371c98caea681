"""The figure of `finitewidth simulate`: loss, kernel and features against the step."""

from collections.abc import Mapping, Sequence

import numpy as np

from finitewidth.simulate.runs.run import Trained
from finitewidth.simulate.runs.comparison import BAND, LEAST
from finitewidth.report import Band, Curve, Panels, Plot

PANELS: Mapping[str, tuple[str, str]] = {
    "loss": ("Loss", "loss ½ Σ (N − y)²"),
    "kernel_moved": ("Kernel", "kernel: ‖K_t − K_0‖/‖K_0‖"),
    "features_moved": ("Features", "features: ‖Φ_t − Φ_0‖/‖Φ_0‖"),
}


def training_panels(runs: Sequence[Trained], header: str) -> Panels:
    """Loss, movement of the kernel and of the last hidden layer's features, a colour a run.

    Parameters
    ----------
    runs : sequence of Trained
        One or more parametrizations on the same data.
    header : str
        The network and its data, in words.
    """
    size = runs[0].trajectory.size
    plots = [
        Plot(
            title=title,
            sentence="Against the step of SGD.",
            x_label="step",
            y_label=label,
            series=[of_networks(run.name, run.curves[name]) for run in runs],
            log_y=name == "loss" and all((run.curves[name] > 0).all() for run in runs),
        )
        for name, (title, label) in PANELS.items()
    ]
    return Panels(
        "Training, step by step",
        f"{header} {spread_in_words(size)} Φ is the feature kernel of the last hidden layer.",
        plots,
    )


def of_networks(label: str, values: np.ndarray) -> Band | Curve:
    """Networks' curves [size, steps + 1] as a band, or as a line if there is one network."""
    steps = np.arange(values.shape[1])
    if len(values) == 1:
        return Curve(label, steps, values[0])
    if len(values) < LEAST:
        low, middle, high = values.min(axis=0), np.median(values, axis=0), values.max(axis=0)
    else:
        low, middle, high = np.quantile(values, BAND, axis=0)
    return Band(label, steps, low, middle, high)


def spread_in_words(size: int) -> str:
    """What a line and its band are."""
    if size == 1:
        return "One network."
    if size < LEAST:
        return f"Median, smallest and largest of {size} networks."
    return f"Median and {100 * BAND[0]:g}–{100 * BAND[2]:g} % band of {size} networks."
